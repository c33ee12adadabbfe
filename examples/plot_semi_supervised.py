"""
==============================================
Few labels: a probe, weights, or one estimator
==============================================

Three ways to use a handful of labels on the same network. `COrALTransformer` learns
features from all rows without any label, and a logistic regression reads them;
`ComponentScaler` in between tells it which components matter; and `COrALClassifier`
does all in one step, with the plain features of the modalities beside the learnt ones.
Here they tell the genre of films from 5 and 20 labels per genre, beside the raw
features. Run as a script, this writes the figure ``semi_supervised.png``.
"""

# %%
# The data
# --------
# 1,500 films to learn from, as many to test on.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skcoral import ComponentScaler, COrALClassifier, COrALTransformer
from skcoral.datasets import load_movies
from skcoral.evaluation import draw_labels

movies = load_movies(target="genre")
X, X_test, y, y_test = train_test_split(
    movies.data, movies.target, train_size=1500, test_size=1500, random_state=0
)
y, y_test = y.to_numpy(), y_test.to_numpy()
X.head()

# %%
# Features that need no label
# ---------------------------
# Learnt once, whatever labels come later.
coral = COrALTransformer(movies.modalities, max_epochs=15, random_state=0)
coral.set_output(transform="pandas").fit(X)
raw = make_column_transformer(
    (SimpleImputer(add_indicator=True), X.select_dtypes("number").columns),
    (OneHotEncoder(handle_unknown="ignore"), ["mpaa", "language", "country"]),
    (make_pipeline(TfidfVectorizer(), TruncatedSVD(64, random_state=0)), "text"),
    sparse_threshold=0,
).fit(X)

# %%
# Four models
# -----------
# All but the first share the network; `init` hands it to the classifier, which reads
# the labels in a second.
logistic = LogisticRegression(max_iter=2000)
models = {
    "raw features": make_pipeline(FrozenEstimator(raw), StandardScaler(), logistic),
    "COrAL": make_pipeline(FrozenEstimator(coral), StandardScaler(), logistic),
    "COrAL, weighed": make_pipeline(
        FrozenEstimator(coral), ComponentScaler(), logistic
    ),
    "COrALClassifier": COrALClassifier(init=coral),
}
labels_per_genre, draws = [5, 20], range(3)


def score(model, n_labels, draw):
    """Balanced accuracy on the test films, from `n_labels` labels of each genre."""
    rows = draw_labels(y, n_labels, draw)
    predicted = model.fit(X.iloc[rows], y[rows]).predict(X_test)
    return balanced_accuracy_score(y_test, predicted)


scores = {
    name: np.array([[score(model, n, d) for d in draws] for n in labels_per_genre])
    for name, model in models.items()
}
for name, values in scores.items():
    print(f"{name:16s}", values.mean(axis=1).round(3))

# %%
# What matters
# ------------
# The weights tell which parts the labels depend on.
rows = draw_labels(y, 20, draw=0)
weights = COrALClassifier(init=coral).fit(X.iloc[rows], y[rows]).weights_
fig, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for name, values in scores.items():
    (line,) = axes[0].plot(labels_per_genre, values.mean(axis=1), label=name)
    for draw in values.T:
        axes[0].plot(labels_per_genre, draw, "o", color=line.get_color(), alpha=0.5)
axes[0].axhline(1 / len(np.unique(y)), color="0.6", linestyle=":", label="chance")
axes[0].set_xticks(labels_per_genre, labels_per_genre)
axes[0].set(xlabel="labels per genre", ylabel="balanced accuracy")
axes[0].set_title("genre of films")
axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 0.08), fontsize=8)
axes[1].barh(list(weights), list(weights.values()))
axes[1].invert_yaxis()
axes[1].set(xlabel="weight", title="what 20 labels per genre depend on")
fig.savefig("semi_supervised.png", dpi=150)
