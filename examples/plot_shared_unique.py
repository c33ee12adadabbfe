"""
========================================
What is shared and what each side knows
========================================

Vectors with known interactions: a redundant label that both modalities tell, a unique
label that only one of them tells, and a synergistic one that only both together tell. A
linear probe on each component of COrAL shows where the information went.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

from skcoral import COrALTransformer
from skcoral.datasets import make_multimodal_interactions


def make(seed, biased=False):
    """3,000 rows of one and the same world."""
    return make_multimodal_interactions(3000, biased=biased, random_state=seed)


def probe(components, labels, test_components, test_labels):
    """Balanced accuracy of each component (rows) for each label (columns)."""
    table = np.empty((len(components), len(labels)))
    for i, name in enumerate(components):
        for j, label in enumerate(labels):
            classifier = LogisticRegression(max_iter=1000, class_weight="balanced")
            classifier.fit(components[name], labels[label])
            predicted = classifier.predict(test_components[name])
            table[i, j] = balanced_accuracy_score(test_labels[label], predicted)
    return table


def split(coral, X):
    """The raw data, the whole embedding and its named components."""
    Z = coral.transform(X)
    parts = {name: Z[:, part] for name, part in coral.output_indices_.items()}
    return {"raw data": np.hstack(list(X.values())), "all of COrAL": Z, **parts}


# %%
# In biased rows an attribute of one modality and an attribute of the other obey a
# hidden relation; whether an unbiased row obeys it is the synergistic label.
probed, tested = make(1), make(2)
coral = COrALTransformer(max_epochs=25, random_state=0).fit(make(0, biased=True).data)
train, test = split(coral, probed.data), split(coral, tested.data)
table = probe(train, probed.target, test, tested.target)

# %%
# The shared component knows the relation although no label was ever shown; neither the
# raw data nor a unique component tells it to a linear probe. Redundant information is
# in all components: orthogonality acts on the projection heads, not on the features.
fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
image = ax.imshow(table, vmin=0.5, vmax=1.0, cmap="viridis", aspect="auto")
ax.set_xticks(range(table.shape[1]), probed.target)
ax.set_yticks(range(table.shape[0]), train)
for (i, j), value in np.ndenumerate(table):
    color = "black" if value > 0.8 else "white"
    ax.text(j, i, f"{value:.2f}", ha="center", va="center", color=color)
ax.set_title("balanced accuracy of a linear probe")
fig.colorbar(image)
fig.savefig("shared_unique.png", dpi=150)
