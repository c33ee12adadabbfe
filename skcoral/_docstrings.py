"""What the docstrings of all estimators have in common, written once."""

import inspect

ATTRIBUTES = """\
modalities_ : list of (name, fitted spec, columns)
    The modalities in use, those of "auto" included.

net_ : ContrastiveNet
    The trained skorch net: `module_` is the network, `criterion_` the objective,
    `history` has the losses of every batch.

output_indices_ : dict of str to slice
    Columns of each component in the output.

history_ : dict of str to list of float
    Loss and each of its terms per epoch: "train_loss", "train_<term>", and
    "valid_..." with `early_stopping`.

n_iter_ : int
    Number of finished epochs.

loss_curve_ : list of float
    Training loss per epoch.

validation_loss_curve_ : list of float or None
    Held-out loss per epoch.

device_ : str
    Device of the network.

n_features_in_ : int
    Number of columns seen in `fit`, or of keys of a `SliceDict`.

feature_names_in_ : ndarray of shape (n_features_in_,), object
    Names of the columns or keys, where X has names."""

SEE_ALSO = """\
TabularModality : Numbers, categories, booleans and dates.
TextModality : Raw strings.
SequenceModality : Series of equal or different length.
ImageModality : Arrays, PIL images or files.
EmbeddingModality : Dense vectors from anywhere."""

SUPERVISED_NOTES = """\
The terms of the loss are those of :class:`COrALTransformer` and "supervised".

A batch of rows with a label comes with every batch of rows: all of them if there are
`batch_size` at most, else the next ones of a new order per epoch. So each update sees
labels, however few they are, and the contrast is that of the transformer. The head
standardises the features, starts from what the targets alone tell, and sees all
modalities of a row, as it does in prediction.

`transform` returns the features of the trained network, on which the head is linear.
`score` leaves out rows without a label. A scorer by name does not: in a search with
``scoring="balanced_accuracy"``, say, rows without a label must stay out of the test
folds."""

PARTS = {
    "%(attributes)s": ATTRIBUTES,
    "%(supervised_notes)s": SUPERVISED_NOTES,
    "%(see_also)s": SEE_ALSO,
}


def fill(text: str | None, parts: dict[str, str]) -> str | None:
    """Return a docstring with the common parts, and others, at their places.

    Parameters
    ----------
    text : str or None
        The docstring, with lines such as "%(attributes)s"; None under ``python -OO``.

    parts : dict of str to str
        Further parts by their place.

    Returns
    -------
    str or None
        The docstring without any place left open.
    """
    if text is None:
        return None
    text = inspect.cleandoc(text)
    for place, part in (PARTS | parts).items():
        text = text.replace(place, part)
    return text
