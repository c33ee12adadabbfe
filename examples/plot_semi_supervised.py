"""
========================================
Few labels: fine-tune, or learn and probe
========================================

There are two ways to use a handful of labels. `COrALTransformer` learns features from
all rows without any label, and a classifier reads them. `COrALClassifier` trains the
same network and a classifier on top of it at once: all rows are contrasted, and those
with a label add a supervised loss. Here both tell the genre of films from 5 and 20
labels per genre, beside the raw features. Run as a script, this writes the figure
``semi_supervised.png``.
"""

# %%
# The data
# --------
# 1,500 films to learn from, as many to test on.
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcoral import COrALClassifier, COrALTransformer
from skcoral.datasets import load_movies
from skcoral.evaluation import draw_labels

movies = load_movies(target="genre")
X, X_test, y, y_test = train_test_split(
    movies.data, movies.target, train_size=1500, test_size=1500, random_state=0
)
y, y_test = y.to_numpy(dtype=object), y_test.to_numpy(dtype=object)
X.head()

# %%
# Features that need no label
# ---------------------------
# Learnt once, whatever labels come later.
sizes = {"modalities": movies.modalities, "embed_dim": 32, "max_epochs": 8}
coral = make_pipeline(COrALTransformer(**sizes, random_state=0), StandardScaler())
coral_features = coral.fit_transform(X), coral.transform(X_test)
raw = make_pipeline(
    make_column_transformer(
        (SimpleImputer(add_indicator=True), X.select_dtypes("number").columns),
        (OneHotEncoder(handle_unknown="ignore"), ["mpaa", "language", "country"]),
        (make_pipeline(TfidfVectorizer(), TruncatedSVD(64, random_state=0)), "text"),
        sparse_threshold=0,
    ),
    StandardScaler(),
)
raw_features = raw.fit_transform(X), raw.transform(X_test)


# %%
# All rows, a few of them with a label
# ------------------------------------
# None says that a film has no label. Numbers would have -1, as in
# `sklearn.semi_supervised`.
def hide(n_labels, draw):
    """Return the labels of `n_labels` films per genre, and None for all others."""
    rows = draw_labels(y, n_labels, draw)
    known = np.full(len(y), None)
    known[rows] = y[rows]
    return known


def probe(features, known):
    """Predict the test genres from training and test features."""
    train, test = features
    rows = [label is not None for label in known]
    classifier = LogisticRegression(max_iter=2000).fit(train[rows], known[rows])
    return classifier.predict(test)


def fine_tune(known):
    """Predict the test genres by a network that saw rows and labels at once."""
    model = COrALClassifier(**sizes, class_weight="balanced", random_state=0)
    return model.fit(X, known).predict(X_test)


# %%
# Scores
# ------
# The mean over two draws of labels, which all three share.
labels_per_genre = [5, 20]
methods = {
    "raw + logistic regression": partial(probe, raw_features),
    "COrALTransformer + logistic regression": partial(probe, coral_features),
    "COrALClassifier": fine_tune,
}
scores = {
    name: np.array(
        [
            [balanced_accuracy_score(y_test, predict(hide(n, draw))) for draw in (0, 1)]
            for n in labels_per_genre
        ]
    )
    for name, predict in methods.items()
}
for name, values in scores.items():
    print(f"{name:40s}", values.mean(axis=1).round(3))

# %%
fig, ax = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
for name, values in scores.items():
    (line,) = ax.plot(labels_per_genre, values.mean(axis=1), label=name)
    for draw in values.T:
        ax.plot(labels_per_genre, draw, "o", color=line.get_color(), alpha=0.5)
ax.axhline(1 / len(np.unique(y)), color="0.6", linestyle=":", label="chance")
ax.set_xticks(labels_per_genre, labels_per_genre)
ax.set(xlabel="labels per genre", ylabel="balanced accuracy", title="genre of films")
ax.legend(loc="lower right", bbox_to_anchor=(1, 0.07))  # above the dotted line
fig.savefig("semi_supervised.png", dpi=150)
