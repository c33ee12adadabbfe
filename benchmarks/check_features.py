"""Features of seeded fits, saved and compared: does a change leave results alone?

Every method is fitted on each kind of modality beside a table, and on all kinds with
gaps; further cases are early stopping, chunks, warm starts, bfloat16 and dropout.

    python benchmarks/check_features.py --save before.npz     # on the old commit
    python benchmarks/check_features.py --compare before.npz  # on the new one

The comparison prints the largest absolute difference of each case, and fails above
``--atol``, 1e-6 by default. Both runs need the same machine and version of torch.
Training amplifies rounding: where only the order of sums changed, features after a few
updates differ by a few hundredths. ``--fused`` takes the fused feed-forward everywhere,
as it was before there was a plain one, so that its rounding does not hide the rest.
"""

import argparse
import sys
import warnings

import numpy as np
import torch
from skorch.helper import SliceDict

import skcoral
from skcoral import (
    EmbeddingModality,
    ImageModality,
    SequenceModality,
    TabularModality,
    TextModality,
)
from skcoral.nn import feed_forward

N_ROWS = 60
SIZES = {"embed_dim": 8, "max_epochs": 3, "batch_size": 25, "random_state": 0}
SPECS = {
    "tabular": TabularModality(),
    "text": TextModality(),
    "subwords": TextModality(tokenizer="subwords"),
    "sequence": SequenceModality(),
    "gru": SequenceModality(encoder="gru"),
    "image": ImageModality(),
    "embedding": EmbeddingModality(),
}
PREDICTORS = ("COrALClassifier", "COrALRegressor")


def make_blocks():
    """Return blocks of all kinds by name, each with a few missing rows."""
    rng = np.random.default_rng(0)
    words = np.array("a the red blue film of war love city night".split())
    table = rng.normal(size=(N_ROWS, 4)).astype(object)
    table[:, 3] = rng.choice(["x", "y", None], N_ROWS)
    texts = np.array([" ".join(rng.choice(words, 5)) for _ in range(N_ROWS)], object)
    series = rng.normal(size=(N_ROWS, 6, 2))
    series[::3, 4:] = np.nan
    images = rng.random(size=(N_ROWS, 9, 9, 3))
    vectors = rng.normal(size=(N_ROWS, 5))
    table[5], texts[6::11] = None, None
    series[7], images[8], vectors[9::13] = np.nan, np.nan, np.nan
    return {
        "tabular": table,
        "text": texts,
        "subwords": texts,
        "sequence": series,
        "gru": series,
        "image": images,
        "embedding": vectors,
    }


def list_estimators():
    """Return the public estimators by name."""
    values = {name: getattr(skcoral, name) for name in skcoral.__all__}
    return {n: v for n, v in values.items() if hasattr(v, "get_feature_names_out")}


def make(name, kinds, **params):
    """Return an estimator whose modalities are of these kinds, beside another table."""
    modalities = [(kind, SPECS[kind], kind) for kind in kinds]
    modalities.append(("other", "embedding", "other"))
    estimator = list_estimators()[name](modalities)
    sizes = {**SIZES, "n_masks": 2, "head_dim": 8, "head_hidden_dim": 16, **params}
    known = estimator.get_params(deep=False)
    return estimator.set_params(**{k: v for k, v in sizes.items() if k in known})


def learn(name, estimator, X):
    """Fit and return features, score and predictions in one vector."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, N_ROWS) if name == "COrALClassifier" else rng.normal(size=60)
    if name not in PREDICTORS:
        estimator.fit(X)
        outputs = [estimator.transform(X), estimator.score(X)]
    elif name == "COrALClassifier":
        y[40:] = -1
        estimator.fit(X, y)
        outputs = [estimator.transform(X), estimator.predict_proba(X)]
    else:
        y[40:] = np.nan
        estimator.fit(X, y)
        outputs = [estimator.transform(X), estimator.predict(X)]
    return np.concatenate([np.ravel(output) for output in outputs])


def run_cases():
    """Yield the name of each case and its vector."""
    blocks = make_blocks()
    other = np.random.default_rng(2).normal(size=(N_ROWS, 3))
    X = SliceDict(**blocks, other=other)
    everything = [kind for kind in SPECS if kind not in ("subwords", "gru")]
    for name in list_estimators():
        for kind in SPECS:
            part = SliceDict(**{kind: blocks[kind], "other": other})
            yield f"{name}-{kind}", learn(name, make(name, [kind]), part)
        part = SliceDict(**{kind: X[kind] for kind in [*everything, "other"]})
        yield f"{name}-all", learn(name, make(name, everything), part)
    options = {
        "early": {"early_stopping": True, "validation_fraction": 0.3},
        "bfloat16": {"precision": "bfloat16"},
        "modality_dropout": {"modality_dropout": 0.3},
        "token": {"mask_mode": "token", "mask_ratio": (0.3, 0.7)},
        "wide_dropout": {"dropout": 0.2, "embed_dim": 64},
    }
    for name, params in options.items():
        for method in ("COrALTransformer", "COrALClassifier"):
            case = make(method, ["tabular", "text"], **params)
            yield f"{method}-{name}", learn(method, case, X_of(X, "tabular", "text"))
    part = X_of(X, "tabular", "text")
    coral = make("COrALTransformer", ["tabular", "text"])
    coral.partial_fit(part[:30]).partial_fit(part[30:])
    yield "partial_fit", np.ravel(coral.transform(part))
    coral = make("COrALTransformer", ["tabular", "text"], warm_start=True)
    yield "warm_start", np.ravel(coral.fit(part).fit(part).transform(part))
    table = make_blocks()["tabular"]
    auto = skcoral.COrALTransformer(**SIZES)
    yield "auto", np.ravel(auto.fit(table[10:]).transform(table[10:]))


def X_of(X, *kinds):
    """Return some of the blocks."""
    return SliceDict(**{kind: X[kind] for kind in (*kinds, "other")})


def compare(old, atol):
    """Print the largest difference of each case; return whether all are small."""
    worst = {}
    for name, values in run_cases():
        known = old[name]
        same_gaps = np.array_equal(np.isnan(known), np.isnan(values))
        worst[name] = np.nanmax(np.abs(values - known)) if same_gaps else np.inf
        print(f"{name:45} {worst[name]:.2e}")
    fine = set(worst) == set(old) and max(worst.values()) <= atol
    print(f"{len(worst)} cases, largest difference {max(worst.values()):.2e}")
    return fine


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--save", help="file to write")
    action.add_argument("--compare", help="file to compare with")
    parser.add_argument("--fused", action="store_true")
    parser.add_argument("--atol", type=float, default=1e-6)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if arguments.fused:
        feed_forward.FeedForward._is_fused = lambda self, x: (
            self.training or not self.dropout.p
        )
    if arguments.save:
        np.savez(arguments.save, **dict(run_cases()))
        return 0
    with np.load(arguments.compare) as old:
        return 0 if compare(dict(old), arguments.atol) else 1


if __name__ == "__main__":
    sys.exit(main())
