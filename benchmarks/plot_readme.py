"""Draw the picture of README.md: accuracy by number of labels, on six data sets.

The numbers are those of ``benchmarks/results/few_labels.csv``::

    python benchmarks/plot_readme.py
"""

import io

import matplotlib.pyplot as plt
from PIL import Image
from write_tables import FEW_LABELS, RESULTS, ROOT, read_results

PICTURE = ROOT / "docs" / "_static" / "readme.png"
LABELS = ["1", "5", "20", "all"]
TITLES = {
    "movies-genre": "films, genre (12 classes)",
    "movies-fresh": "films, fresh or not (2)",
    "mfeat-3": "digits, 3 kinds of features (10)",
    "mfeat-6": "digits, 6 kinds of features (10)",
    "emoji": "emoji, picture and name (8)",
    "watch": "watch, two sensors (7)",
}
# From the back to the front.
STYLES = {
    "raw": {"label": "raw columns", "color": "#8c8c8c", "marker": "o"},
    "PCA": {"label": "PCA", "color": "#56b4e9", "marker": "s"},
    "statistics by hand": {"label": "statistics by hand", "color": "k", "ls": ":"},
    "SimCLR per modality": {
        "label": "SimCLR per modality",
        "color": "#e69f00",
        "marker": "^",
    },
    "COrAL": {"label": "COrAL", "color": "#a3005c", "marker": "D", "lw": 2.4},
}


def draw_panel(ax, records, name):
    """Draw one data set: means, and bands of one deviation."""
    for features, style in STYLES.items():
        kept = [
            (LABELS.index(r["labels"]), float(r["mean"]), float(r["deviation"] or 0))
            for r in records
            if r["data"] == FEW_LABELS[name] and r["features"] == features
        ]
        if kept:
            x, means, _ = zip(*kept, strict=True)
            low, high = ([m + s * d for _, m, d in kept] for s in (-1, 1))
            ax.fill_between(x, low, high, color=style["color"], alpha=0.1, lw=0)
            ax.plot(x, means, **{"markersize": 4.5, "lw": 1.5} | style)
    ax.set_title(TITLES[name], fontsize=10, loc="left")
    ax.set_xticks(range(len(LABELS)), LABELS)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="0.9")


def save(figure, path):
    """Save a figure with at most 128 colours, which is half the size."""
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=120)
    path.parent.mkdir(exist_ok=True)
    Image.open(buffer).convert("RGB").quantize(128).save(path, optimize=True)


def main():
    records, _ = read_results(RESULTS / "few_labels.csv")
    figure, axes = plt.subplots(2, 3, figsize=(8.6, 5), layout="constrained")
    figure.get_layout_engine().set(hspace=0.08, wspace=0.04)
    for ax, name in zip(axes.flat, FEW_LABELS, strict=True):
        draw_panel(ax, records, name)
    figure.supxlabel("labels per class", fontsize=10)
    figure.supylabel("balanced accuracy", fontsize=10)
    handles, labels = axes[-1, -1].get_legend_handles_labels()
    figure.legend(
        handles[::-1], labels[::-1], loc="outside upper center", ncols=5, frameon=False
    )
    save(figure, PICTURE)


if __name__ == "__main__":
    main()
