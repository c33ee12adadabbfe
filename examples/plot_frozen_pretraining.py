"""
==============================================
Train once, then search over classifiers
==============================================

A representation that was learnt from all unlabelled rows need not be learnt again in
each fold of a search: `FrozenEstimator` keeps it as it is.
"""

# %%
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from skcoral import ComponentScaler, COrALTransformer
from skcoral.datasets import load_movies

movies = load_movies(target="genre")
unlabelled, labelled, _, y = train_test_split(
    movies.data, movies.target, train_size=2000, test_size=1000, random_state=0
)

# %%
# No label of any row is used here, and no labelled row.
coral = COrALTransformer(movies.modalities, max_epochs=12, random_state=0)
coral.fit(unlabelled)

# %%
# Each candidate only embeds the rows and fits its classifier.
model = Pipeline(
    [
        ("coral", FrozenEstimator(coral)),
        ("scale", ComponentScaler()),
        ("classify", "passthrough"),
    ]
)
model.set_output(transform="pandas")  # names of columns tell the components
candidates = [
    LogisticRegression(max_iter=2000),
    KNeighborsClassifier(15, metric="cosine"),
    RandomForestClassifier(200, random_state=0),
]
grid = GridSearchCV(model, {"classify": candidates}, scoring="balanced_accuracy", cv=3)
grid.fit(labelled, y)

# %%
results = pd.DataFrame(grid.cv_results_)
names = [type(candidate).__name__ for candidate in candidates]
fig, ax = plt.subplots(figsize=(5, 2.5), layout="constrained")
ax.barh(names, results["mean_test_score"], xerr=results["std_test_score"], capsize=3)
ax.axvline(1 / y.nunique(), color="0.4", linestyle=":")
ax.set(xlabel="balanced accuracy (dotted: chance)", title="genre, cross-validated")
fig.savefig("frozen_pretraining.png", dpi=150)
