"""Speed and memory: transform.

Rows per second and memory of `transform` on two blocks of vectors (64 and 32 wide), and
on a table of 20 mixed columns with a free text, by number of rows. Memory is the peak
of the process beyond what it held before, without the features that are returned. Each
number of rows has a process of its own; those that are done are kept in the file and
skipped::

    python benchmarks/benchmark_transform.py --out transform.csv
"""

# %%
import argparse
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from benchmark_training import make_table, peak_memory, print_table, read_results
from skorch.helper import SliceDict

from skcoral import COrALTransformer

CASES = [
    *(("vectors", n) for n in (10_000, 100_000, 1_000_000)),
    *(("table", n) for n in (10_000, 50_000)),
]
FIT_ROWS = 2000
COLUMNS = ("data", "rows", "rows/s", "memory beyond X and features, GB")


def make_vectors(n_rows):
    """Two blocks of vectors."""
    rng = np.random.default_rng(0)
    sizes = {"a": 64, "b": 32}
    blocks = {
        name: rng.standard_normal((n_rows, size), dtype=np.float32)
        for name, size in sizes.items()
    }
    return SliceDict(**blocks)


def measure(data, n_rows):
    """Row of the table: the fastest of three calls, the peak of all."""
    X = {"vectors": make_vectors, "table": make_table}[data](n_rows)
    rows = np.arange(FIT_ROWS)
    few = X[rows] if data == "vectors" else X.iloc[rows]
    coral = COrALTransformer(max_epochs=1, random_state=0).fit(few)
    coral.transform(few)
    before, seconds, features = peak_memory(), [], None
    for _ in range(3):
        del features
        start = time.perf_counter()
        features = coral.transform(X)
        seconds.append(time.perf_counter() - start)
    memory = max(0.0, peak_memory() - before - features.nbytes / 1e9)
    return [data, n_rows, round(n_rows / min(seconds)), round(memory, 2)]


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("transform.csv"))
    parser.add_argument("--case", nargs=2, metavar=("DATA", "ROWS"))
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(measure(arguments.case[0], int(arguments.case[1]))))
        sys.exit()
    done = {tuple(row[:2]) for row in read_results(arguments.out)}
    for case in CASES:
        words = tuple(map(str, case))
        if words in done:
            continue
        command = [sys.executable, __file__, "--case", *words]
        output = subprocess.run(command, check=True, capture_output=True, text=True)
        with arguments.out.open("a", newline="") as file:
            csv.writer(file).writerow(json.loads(output.stdout.splitlines()[-1]))
    print_table(COLUMNS, read_results(arguments.out))
