"""
=================================================
Speed: the default estimator on a table with text
=================================================

Time and peak memory of a fit with default parameters, and rows per second of
`transform`, on a table of ten numeric, seven categorical and two boolean columns and a
date, with gaps, beside a free text::

    python examples/benchmark_training.py --rows 10000
"""

# %%
import argparse
import resource
import time

import numpy as np
import pandas as pd
import torch

from skcoral import COrALTransformer

N_WORDS = 5000
WORDS_PER_TEXT = 20


def make_table(n_rows, seed=0):
    """A table of 20 mixed columns and a text; a tenth of most columns is missing."""
    rng = np.random.default_rng(seed)
    columns = {f"number{i}": rng.normal(size=n_rows) for i in range(10)}
    for i, n_levels in enumerate((2, 3, 5, 10, 20, 50, 500)):
        columns[f"level{i}"] = rng.integers(n_levels, size=n_rows).astype(str)
    table = pd.DataFrame(columns)
    table = table.mask(rng.random(table.shape) < 0.1)
    for i in range(2):
        table[f"flag{i}"] = rng.random(n_rows) < 0.5
    days = pd.to_timedelta(rng.integers(3000, size=n_rows), unit="D")
    table["date"] = pd.Timestamp("2015-01-01") + days
    # Frequencies of words fall as 1 / rank, as in a language.
    shares = 1 / np.arange(1, N_WORDS + 1)
    words = rng.choice(N_WORDS, (n_rows, WORDS_PER_TEXT), p=shares / shares.sum())
    table["text"] = [" ".join(f"word{w}" for w in row) for row in words]
    return table


def time_call(function, *args):
    """Seconds that a call takes, and its result."""
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def peak_memory():
    """Peak resident memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000)
    arguments = parser.parse_args()
    table = make_table(arguments.rows)
    before = peak_memory()
    fit_time, coral = time_call(COrALTransformer(random_state=0).fit, table)
    after = peak_memory()
    transform_time, _ = time_call(coral.transform, table)
    print(f"threads: {torch.get_num_threads()}, device: {coral.device_}")
    print(f"rows: {len(table)}, columns: {table.shape[1]}, epochs: {coral.n_iter_}")
    print(f"fit: {fit_time:.1f} s, {sum(coral.net_.history[:, 'dur']):.1f} s in epochs")
    print(f"peak memory: {after:.2f} GB, {before:.2f} GB of it before the fit")
    print(f"transform: {len(table) / transform_time:,.0f} rows/s")
