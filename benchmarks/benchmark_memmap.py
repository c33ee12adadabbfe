"""Memory: training on files that are not read whole.

Vectors and series in memory-mapped files, read batch by batch: time and peak memory of
one epoch and of `transform`, whatever the size of the files::

    python benchmarks/benchmark_memmap.py --rows 200000
"""

# %%
import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from skorch.helper import SliceDict

from skcoral import COrALTransformer

SHAPES = {"vector": (64,), "series": (50, 6)}
CHUNK = 10_000


def write_files(folder, n_rows):
    """Write random blocks chunk by chunk, and open them as mapped arrays."""
    rng = np.random.default_rng(0)
    for name, shape in SHAPES.items():
        path = folder / f"{name}.npy"
        array = np.lib.format.open_memmap(
            path, mode="w+", dtype=np.float32, shape=(n_rows, *shape)
        )
        for start in range(0, n_rows, CHUNK):
            size = (min(CHUNK, n_rows - start), *shape)
            array[start : start + CHUNK] = rng.normal(size=size)
        array.flush()
        del array
    paths = {name: folder / f"{name}.npy" for name in SHAPES}
    return SliceDict(**{n: np.load(p, mmap_mode="r") for n, p in paths.items()})


def report(label, start):
    """Print the time since `start` and the peak resident memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(f"{label}: {time.perf_counter() - start:.0f} s, peak memory {peak:.2f} GB")


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        X = write_files(Path(folder), arguments.rows)
        size = sum(X[name].nbytes for name in X) / 1e9
        report(f"files of {size:.2f} GB written", start)
        start = time.perf_counter()
        coral = COrALTransformer(max_epochs=1, random_state=0).fit(X)
        report("one epoch", start)
        start = time.perf_counter()
        features = coral.transform(X)
        report(f"transform to {features.nbytes / 1e9:.2f} GB", start)
