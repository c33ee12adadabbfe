"""Speed: a grid search, two jobs.

Seconds of a whole grid search over 8 candidates and 5 folds on 500 rows of two small
tables, with default parameters in two processes, the threads that each of them has, and
the time that the matrix products of a textbook of the search would take::

    python benchmarks/benchmark_search.py
"""

# %%
import argparse
import time

import numpy as np
import torch
from benchmark_training import count_plain, make_plain, make_table, measure_product
from joblib import Parallel, delayed
from reference_coral import Features
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skcoral import COrALTransformer

N_ROWS, N_FOLDS = 500, 5
GRID = {
    "coraltransformer__mask_ratio": [0.25, 0.5, 0.75, 0.9],
    "coraltransformer__ortho_weight": [0.5, 1.0],
}
N_FITS = N_FOLDS * 8 + 1


def make_tables():
    """500 rows of ten numbers and of seven categories, and labels to search by."""
    table = make_table(N_ROWS)
    parts = [[c for c in table if c.startswith(kind)] for kind in ("number", "level")]
    y = table["number0"].fillna(0.0).to_numpy() + table["flag0"].to_numpy() > 0.5
    modalities = [("numbers", "tabular", parts[0]), ("levels", "tabular", parts[1])]
    return table, y, modalities


def count_search(n_epochs):
    """GFLOP of the products of all fits, by a textbook of as many tokens."""
    params = {"embed_dim": 64, "n_heads": 4}
    model = make_plain(params, [lambda: Features(10, 64), lambda: Features(7, 64)])
    n_train = N_ROWS * (N_FOLDS - 1) // N_FOLDS
    blocks = [np.zeros((n_train, n), np.float32) for n in (10, 7)]
    return N_FITS * n_epochs * count_plain(model, blocks, 256)


def search(max_epochs, n_jobs):
    """Seconds of the search."""
    X, y, modalities = make_tables()
    coral = COrALTransformer(modalities, max_epochs=max_epochs, random_state=0)
    model = make_pipeline(coral, LogisticRegression(max_iter=1000))
    start = time.perf_counter()
    GridSearchCV(model, GRID, cv=N_FOLDS, n_jobs=n_jobs).fit(X, y)
    return time.perf_counter() - start


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, help="default: those of 'auto'")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    call = delayed(torch.get_num_threads)
    threads = max(Parallel(n_jobs=arguments.jobs)(call() for _ in range(4)))
    seconds = search(arguments.epochs or "auto", arguments.jobs)
    # 400 rows of a fold have 2 batches; "auto" stops at 200 epochs.
    flops = count_search(arguments.epochs or 200)
    product = measure_product(torch.float32)
    print(f"{arguments.jobs} processes of {threads} thread(s)")
    print(f"search: {seconds:.0f} s, {N_FITS} fits")
    print(f"products of a textbook, {product:.0f} GFLOP/s: {flops / product:.0f} s")
