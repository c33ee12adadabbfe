"""Docstring parts that all estimators share, written once."""

import inspect

ATTRIBUTES = """\
modalities_ : list of (name, fitted spec, columns)
    The modalities in use, including those chosen by "auto".

net_ : ContrastiveNet
    The trained skorch net: `module_` is the network, `criterion_` the objective,
    `history` has the losses of every batch.

output_indices_ : dict of str to slice
    Columns of each component in the output.

history_ : dict of str to list of float
    Loss and its terms per epoch: "train_loss", "train_<term>", and "valid_..."
    with `early_stopping`.

n_iter_ : int
    Number of finished epochs.

loss_curve_ : list of float
    Training loss per epoch.

validation_loss_curve_ : list of float or None
    Loss on the held-out rows per epoch; None without `early_stopping`.

device_ : str
    Device of the network.

n_features_in_ : int
    Number of columns, or of keys of a `SliceDict`, seen in `fit`.

feature_names_in_ : ndarray of shape (n_features_in_,), object
    Names of the columns or keys, if X has names."""

SEE_ALSO = """\
TabularModality : Numbers, categories, booleans and dates.
TextModality : Raw strings.
SequenceModality : Series of equal or different lengths.
ImageModality : Arrays, PIL images or files.
EmbeddingModality : Dense vectors from anywhere."""

SUPERVISED_NOTES = """\
The plain features go past the network, so that nothing is lost that a table or a strong
encoder knew: numbers and indicators of a table, the words of texts by weight and the
mean of static vectors, statistics of series, mean colors of images, vectors as they
are, each reduced to 128 columns at most.

The ridge regression is :class:`ComponentRidgeClassifier` or :class:`ComponentRidge`. It
holds out single labels in closed form, the forest those that a tree has not drawn. Both
are thus judged by every label, but fitted once, and their powers are the most likely
ones, drawn towards 0.8 and 0.2 while labels are few. The labels do not enter the
training of the network: trained jointly, few of them were learnt by heart.

`transform` returns the features of the network. `score` ignores rows without a label,
but a scorer chosen by name does not: in a search with ``scoring="balanced_accuracy"``,
for example, keep rows without a label out of the test folds."""

PARTS = {
    "%(attributes)s": ATTRIBUTES,
    "%(supervised_notes)s": SUPERVISED_NOTES,
    "%(see_also)s": SEE_ALSO,
}


def fill(text: str | None, parts: dict[str, str]) -> str | None:
    """Return a docstring with its placeholders replaced by the shared and given parts.

    Parameters
    ----------
    text : str or None
        The docstring, with placeholders such as "%(attributes)s"; None under ``python
        -OO``.

    parts : dict of str to str
        Further parts by placeholder.

    Returns
    -------
    str or None
        The docstring with no placeholder left.
    """
    if text is None:
        return None
    text = inspect.cleandoc(text)
    for place, part in (PARTS | parts).items():
        text = text.replace(place, part)
    return text
