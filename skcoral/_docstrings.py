"""What the docstrings of all estimators have in common, written once."""

import inspect

MODALITIES = """\
modalities : "auto" or list of (name, spec, columns), default="auto"
    The modalities, in the order of their features. A spec is an instance such as
    :class:`TextModality` or its kind in a word: "tabular", "text", "sequence",
    "image" or "embedding".
    Columns are names, positions, a slice, a mask or a callable such as
    :func:`sklearn.compose.make_column_selector`; for a `SliceDict`, its key. A
    column may belong to several modalities; a column that belongs to none is not
    used. "auto" makes one text modality of each free-text column (at least three
    words on average and many distinct values), one sequence or image modality of
    each column of arrays, images or image files, and one tabular modality, "table",
    of the other columns; of a `SliceDict`, one modality per key by its shape."""

TRAINING = """\
max_epochs : int or "auto", default="auto"
    Passes over the rows. "auto" makes 600 updates, but at least 10 and at most
    200 passes: ``clip(ceil(600 / ceil(n_samples / batch_size)), 10, 200)``.

batch_size : int, default=256
    Rows per update. A last batch of one row joins the one before it.

lr : float, default=1e-3
    Learning rate of AdamW.

weight_decay : float, default=1e-3
    Decay of weight matrices; biases, norms and queries are not decayed.

early_stopping : bool, default=False
    Hold rows out, stop when their loss no longer falls, restore the best epoch.

validation_fraction : float, default=0.1
    Share of rows held out by `early_stopping`.

n_iter_no_change : int, default=10
    Epochs without improvement before `early_stopping` stops.

warm_start : bool, default=False
    Continue the training in the next `fit`, with modalities, scales and
    vocabularies as learnt before.

output : {"all", "shared", "unique"}, default="all"
    Components that `transform` returns, among those that the method has. May be
    set after `fit`.

missing : {"learned", "zero", "nan"}, default="learned"
    What stands in the unique component of a modality that a row lacks: a linear
    prediction from the row's other modalities, learnt on the training rows that
    have both; zeros; or NaN. May be set after `fit`.

empty_rows : {"error", "nan"}, default="error"
    What becomes of rows that lack every modality: an error, or NaN in `transform`;
    training and `score` then leave them out.

device : str, default="auto"
    A torch device; "auto" is CUDA, else MPS, else the CPU.

precision : {"auto", "float32", "bfloat16"}, default="auto"
    Number format of the matrix products in training; weights, losses and features
    are float32 always. "auto" is bfloat16 where the device multiplies it natively
    (AVX-512 BF16, AMX, recent CUDA) and `embed_dim` is 64 or more, else float32.

compile : bool, default=False
    Compile network and objective with :func:`torch.compile`, where a compiler is
    found; with a warning, not otherwise. It takes half a minute before the first
    update, and a fifth off each update: for long trainings.

callbacks : list of skorch callbacks, default=None
    Further callbacks of the training.

verbose : int, default=0
    1 shows a progress bar over the epochs, 2 prints the losses of each epoch too.

random_state : int, RandomState instance or None, default=None
    Seed of weights, batches, views and masks. The same seed gives the same features
    on one machine with the same number of threads, which decides how sums round;
    global generators are not touched."""

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

FUSION = """\
n_layers : int, default=1
    Number of fusion blocks.

n_heads : int, default=4
    Number of attention heads.

dropout : float, default=0.0
    Dropout in the fusion blocks."""

UNIQUE_DIM = """\
unique_dim : int or None, default=None
    Width of the embedding of each modality; None takes half of `embed_dim`."""

HEADS = """\
head_hidden_dim : int, default=256
    Hidden width of the projection heads.

head_dim : int, default=128
    Output width of the projection heads."""

CORAL = f"""\
embed_dim : int, default=64
    Width of tokens and of the shared component; a multiple of `n_heads`.

{UNIQUE_DIM}

{FUSION}

{HEADS}

temperature : float, default=0.1
    Temperature of the contrast.

mask_ratio : float or sequence of float, default=1.0
    Probability that a token of a modality that a view masks is hidden. At 1 the two
    views share no modality in the shared path, and it can only tell rows by what
    one modality says of another. A sequence is a schedule of stages of equal length
    over the epochs: ``(0.05, 0.35, 0.55, 0.75)`` is the published curriculum, 0.75
    the later published constant, which finds what two of three modalities tell
    together more surely.

mask_mode : {{"zero", "token", "drop"}}, default="zero"
    A hidden token is multiplied by zero (as published), replaced by a learned
    vector, or left out of the attention.

shared_weight : float, default=1.0
    Weight of the shared contrast.

unique_weight : float, default=1.0
    Weight of each unique contrast.

ortho_weight : float, default=1.0
    Weight of the orthogonality penalty.

orthogonality : {{"squared", "hinge"}}, default="squared"
    Penalise the square of each cosine, or its positive part.

ortho_reduction : {{"sum", "mean"}}, default="sum"
    Sum over pairs of components, or their mean times three, which is the same for
    two modalities and keeps its scale for more.

modality_dropout : float, default=0.0
    Probability that a modality of a row is hidden from the shared path of a view in
    training, so that the shared component gets used to missing modalities."""

SUPERVISED_WEIGHT = """\
supervised_weight : float, default=1.0
    Weight of the loss on rows with a label. All other terms are those of
    :class:`COrALTransformer`, on all rows, whether they have a label or not."""

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
    "%(coral)s": CORAL,
    "%(fusion)s": FUSION,
    "%(unique_dim)s": UNIQUE_DIM,
    "%(heads)s": HEADS,
    "%(modalities)s": MODALITIES,
    "%(training)s": TRAINING,
    "%(attributes)s": ATTRIBUTES,
    "%(supervised_weight)s": SUPERVISED_WEIGHT,
    "%(supervised_notes)s": SUPERVISED_NOTES,
    "%(see_also)s": SEE_ALSO,
}


def document(cls):
    """Put the common parts at their places in the docstring of an estimator.

    Parameters
    ----------
    cls : type
        The estimator; its docstring has lines such as "%(training)s".

    Returns
    -------
    type
        The same class.
    """
    if cls.__doc__ is None:  # python -OO
        return cls
    text = inspect.cleandoc(cls.__doc__)
    for place, part in PARTS.items():
        text = text.replace(place, part)
    cls.__doc__ = text
    return cls
