"""Kill trainings at random moments: do they go on exactly where they were?

    python benchmarks/check_resume.py --kills 20

Each round trains in a process of its own, which is killed (-9) at a random moment, and
then trains again with the same checkpoint folder. It prints, for each round, the epochs
that had ended, those that the checkpoint kept, and whether the features equal those of
an uninterrupted training bit for bit; the exit status is 1 if any do not.
"""

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from skorch.callbacks import Callback

from skcoral import COrALClassifier, COrALTransformer, InfMaskingTransformer
from skcoral._training.checkpoints import find_path, read_state
from skcoral.datasets import make_multimodal_interactions

SIZES = {"embed_dim": 16, "batch_size": 50, "random_state": 0, "max_epochs": 15}


class Log(Callback):
    """Append a byte to a file after every epoch."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, net, **kwargs):
        """Append the byte."""
        with open(self.path, "ab") as file:
            file.write(b".")


def fit(X, y, **params):
    """Fit a transformer whose network drops units."""
    return COrALTransformer(dropout=0.1, mask_ratio=0.5, **SIZES, **params).fit(X)


def fit_early(X, y, **params):
    """Fit a transformer that restores its best epoch."""
    stop = {"early_stopping": True, "n_iter_no_change": 4, "lr": 0.01}
    return COrALTransformer(**{**SIZES, **stop}, **params).fit(X)


def fit_classifier(X, y, **params):
    """Fit a classifier from few labels."""
    labels = np.where(np.arange(len(y)) % 5, -1, y)
    return COrALClassifier(**SIZES, **params).fit(X, labels)


def fit_masks(X, y, **params):
    """Fit a method that draws masks."""
    return InfMaskingTransformer(n_masks=2, **SIZES, **params).fit(X)


def fit_twice(X, y, **params):
    """Fit a transformer, and train it further."""
    return COrALTransformer(warm_start=True, **SIZES, **params).fit(X).fit(X[::2])


def fit_chunks(X, y, **params):
    """Fit a transformer chunk by chunk."""
    model = COrALTransformer(**SIZES, **params)
    for start in range(0, len(y), 40):
        model.partial_fit(X[start : start + 40])
    return model


CASES = [fit, fit_early, fit_classifier, fit_masks, fit_twice, fit_chunks]


def train(case, data, folder):
    """Train with a checkpoint, and write the features."""
    model = case(*data, checkpoint=folder, callbacks=[Log(folder / "log")])
    np.save(folder / "features.npy", model.transform(data[0]))


def start(case, data, folder):
    """Return a process that trains."""
    process = multiprocessing.get_context("fork").Process(
        target=train, args=(case, data, folder)
    )
    process.start()
    return process


def count_kept(folder):
    """Return the number of epochs that the checkpoints in a folder hold."""
    paths = (find_path(folder, index) for index in range(100))
    return sum(read_state(path)["n_epochs"] for path in paths if path.exists())


def kill_and_resume(case, data, expected, duration, draw):
    """Return (epochs that ended, epochs kept, whether the features are equal)."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        process = start(case, data, folder)
        time.sleep(draw.uniform(0, duration))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        log = folder / "log"
        ended = log.stat().st_size if log.exists() else 0
        kept = count_kept(folder)
        start(case, data, folder).join()
        features = np.load(folder / "features.npy")
    return ended, kept, np.array_equal(features, expected)


def main(argv=None):
    """Kill and resume, print a line per round, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    # Processes are forked, which threads of torch would not survive.
    torch.set_num_threads(1)
    bunch = make_multimodal_interactions(200, random_state=0)
    data, draw = (bunch.data, bunch.target["redundant"]), random.Random(options.seed)
    expected, durations = {}, {}
    n_equal = n_kept = 0
    for number in range(options.kills):
        case = CASES[number % len(CASES)]
        if case not in expected:
            began = time.perf_counter()
            expected[case] = case(*data).transform(data[0])
            durations[case] = time.perf_counter() - began
        round_ = (case, data, expected[case], durations[case], draw)
        ended, kept, equal = kill_and_resume(*round_)
        print(f"{case.__name__:15} ended {ended:3} kept {kept:3} equal {equal}")
        n_equal += equal
        n_kept += kept >= ended - 1
    print(f"{n_equal} of {options.kills} equal, {n_kept} lost at most one epoch")
    return int(min(n_equal, n_kept) < options.kills)


if __name__ == "__main__":
    sys.exit(main())
