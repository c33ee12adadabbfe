"""
==============================================
Search over the parameters of a modality
==============================================

The specs of modalities are small estimators inside the big one, so that their
parameters are searched like all others, as ``<step>__<modality>__<parameter>``. With
``Pipeline(memory=...)`` the candidates that differ only in the classifier share one
training of the representation.
"""

# %%
import tempfile

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skcoral import (
    ComponentScaler,
    COrALTransformer,
    TabularModality,
    TextModality,
)
from skcoral.datasets import load_movies

movies = load_movies(target="genre")
X, y = movies.data[:1000], movies.target[:1000]
(film, _, table), (credits, _, text) = movies.modalities

# %%
# Instances instead of words, so that there are parameters to search.
coral = COrALTransformer(
    [(film, TabularModality(), table), (credits, TextModality(), text)],
    max_epochs=6,
    random_state=0,
)
with tempfile.TemporaryDirectory() as memory:
    model = Pipeline(
        [
            ("coral", coral),
            ("scale", ComponentScaler()),
            ("classify", LogisticRegression(max_iter=2000)),
        ],
        memory=memory,
    ).set_output(transform="pandas")
    grid = GridSearchCV(
        model,
        {
            "coral__credits__n_tokens": [8, 16],
            "coral__film__corruption_rate": [0.3, 0.5],
            "classify__C": [0.01, 0.1, 1.0],
        },
        scoring="balanced_accuracy",
        cv=2,
    ).fit(X, y)
print(grid.best_params_)

# %%
# Twelve candidates, but only four representations per fold were trained.
results = pd.DataFrame(grid.cv_results_)
rows = [
    f"{tokens} tokens, corruption {rate}"
    for tokens, rate in zip(
        results["param_coral__credits__n_tokens"],
        results["param_coral__film__corruption_rate"],
        strict=True,
    )
]
table = results.assign(representation=rows).pivot(
    index="representation", columns="param_classify__C", values="mean_test_score"
)
fig, ax = plt.subplots(figsize=(6, 3), layout="constrained")
image = ax.imshow(table, aspect="auto")
ax.set_xticks(range(table.shape[1]), table.columns)
ax.set_yticks(range(table.shape[0]), table.index)
ax.set(xlabel="C of the classifier", title="balanced accuracy, cross-validated")
fig.colorbar(image)
fig.savefig("grid_search_modality.png", dpi=150)
