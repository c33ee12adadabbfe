"""Speed: training, beside a textbook of it.

Seconds per epoch, matrix arithmetic per second beside what the machine does in a single
large product, the share of the time outside the model, and peak memory, for three
shapes: the default estimator on a table of 20 mixed columns with a free text, two long
series as in MOSI, and a table with series as in MIMIC. The last two are also trained by
`reference_coral.py`, a textbook of the same training, in the same process. The
arithmetic counted is always that of the textbook: what skcoral saves, or computes twice
to save memory, does not count. Shapes that are done are kept in the file and skipped::

    python benchmarks/benchmark_training.py --out training.csv

Each shape has a process of its own, which ``--shape mosi`` runs alone.
"""

# %%
import argparse
import csv
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import torch
from reference_coral import Features, PlainCOrAL, Recurrent, Transformer, train
from skorch.helper import SliceDict
from torch.utils.flop_counter import FlopCounterMode

from skcoral import COrALTransformer, SequenceModality, TabularModality
from skcoral.objectives.coral import COrALObjective

N_WORDS = 5000
WORDS_PER_TEXT = 20
COLUMNS = (
    "shape",
    "training",
    "s per epoch",
    "epochs",
    "s per fit",
    "GFLOP/s",
    "GFLOP/s of a float32 product",
    "GFLOP/s of a bfloat16 product",
    "outside the model",
    "peak GB",
)


# %%
# Shapes: X, parameters, and encoders and blocks of the textbook
# --------------------------------------------------------------


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


def make_default():
    """10,000 rows, default parameters, as many epochs as they choose.

    The textbook serves to count only. Vectors of levels and words are looked up, which
    takes no product, so that as many numbers count as much: 26 columns, since a date
    has several, and 20 words.
    """
    params = {"max_epochs": "auto", "embed_dim": 64, "n_heads": 4, "batch_size": 256}
    encoders = [lambda: Features(26, 64), lambda: Features(WORDS_PER_TEXT, 64)]
    blocks = [np.zeros((10_000, n), np.float32) for n in (26, WORDS_PER_TEXT)]
    return make_table(10_000), params, encoders, blocks


def make_mosi():
    """1,284 rows of two series of 50 steps, five wide layers with dropout."""
    rng = np.random.default_rng(0)
    sizes = {"vision": 20, "text": 300}
    blocks = {
        name: rng.normal(size=(1284, 50, size)).astype(np.float32)
        for name, size in sizes.items()
    }
    spec = SequenceModality(
        n_layers=5,
        n_heads=5,
        dim_feedforward=2048,
        activation="relu",
        dropout=0.1,
        positional_encoding=False,
    )
    params = {
        "modalities": [(name, spec, name) for name in sizes],
        "embed_dim": 40,
        "n_heads": 8,
        "batch_size": 64,
        "precision": "bfloat16",
    }
    encoders = [
        lambda size=size: Transformer(size, 40, 5, 5, 2048, 0.1)
        for size in sizes.values()
    ]
    return SliceDict(**blocks), params, encoders, list(blocks.values())


def make_mimic():
    """2,048 rows of five numbers and a series of 24 steps, tokens of width 512."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(2048, 5)).astype(np.float32)
    series = rng.normal(size=(2048, 24, 12)).astype(np.float32)
    modalities = [
        ("table", TabularModality(augmentation=["drop", "noise"]), "table"),
        ("series", SequenceModality(encoder="gru"), "series"),
    ]
    params = {
        "modalities": modalities,
        "embed_dim": 512,
        "n_heads": 8,
        "batch_size": 64,
    }
    encoders = [lambda: Features(5, 512), lambda: Recurrent(12, 512)]
    X = SliceDict(table=table, series=series)
    return X, params, encoders, [table, series]


SHAPES = {"default": make_default, "mosi": make_mosi, "mimic": make_mimic}


# %%
# Measurements
# ------------


class Stopwatch:
    """Seconds spent in functions, less those in what is subtracted."""

    def __init__(self):
        self.seconds = 0.0

    def wrap(self, function, sign=1):
        """Return the function, timed."""

        def timed(*args, **kwargs):
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds += sign * (time.perf_counter() - start)

        return timed

    def wrap_step(self, step):
        """Return an optimizer's step, timed without its closure."""
        timed = self.wrap(step)
        return lambda optimizer, closure: timed(optimizer, self.wrap(closure, sign=-1))


def peak_memory():
    """Peak resident memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def measure_product(dtype, size=2048, n_repeats=8):
    """GFLOP/s of a square matrix product."""
    a = torch.randn(size, size).to(dtype)
    seconds = []
    for _ in range(n_repeats):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / np.median(seconds) / 1e9


def count_flops(step):
    """GFLOP of the matrix products of a call."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() / 1e9


def measure_skcoral(X, params):
    """Seconds per epoch, epochs, seconds of the fit, and share outside the model."""
    watch = Stopwatch()
    forward = watch.wrap(COrALObjective.forward)
    backward = watch.wrap(torch.Tensor.backward)
    step = watch.wrap_step(torch.optim.AdamW.step)
    coral = COrALTransformer(random_state=0, **params)
    start = time.perf_counter()
    with (
        mock.patch.object(COrALObjective, "forward", forward),
        mock.patch.object(torch.Tensor, "backward", backward),
        mock.patch.object(torch.optim.AdamW, "step", step),
    ):
        coral.fit(X)
    fit_seconds = time.perf_counter() - start
    durations = coral.net_.history[:, "dur"]
    outside = 1 - watch.seconds / sum(durations)
    return np.median(durations), len(durations), fit_seconds, outside


def make_plain(params, encoders):
    """The textbook's network and objective."""
    width = params["embed_dim"]
    return PlainCOrAL(encoders, width, width // 2, params["n_heads"])


def count_plain(model, blocks, batch_size):
    """GFLOP of an epoch of the textbook."""
    batch = [[torch.from_numpy(x[:batch_size]) for x in blocks]] * 2
    flops = count_flops(lambda: sum(model(batch)).backward())
    return flops * len(blocks[0]) / batch_size


def measure_plain(model, blocks, batch_size, n_epochs):
    """Seconds per epoch of the textbook."""
    durations, start = [], time.perf_counter()
    for _ in train(model, blocks, n_epochs, batch_size):
        durations.append(time.perf_counter() - start)
        start = time.perf_counter()
    return np.median(durations)


def measure(shape, n_epochs):
    """Rows of the table for one shape."""
    X, params, encoders, blocks = SHAPES[shape]()
    params = {"max_epochs": n_epochs, **params}
    products = [round(measure_product(t)) for t in (torch.float32, torch.bfloat16)]
    seconds, epochs, fit_seconds, outside = measure_skcoral(X, params)
    ours = [f"{outside:.0%}", round(peak_memory(), 2)]
    model = make_plain(params, encoders)
    flops, plain = count_plain(model, blocks, params["batch_size"]), []
    if shape != "default":
        plain_seconds = measure_plain(model, blocks, params["batch_size"], n_epochs)
        rate, peak = round(flops / plain_seconds), round(peak_memory(), 2)
        start = ["plain", round(plain_seconds, 1), n_epochs, "", rate]
        plain = [[shape, *start, *products, "", peak]]
    timed = [round(seconds, 2), epochs, round(fit_seconds, 1), round(flops / seconds)]
    return [[shape, "skcoral", *timed, *products, *ours], *plain]


# %%
# Table
# -----


def run(out, shapes, n_epochs):
    """Measure the shapes that are not in the file yet, a process each."""
    done = {row[0] for row in read_results(out)}
    for shape in shapes:
        if shape in done:
            continue
        command = [sys.executable, __file__, "--shape", shape, "--epochs", n_epochs]
        output = subprocess.run(
            list(map(str, command)), check=True, capture_output=True, text=True
        )
        with out.open("a", newline="") as file:
            csv.writer(file).writerows(json.loads(output.stdout.splitlines()[-1]))


def read_results(out):
    """Rows of the file."""
    if not out.exists():
        return []
    with out.open(newline="") as file:
        return list(csv.reader(file))


def print_table(columns, rows):
    """Print the rows as Markdown."""
    print("| " + " | ".join(columns) + " |")
    print("|---" * len(columns) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("training.csv"))
    parser.add_argument("--shape", choices=SHAPES)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.shape:
        print(json.dumps(measure(arguments.shape, arguments.epochs)))
    else:
        run(arguments.out, SHAPES, arguments.epochs)
        print_table(COLUMNS, read_results(arguments.out))
