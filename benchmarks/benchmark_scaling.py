"""Scaling: rows, modalities, width.

Seconds of a fit of one epoch by number of rows, preprocessing included, and seconds per
update by number of modalities, rows in a batch and width, on vectors; one figure with
logarithmic axes, and the exponent of a power law for the rows. Points that are done are
kept in the file and skipped::

    python benchmarks/benchmark_scaling.py --out scaling.csv
"""

# %%
import argparse
import csv
import time
from pathlib import Path

import numpy as np
from skorch.helper import SliceDict

from skcoral import COrALTransformer

VECTOR = 32
SERIES = {
    "rows": (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
    "modalities": (1, 2, 3, 4, 6, 8),
    "batch": (32, 64, 128, 256, 512, 1024),
    "width": (16, 32, 64, 128, 256),
}
UPDATES = 10


def make_blocks(n_rows, n_modalities=2):
    """Vectors of equal width."""
    rng = np.random.default_rng(0)
    blocks = {
        f"m{i}": rng.standard_normal((n_rows, VECTOR), dtype=np.float32)
        for i in range(n_modalities)
    }
    return SliceDict(**blocks)


def measure(series, value):
    """Seconds of a fit of one epoch, or per update of the fastest of three epochs."""
    if series == "rows":
        X, coral = make_blocks(value), COrALTransformer(max_epochs=1, random_state=0)
        start = time.perf_counter()
        coral.fit(X)
        return time.perf_counter() - start
    name = {"batch": "batch_size", "width": "embed_dim"}.get(series)
    params = {name: value} if name else {}
    n_rows = UPDATES * params.get("batch_size", 256)
    X = make_blocks(n_rows, value if series == "modalities" else 2)
    coral = COrALTransformer(max_epochs=3, random_state=0, **params).fit(X)
    return min(coral.net_.history[:, "dur"]) / UPDATES


def read_results(out):
    """Rows (series, value, seconds)."""
    if not out.exists():
        return []
    with out.open(newline="") as file:
        return [(r[0], int(r[1]), float(r[2])) for r in csv.reader(file)]


def run(out):
    """Measure the points that are not in the file yet."""
    done = {row[:2] for row in read_results(out)}
    # The first fit of a process pays for imports and threads.
    measure("rows", 1000)
    for series, values in SERIES.items():
        for value in values:
            if (series, value) not in done:
                seconds = measure(series, value)
                with out.open("a", newline="") as file:
                    csv.writer(file).writerow((series, value, seconds))


def fit_exponent(points):
    """Exponent of the power law nearest to the points."""
    n, seconds = np.log(np.array(points)).T
    return np.polyfit(n, seconds, 1)[0]


def plot(results, path):
    """Draw each series in a panel with logarithmic axes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(SERIES), figsize=(14, 3.5), layout="constrained")
    for axis, series in zip(axes, SERIES, strict=True):
        points = [row[1:] for row in results if row[0] == series]
        axis.loglog(*zip(*points, strict=True), marker="o")
        axis.set_xlabel(series)
        axis.set_ylabel("s per fit" if series == "rows" else "s per update")
        axis.grid(alpha=0.3, which="both")
        if series != "rows":
            values = [value for value, _ in points]
            axis.set_xticks(values, values)
            axis.set_xticks([], minor=True)
        if series == "rows":
            axis.set_title(f"exponent {fit_exponent(points):.2f}")
    figure.savefig(path, dpi=120)


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("scaling.csv"))
    arguments = parser.parse_args()
    run(arguments.out)
    results = read_results(arguments.out)
    for row in results:
        print(*row)
    plot(results, arguments.out.with_suffix(".png"))
