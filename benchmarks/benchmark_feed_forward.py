"""The feed-forward in its plain and in its fused form: time and memory of a step.

Forward and backward of tokens through :class:`skcoral.nn.feed_forward.FeedForward`, in
turn in both forms, so that a busy machine spoils both alike. The memory is what the
forward pass keeps for the backward pass. The widths from which the fused form is taken
follow from the table::

    python benchmarks/benchmark_feed_forward.py --threads 2 --out feed_forward.csv
"""

import argparse
import csv
import itertools
import statistics
import sys
import time

import torch

from skcoral.nn.feed_forward import FeedForward

# Rows, width of the tokens and of the hidden layer: a table's fusion at the defaults,
# the same of larger tables, and series of MOSI (1,284 rows of 50 steps, batches of 64
# in two views).
SHAPES = [
    (512, 64, 256),
    (6_400, 64, 256),
    (6_400, 64, 512),
    (6_400, 128, 512),
    (6_400, 40, 1_024),
    (6_400, 40, 2_048),
    (6_400, 512, 2_048),
]
FORMS = {"plain": False, "fused": True}
FIELDS = ["rows", "width", "hidden", "activation", "dropout"]


def make_step(case, precision):
    """Return a callable that makes one forward and backward pass."""
    rows, width, hidden, activation, dropout = case
    torch.manual_seed(0)
    layer = FeedForward(width, hidden, dropout, activation).train()
    x = torch.randn(rows, width, requires_grad=True)
    dtype = getattr(torch, precision)

    def step():
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            out = layer(x)
        out.sum().backward()

    return step


def measure_memory(step):
    """Return the megabytes that a forward pass keeps for its backward pass."""
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        step()
    return sum(kept.values()) / 2**20


def measure(case, precision, repeats):
    """Return milliseconds and megabytes of each form, measured in turn."""
    step = make_step(case, precision)
    times, memory = {form: [] for form in FORMS}, {}
    for repeat in range(repeats + 2):
        for form, is_fused in FORMS.items():
            FeedForward._is_fused = lambda self, x, is_fused=is_fused: is_fused
            if repeat == 0:
                memory[form] = measure_memory(step)
            start = time.perf_counter()
            step()
            if repeat > 1:
                times[form].append(1e3 * (time.perf_counter() - start))
    medians = {f"{form} ms": statistics.median(times[form]) for form in FORMS}
    return medians | {f"{form} MB": memory[form] for form in FORMS}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--out", help="CSV file to write; the screen by default")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    options = itertools.product(SHAPES, ("gelu", "relu"), (0.0, 0.1))
    columns = [*FIELDS, *(f"{form} {unit}" for unit in ("ms", "MB") for form in FORMS)]
    with open(arguments.out, "w") if arguments.out else sys.stdout as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for shape, *others in options:
            case = (*shape, *others)
            row = measure(case, arguments.precision, arguments.repeats)
            row = {name: round(value, 2) for name, value in row.items()}
            writer.writerow(dict(zip(FIELDS, case, strict=True)) | row)
            file.flush()


if __name__ == "__main__":
    main()
