"""
======================================
Films: few labels on a table with text
======================================

Most rows of a table have no label. COrAL learns from all of them and hands named
features to an ordinary classifier. Here it embeds films, whose columns are numbers and
categories beside free text, and we ask how well their genre is told from 5, 20 and 100
labels per class, from the raw features and from COrAL's, with components weighed by the
labels or not. Run as a script, this writes
the figure ``movies_pipeline.png``.
"""

# %%
# The data
# --------
# 3,000 films to learn from, 2,000 to test on.
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcoral import ComponentScaler, COrALTransformer
from skcoral.datasets import load_movies

movies = load_movies(target="genre")
X_train, X_test, y_train, y_test = train_test_split(
    movies.data, movies.target, train_size=3000, test_size=2000, random_state=0
)
X_train.head()

# %%
# Learn without labels
# --------------------
# `modalities` is the grammar of `ColumnTransformer`: name, kind, columns. The bundled
# data set comes with it.
# The scaler behind it puts all features on one scale, which the classifier needs.
coral = make_pipeline(
    COrALTransformer(movies.modalities, max_epochs=20, random_state=0),
    StandardScaler(),
)
coral.set_output(transform="pandas")
coral.fit(X_train)
coral.transform(X_test).iloc[:3, [0, 1, 64, 65, 96, 97]]

# %%
# The raw features, for comparison: the same columns, imputed, encoded, standardised.
numeric = X_train.select_dtypes("number").columns
categorical = ["mpaa", "language", "country"]
raw = make_pipeline(
    make_column_transformer(
        (SimpleImputer(add_indicator=True), numeric),
        (OneHotEncoder(max_categories=100, handle_unknown="ignore"), categorical),
        (make_pipeline(TfidfVectorizer(), TruncatedSVD(128, random_state=0)), "text"),
        sparse_threshold=0,
    ),
    StandardScaler(),
).fit(X_train)

# %%
# Few labels
# ----------
# The same classifier on the same labels; mean over five draws of labels. A few labels
# cannot choose among 128 columns, but tell which components matter: the third curve.
features = {
    "raw": (pd.DataFrame(raw.transform(X_train)), pd.DataFrame(raw.transform(X_test))),
    "COrAL": (coral.transform(X_train), coral.transform(X_test)),
}
features["COrAL, weighed"] = features["COrAL"]
labels_per_class = [5, 20, 100]


def score(name, n_labels, draw):
    """Balanced accuracy from `n_labels` labels of each genre."""
    rng = np.random.default_rng(draw)
    groups = [np.flatnonzero(y_train == genre) for genre in np.unique(y_train)]
    rows = np.concatenate([rng.permutation(group)[:n_labels] for group in groups])
    scaler = ComponentScaler() if name == "COrAL, weighed" else StandardScaler()
    probe = make_pipeline(scaler, LogisticRegression(max_iter=2000))
    train, test = features[name]
    probe.fit(train.iloc[rows], y_train.iloc[rows])
    return balanced_accuracy_score(y_test, probe.predict(test))


scores = {
    name: np.array(
        [[score(name, n, draw) for draw in range(5)] for n in labels_per_class]
    )
    for name in features
}
for name, values in scores.items():
    print(f"{name:15s}", values.mean(axis=1).round(3))

# %%
fig, ax = plt.subplots(figsize=(5, 3.5), layout="constrained")
for name, values in scores.items():
    ax.errorbar(
        labels_per_class,
        values.mean(axis=1),
        yerr=values.std(axis=1),
        marker="o",
        capsize=3,
        label=name,
    )
ax.axhline(1 / y_train.nunique(), color="0.6", linestyle=":", label="chance")
ax.set_xscale("log")
ax.set_xticks(labels_per_class, labels_per_class)
ax.minorticks_off()
ax.set(xlabel="labels per class", ylabel="balanced accuracy", title="genre of films")
ax.legend()
fig.savefig("movies_pipeline.png", dpi=150)

# %%
# Search through the pipeline
# ---------------------------
# COrAL is an ordinary step: its parameters are searched with those of the classifier.
# A few epochs keep the search short here.
model = make_pipeline(
    COrALTransformer(movies.modalities, max_epochs=4, random_state=0),
    ComponentScaler(),
    LogisticRegression(max_iter=2000),
).set_output(transform="pandas")
grid = GridSearchCV(
    model,
    {
        "coraltransformer__mask_ratio": [0.75, 1.0],
        "logisticregression__C": [0.1, 1.0],
    },
    scoring="balanced_accuracy",
    cv=2,
)
grid.fit(X_train[:800], y_train[:800])
print(grid.best_params_, round(grid.score(X_test, y_test), 3))
