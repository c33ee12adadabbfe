"""Parameters of methods: each with its default, constraint and description.

A class decorated with :func:`estimator` lists its parameters as annotated attributes.
They become its keyword-only constructor (by :func:`dataclasses.dataclass`), its
constraints and the section "Parameters" of its docstring.
"""

import inspect
import json
from dataclasses import dataclass, field, fields, replace
from os import PathLike
from textwrap import indent
from typing import Any, TypeVar, dataclass_transform

from skcoral._constraints import (
    AT_LEAST_TWO,
    NON_NEGATIVE_FLOAT,
    OPEN_FRACTION,
    POSITIVE_FLOAT,
    POSITIVE_INT,
    PROPER_FRACTION,
)
from skcoral._docstrings import fill
from skcoral._sklearn_compat import StrOptions
from skcoral.modalities import KINDS

T = TypeVar("T", bound=type)


@dataclass(frozen=True)
class Parameter:
    """A parameter of an estimator.

    Parameters
    ----------
    default : object
        Its default.

    constraint : list
        Valid values, as in scikit-learn's parameter constraints.

    text : str
        Its type on the first line, then its description.

    kw_only : bool
        Whether it is keyword-only.
    """

    default: Any
    constraint: list
    text: str
    kw_only: bool

    def describe(self, name: str) -> str:
        """Return the entry in the section "Parameters" of a numpydoc docstring."""
        kind, _, body = inspect.cleandoc(self.text).partition("\n")
        default = self.default
        default = json.dumps(default) if isinstance(default, str) else repr(default)
        return f"{name} : {kind}, default={default}\n{indent(body, ' ' * 4)}"


def parameter(
    *, default: Any, constraint: list, text: str, kw_only: bool = True
) -> Any:
    """Return a parameter, the value of an annotated attribute of an estimator."""
    return Parameter(default, constraint, text, kw_only)


@dataclass_transform(
    eq_default=False, kw_only_default=True, field_specifiers=(parameter,)
)
def estimator(cls: T) -> T:
    """Make a class's constructor, constraints and docstring from its parameters."""
    text = cls.__doc__  # none under python -OO, where dataclass would put the signature
    for name in inspect.get_annotations(cls):
        own = vars(cls).get(name)
        if not isinstance(own, Parameter):
            raise TypeError(f"{cls.__name__}.{name} must be made by `parameter`.")
        options: dict[str, Any] = {
            "kw_only": own.kw_only,
            "metadata": {"parameter": own},
        }
        setattr(cls, name, field(default=own.default, **options))
    made: Any = dataclass(eq=False, repr=False)(cls)
    parameters = {f.name: f.metadata["parameter"] for f in fields(made)}
    described = (own.describe(name) for name, own in parameters.items())
    made.__doc__ = fill(text, {"%(parameters)s": "\n\n".join(described)})
    made._parameter_constraints = {n: own.constraint for n, own in parameters.items()}
    return made


# Of all methods, in the order of the constructor.

MODALITIES = parameter(
    default="auto",
    constraint=[StrOptions({"auto"}), list, tuple],
    kw_only=False,
    text=f"""
        "auto" or list of (name, spec, columns)
        The modalities, in the order of the output. A spec is an instance such as
        :class:`TextModality` or the name of its kind:
        {", ".join(json.dumps(word) for word in KINDS)}.
        Columns are names, positions, a slice, a mask or a callable such as
        :func:`sklearn.compose.make_column_selector`; for a `SliceDict`, its key. A
        column may belong to several modalities; a column that belongs to none is
        ignored. "auto" makes one text modality from each free-text column (at least
        three words on average and many distinct values), one sequence or image modality
        from each column of arrays, images or image files, and one tabular modality,
        "table", from the other columns. From a `SliceDict` it makes one modality per
        key, chosen by the shape of the block.""",
)
EMBED_DIM = parameter(
    default=64,
    constraint=POSITIVE_INT,
    text="""
        int
        Width of the tokens and of the shared component; a multiple of `n_heads`.""",
)
MAX_EPOCHS = parameter(
    default="auto",
    constraint=[StrOptions({"auto"}), *POSITIVE_INT],
    text="""
        int or "auto"
        Number of passes over the rows. "auto" makes about 600 updates, in 10 to 200
        passes: ``clip(ceil(600 / ceil(n_samples / batch_size)), 10, 200)``.""",
)
BATCH_SIZE = parameter(
    default=256,
    constraint=AT_LEAST_TWO,
    text="""
        int
        Number of rows per update. A last batch of one row is merged with the one
        before.""",
)
LR = parameter(
    default=1e-3,
    constraint=POSITIVE_FLOAT,
    text="""
        float
        Learning rate of AdamW.""",
)
WEIGHT_DECAY = parameter(
    default=1e-3,
    constraint=NON_NEGATIVE_FLOAT,
    text="""
        float
        Weight decay of AdamW, applied to weight matrices but not to biases, norms and
        queries.""",
)
EARLY_STOPPING = parameter(
    default=False,
    constraint=["boolean"],
    text="""
        bool
        Hold out some rows, stop when their loss no longer improves, and restore the
        best epoch.""",
)
VALIDATION_FRACTION = parameter(
    default=0.1,
    constraint=OPEN_FRACTION,
    text="""
        float
        Fraction of the rows that `early_stopping` holds out.""",
)
N_ITER_NO_CHANGE = parameter(
    default=10,
    constraint=POSITIVE_INT,
    text="""
        int
        Number of epochs without improvement after which `early_stopping` stops.""",
)
WARM_START = parameter(
    default=False,
    constraint=["boolean"],
    text="""
        bool
        Continue training in the next `fit`, keeping the modalities, scales and
        vocabularies learnt before.""",
)
OUTPUT = parameter(
    default="all",
    constraint=[StrOptions({"all", "shared", "unique"})],
    text="""
        {"all", "shared", "unique"}
        Which of the method's components `transform` returns. Can be changed after
        `fit`.""",
)
MISSING = parameter(
    default="learned",
    constraint=[StrOptions({"learned", "zero", "nan"})],
    text="""
        {"learned", "zero", "nan"}
        What fills the unique component of a modality that a row lacks: a linear
        prediction from the row's other modalities, learnt on the training rows that
        have both; zeros; or NaN. Can be changed after `fit`.""",
)
EMPTY_ROWS = parameter(
    default="error",
    constraint=[StrOptions({"error", "nan"})],
    text="""
        {"error", "nan"}
        How to treat rows that lack every modality: raise an error, or return NaN in
        `transform` and leave them out of training and `score`.""",
)
DEVICE = parameter(
    default="auto",
    constraint=[str],
    text="""
        str
        A torch device. "auto" takes CUDA if available, else MPS, else the CPU.""",
)
PRECISION = parameter(
    default="auto",
    constraint=[StrOptions({"auto", "float32", "bfloat16"})],
    text="""
        {"auto", "float32", "bfloat16"}
        Number format of matrix products in training; weights, losses and features are
        always float32. "auto" takes bfloat16 where the device multiplies it natively
        (AVX-512 BF16, AMX, recent CUDA) and `embed_dim` is at least 64, else float32.
        """,
)
COMPILE = parameter(
    default=False,
    constraint=["boolean"],
    text="""
        bool
        Compile network and objective with :func:`torch.compile` where a compiler is
        found, and warn where there is none. It takes half a minute before the first
        update, and a fifth off each update: for long trainings.""",
)
CALLBACKS = parameter(
    default=None,
    constraint=[list, None],
    text="""
        list of skorch callbacks or None
        Additional callbacks for the training.""",
)
CHECKPOINT = parameter(
    default=None,
    constraint=[str, PathLike, None],
    text="""
        path-like or None
        A folder for the state of the training after every epoch. After an interruption,
        by a kill or a power failure too, the same `fit` with the same rows goes on from
        there, in a new process as well, and its result is that of the uninterrupted
        one, bit for bit. A folder with a training of other parameters or rows is
        refused. Files are removed by nobody but you.""",
)
VERBOSE = parameter(
    default=0,
    constraint=["verbose"],
    text="""
        int
        1 shows a progress bar over the epochs; 2 also prints the losses of each
        epoch.""",
)
RANDOM_STATE = parameter(
    default=None,
    constraint=["random_state"],
    text="""
        int, RandomState instance or None
        Seed of weights, batches, views and masks. The same seed gives the same features
        on one machine with the same number of threads, which affects how sums are
        rounded. Global random generators are neither used nor touched: fits in threads
        and processes equal fits one by one.""",
)

# Those that the trainer reads.
OF_TRAINING = (
    "max_epochs",
    "early_stopping",
    "validation_fraction",
    "n_iter_no_change",
    "batch_size",
    "lr",
    "weight_decay",
    "device",
    "precision",
    "compile",
    "checkpoint",
    "callbacks",
    "verbose",
)

# Of several methods, not all.

UNIQUE_DIM = parameter(
    default=None,
    constraint=[*POSITIVE_INT, None],
    text="""
        int or None
        Width of the embedding of each modality; None takes half of `embed_dim`.""",
)
SPECIFIC_DIM = replace(
    UNIQUE_DIM,
    text="""
        int or None
        Width of the specific embedding of each modality; None takes half of
        `embed_dim`.""",
)
N_LAYERS = parameter(
    default=1,
    constraint=POSITIVE_INT,
    text="""
        int
        Number of fusion layers.""",
)
N_HEADS = parameter(
    default=4,
    constraint=POSITIVE_INT,
    text="""
        int
        Number of attention heads.""",
)
DROPOUT = parameter(
    default=0.0,
    constraint=PROPER_FRACTION,
    text="""
        float
        Dropout in the fusion layers.""",
)
HEAD_HIDDEN_DIM = parameter(
    default=256,
    constraint=POSITIVE_INT,
    text="""
        int
        Hidden width of the projection heads.""",
)
HEAD_DIM = parameter(
    default=128,
    constraint=POSITIVE_INT,
    text="""
        int
        Output width of the projection heads.""",
)
TEMPERATURE = parameter(
    default=0.1,
    constraint=POSITIVE_FLOAT,
    text="""
        float
        Temperature of the contrastive losses.""",
)
CONCENTRATION = parameter(
    default=1000.0,
    constraint=POSITIVE_FLOAT,
    text="""
        float
        Concentration of the von Mises-Fisher distribution.""",
)
CRITIC_HIDDEN_DIM = parameter(
    default=64,
    constraint=POSITIVE_INT,
    text="""
        int
        Width of both hidden layers of the critics. Their cost grows with the square of
        `batch_size`.""",
)
TOKEN_DIM = replace(
    EMBED_DIM,
    text="""
        int
        Width of the tokens.""",
)
OUTPUT_SHARED = replace(
    OUTPUT,
    constraint=[StrOptions({"all", "shared"})],
    text=OUTPUT.text.replace('{"all", "shared", "unique"}', '{"all", "shared"}'),
)
OUTPUT_UNIQUE = replace(
    OUTPUT,
    constraint=[StrOptions({"all", "unique"})],
    text=OUTPUT.text.replace('{"all", "shared", "unique"}', '{"all", "unique"}'),
)
