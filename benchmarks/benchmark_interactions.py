"""What each component knows: the whole leakage matrix.

Vectors with known interactions: one label is redundant, one unique to each modality
and one is synergistic. A linear probe on each component of COrAL, on all of them
and on the raw data tells which component knows which label. Redundant and unique labels
are probed after training on unbiased rows; the synergy after training on biased ones,
always on unbiased rows that the training did not see. Cells that are done are kept in
the folder and skipped::

    python benchmarks/benchmark_interactions.py --modalities 2 --out interactions-2
"""

# %%
from functools import partial
from itertools import combinations

import numpy as np
import torch
from experiment import (
    RARE_PROBE,
    make_interactions,
    make_parser,
    open_folder,
    parse,
    read_records,
    run_cells,
    whole,
    write,
    write_csv,
)
from sklearn.frozen import FrozenEstimator

from skcoral import COrALTransformer
from skcoral.evaluation import JoinBlocks, evaluate, format_table
from skcoral.metrics import mean_abs_cosine

N_ROWS = 4000


def overlap_of_heads(coral, X):
    """Mean |cos| between the head outputs of all pairs of components."""
    Z = coral.transform(X)
    parts = [torch.from_numpy(Z[:, part]) for part in coral.output_indices_.values()]
    with torch.no_grad():
        heads = [head.numpy() for head in coral.net_.criterion_.project(parts)]
    return float(np.mean([mean_abs_cosine(a, b) for a, b in combinations(heads, 2)]))


def measure(cell, *, n_modalities, epochs, mask_ratio):
    """Return the records of one training: a component and a label each."""
    seed, biased = cell["seed"], cell["biased"]
    parts = make_interactions(seed, biased, N_ROWS, n_modalities=n_modalities)
    fitted, probed, tested = parts
    coral = COrALTransformer(
        mask_ratio=mask_ratio, max_epochs=epochs or "auto", random_state=seed
    )
    coral.fit(fitted.data)
    labels = ["synergy"] if biased else list(probed.target)
    records = evaluate(
        {"raw": JoinBlocks(), "COrAL": FrozenEstimator(coral)},
        probed.data,
        {label: probed.target[label] for label in labels},
        X_test=tested.data,
        y_test={label: tested.target[label] for label in labels},
        components=True,
        probe=RARE_PROBE,
        baseline=False,
        data="biased" if biased else "unbiased",
    )
    overlap = overlap_of_heads(coral, tested.data)
    return [record | {"seed": seed, "overlap": overlap} for record in records]


def main(arguments=None):
    """Run the cells that are missing and print the matrix of all that there are."""
    parser = make_parser("interactions", __doc__)
    parser.add_argument("--modalities", type=whole(2), default=2)
    default = COrALTransformer().mask_ratio
    parser.add_argument("--mask-ratio", type=float, default=default, help="of COrAL")
    options = parse(parser, arguments)
    settings = {
        "n_modalities": options.modalities,
        "epochs": options.epochs,
        "mask_ratio": options.mask_ratio,
    }
    open_folder(options.out, experiment="interactions", **settings)
    cells = [{"seed": s, "biased": b} for s in options.seeds for b in (False, True)]
    try:
        run_cells(options.out, cells, partial(measure, **settings), options.jobs)
    finally:
        summarise(options.out)


def summarise(folder):
    """Write and print the leakage matrices of the cells that exist."""
    records = read_records(folder)
    if not records:
        return
    write_csv(folder / "results.csv", records)
    text = ""
    for kind in dict.fromkeys(record["data"] for record in records):
        chosen = [record for record in records if record["data"] == kind]
        overlap = np.mean([record["overlap"] for record in chosen])
        keywords = {"columns": "label", "scores": "balanced_accuracy"}
        table = format_table(chosen, rows=["method", "component"], **keywords)
        text += (
            f"Trained on {kind} rows, mean |cos| of heads {overlap:.3f}\n\n{table}\n\n"
        )
    write(folder / "table.md", text)
    print(f"\n{text}")


# %%
if __name__ == "__main__":
    main()
