"""
===================================================
What each component knows: the whole leakage matrix
===================================================

Vectors with known interactions: one label is redundant, one unique to each modality
and one is synergistic. A linear probe on each component of COrAL, on all of them
and on the raw data tells which component knows which label. Redundant and unique labels
are probed after training on unbiased rows; the synergy after training on biased ones,
always on unbiased rows that the training did not see::

    python examples/benchmark_interactions.py --modalities 2 --out interactions.csv
"""

# %%
import argparse
import csv
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skcoral import COrALTransformer
from skcoral.datasets import make_multimodal_interactions
from skcoral.metrics import mean_abs_cosine

N_ROWS = 4000


def probe(train, test, y_train, y_test):
    """Balanced accuracy of a linear probe; the rare class weighs as the other."""
    classifier = LogisticRegression(max_iter=2000, class_weight="balanced")
    model = make_pipeline(StandardScaler(), classifier).fit(train, y_train)
    return balanced_accuracy_score(y_test, model.predict(test))


def overlap_of_heads(coral, X):
    """Mean |cos| between the head outputs of all pairs of components."""
    parts = np.split(coral.transform(X), list(_ends(coral)), axis=1)
    with torch.no_grad():
        tensors = [torch.from_numpy(part) for part in parts]
        heads = [h.numpy() for h in coral.net_.criterion_.project(tensors)]
    return np.mean([mean_abs_cosine(a, b) for a, b in combinations(heads, 2)])


def _ends(coral):
    return [part.stop for part in coral.output_indices_.values()][:-1]


def components(coral, X):
    """The raw data, the whole embedding, and each component."""
    Z = coral.transform(X)
    parts = {name: Z[:, part] for name, part in coral.output_indices_.items()}
    return {"raw": np.hstack(list(X.values())), "all": Z, **parts}


def measure(n_modalities, biased, seed):
    """Rows (component, label, balanced accuracy) of one training."""
    sizes = {"n_modalities": n_modalities}
    seeds = np.random.SeedSequence([seed, biased]).generate_state(3).tolist()
    make = make_multimodal_interactions
    fitted = make(N_ROWS, biased=biased, random_state=seeds[0], **sizes).data
    probed, tested = (make(N_ROWS, random_state=s, **sizes) for s in seeds[1:])
    coral = COrALTransformer(random_state=seed).fit(fitted)
    train, test = components(coral, probed.data), components(coral, tested.data)
    labels = ["synergy"] if biased else list(probed.target)
    for label in labels:
        y_train, y_test = probed.target[label], tested.target[label]
        for name in train:
            yield name, label, probe(train[name], test[name], y_train, y_test)
    yield "heads", "mean |cos|", overlap_of_heads(coral, tested.data)


def run(out, n_modalities, seeds):
    """Write the cells that are not in the file yet."""
    done = {row[:3] for row in read_results(out)}
    for seed in seeds:
        for biased in (False, True):
            key = (n_modalities, int(biased), seed)
            if key in done:
                continue
            rows = [(*key, *row) for row in measure(n_modalities, biased, seed)]
            with out.open("a", newline="") as file:
                csv.writer(file).writerows(rows)


def read_results(out):
    """Rows (modalities, biased, seed, component, label, score)."""
    if not out.exists():
        return []
    with out.open(newline="") as file:
        return [(*map(int, r[:3]), r[3], r[4], float(r[5])) for r in csv.reader(file)]


def print_table(results, n_modalities):
    """Leakage matrix as Markdown: mean and deviation over seeds."""
    for biased in (0, 1):
        chosen = [r for r in results if r[:2] == (n_modalities, biased)]
        labels = list(dict.fromkeys(r[4] for r in chosen))
        print(
            f"\n{n_modalities} modalities, trained on {'un' * (not biased)}biased rows"
        )
        print("| component |" + "".join(f" {label} |" for label in labels))
        print("|---|" + "---|" * len(labels))
        for name in dict.fromkeys(r[3] for r in chosen):
            cells = [[r[5] for r in chosen if r[3:5] == (name, la)] for la in labels]
            texts = [f"{np.mean(c):.3f} ± {np.std(c):.3f}" if c else "" for c in cells]
            print(f"| {name} |" + "".join(f" {text} |" for text in texts))


# %%
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("interactions.csv"))
    parser.add_argument("--modalities", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    arguments = parser.parse_args()
    run(arguments.out, arguments.modalities, arguments.seeds)
    print_table(read_results(arguments.out), arguments.modalities)
