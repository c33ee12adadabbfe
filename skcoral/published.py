"""Settings of published experiments, as parameters of estimators."""

from collections.abc import Collection
from typing import Any, Literal

from skcoral.modalities import KINDS

SERIES = {
    "encoder": "transformer",
    "n_layers": 5,
    "n_heads": 5,
    "dim_feedforward": 2048,
    "activation": "relu",
    "dropout": 0.1,
    "positional_encoding": False,
    "augmentation": ("drop", "noise"),
}
VISION, AUDIO, TEXT = (
    (name, "sequence", SERIES) for name in ("vision", "audio", "text")
)
TABLE = ("tabular", "tabular", {"augmentation": "noise"})
STAYS = ("timeseries", "sequence", {"encoder": "gru"})
CAMERA = ("image", "image", {"encoder": "conv"})
FORCE = ("force", "sequence", {"encoder": "gru"})
PROPRIO = ("proprio", "tabular", {"augmentation": "noise"})
PICTURES = [(name, "image", {"encoder": "alexnet"}) for name in ("image1", "image2")]

# By data set: modalities as (name, kind, parameters), and the width of tokens.
DATASETS: dict[str, tuple[list[tuple[str, str, dict[str, Any]]], int]] = {
    "mosi": ([VISION, TEXT], 40),
    "mosei": ([VISION, TEXT], 40),
    "humor": ([VISION, TEXT], 40),
    "sarcasm": ([VISION, TEXT], 40),
    "mimic": ([TABLE, STAYS], 512),
    "trifeatures": (PICTURES, 512),
    "vision_touch_contact": ([CAMERA, PROPRIO], 512),
    "vision_touch_position": ([CAMERA, FORCE], 128),
    "humor_trimodal": ([VISION, AUDIO, TEXT], 40),
    "vision_touch_trimodal": ([CAMERA, FORCE, PROPRIO], 512),
}
BIMODAL = ("mosi", "mosei", "humor", "sarcasm", "mimic", "trifeatures")

ENGINE = {
    "n_layers": 1,
    "n_heads": 8,
    "head_hidden_dim": 512,
    "head_dim": 256,
    "temperature": 0.1,
    "max_epochs": 100,
    "batch_size": 64,
    "precision": "float32",
}

PLAIN = {"lr": 1e-4, "weight_decay": 1e-3, "linear_path": False}
CORAL = dict.fromkeys(BIMODAL, PLAIN)
CORAL_VARIANTS = {
    "v1": {
        "orthogonality": "hinge",
        "ortho_weight": 1.0,
        "mask_ratio": (0.05, 0.35, 0.55, 0.75),
    },
    "2026-07": {
        "orthogonality": "squared",
        "ortho_weight": 10.0,
        "mask_ratio": 0.75,
    },
}

MULTIBENCH = {"lr": 1e-3, "weight_decay": 1e-2}
TRIFEATURES = {"lr": 3e-4, "weight_decay": 1e-4}
COMM = {
    **dict.fromkeys(DATASETS, MULTIBENCH),
    "trifeatures": TRIFEATURES,
    "vision_touch_trimodal": {**MULTIBENCH, "lr": 1e-4},
}


def _mask(
    temperature: float,
    variance_weight: float,
    mask_ratio: float,
    n_masks: int,
    whole: float = 1.0,
) -> dict[str, float]:
    return {
        "temperature": temperature,
        "variance_weight": variance_weight,
        "mask_ratio": mask_ratio,
        "n_masks": n_masks,
        "multimodal_weight": whole,
    }


ROBOT = {**MULTIBENCH, "lr": 1e-4}
INFMASKING = {
    "mosi": MULTIBENCH | _mask(0.1, 0.25, 0.8, 5),
    "humor": MULTIBENCH | _mask(0.05, 2.0, 0.5, 4, whole=5.0),
    "sarcasm": {"lr": 1e-3, "weight_decay": 5e-2} | _mask(0.05, 1.0, 0.5, 5),
    "mimic": {**MULTIBENCH, "lr": 3e-4} | _mask(0.2, 1.0, 0.8, 6, whole=5.0),
    "trifeatures": TRIFEATURES | _mask(0.1, 1.0, 0.7, 6),
    "vision_touch_contact": ROBOT | _mask(0.1, 1.0, 0.7, 6),
    "vision_touch_position": ROBOT | _mask(0.1, 1.0, 0.5, 4, whole=5.0),
    "humor_trimodal": MULTIBENCH | {"n_layers": 2} | _mask(0.05, 2.0, 0.5, 4),
    "vision_touch_trimodal": ROBOT | {"n_layers": 2} | _mask(0.1, 1.0, 0.8, 5),
}

METHODS = {"coral": CORAL, "comm": COMM, "infmasking": INFMASKING}


def published_settings(
    method: Literal["coral", "comm", "infmasking"],
    dataset: str,
    variant: Literal["v1", "2026-07"] | None = None,
) -> dict[str, Any]:
    """Return the parameters of a published experiment, for the method's estimator.

    Parameters
    ----------
    method : {"coral", "comm", "infmasking"}
        The method: :class:`COrALTransformer`, :class:`CoMMTransformer` or
        :class:`InfMaskingTransformer`.

    dataset : str
        For all methods, "mosi", "humor", "sarcasm", "mimic" or "trifeatures"; for COrAL
        and CoMM, also "mosei"; for CoMM and InfMasking, also "vision_touch_contact",
        "vision_touch_position", "humor_trimodal" and "vision_touch_trimodal".

    variant : {"v1", "2026-07"} or None, default=None
        For COrAL only: the code published with the first version of the paper (January
        2026), or the code of July 2026. None means "2026-07".

    Returns
    -------
    dict of str to object
        Parameters of the constructor, including "modalities", which expect the keys of
        the data set in a `SliceDict`.

    Raises
    ------
    ValueError
        If there is no such experiment.

    See Also
    --------
    COrALTransformer : The method, with other defaults.

    Notes
    -----
    The sources are the code of COrAL (arXiv 2602.14983), CoMM (arXiv 2409.07402) and
    InfMasking (arXiv 2509.25270). The variants of COrAL differ in the orthogonality
    penalty, in its weight (except on Trifeatures, where both have 1) and in the
    masking. Weight decays that InfMasking does not report are those of CoMM.

    Three things differ from the sources. Each modality draws its augmentation
    separately, whereas the sources share the draw on affective series; the tokens of
    MIMIC's table are its five columns, without a network before them; and on
    Vision&Touch the encoders are those of this package instead of ResNet-18 and causal
    convolutions. Seeds, the choice of an epoch on validation data, and the probe are
    not settings of an estimator.

    Examples
    --------
    >>> from skcoral import COrALTransformer
    >>> from skcoral.published import published_settings
    >>> params = published_settings("coral", "trifeatures", variant="v1")
    >>> params["mask_ratio"], params["orthogonality"], params["ortho_weight"]
    ((0.05, 0.35, 0.55, 0.75), 'hinge', 1.0)
    >>> coral = COrALTransformer(**params, random_state=41)
    """
    _check("method", method, METHODS)
    _check("dataset", dataset, METHODS[method])
    modalities, embed_dim = DATASETS[dataset]
    specs = [(name, KINDS[kind](**params), name) for name, kind, params in modalities]
    params = {**ENGINE, **METHODS[method][dataset]}
    if method == "coral":
        params |= _take_variant(dataset, variant)
    elif variant is not None:
        raise ValueError(
            "The 'variant' parameter of published_settings must be None but for "
            f"'coral'. Got {variant!r} instead."
        )
    return {"modalities": specs, "embed_dim": embed_dim, **params}


def _take_variant(dataset: str, variant: str | None) -> dict[str, Any]:
    variant = "2026-07" if variant is None else variant
    _check("variant", variant, CORAL_VARIANTS)
    # On Trifeatures the weight is that of the first version.
    weight = {"ortho_weight": 1.0} if dataset == "trifeatures" else {}
    return CORAL_VARIANTS[variant] | weight


def _check(parameter: str, value: Any, known: Collection[str]) -> None:
    if value not in known:
        raise ValueError(
            f"The {parameter!r} parameter of published_settings must be a str among "
            f"{sorted(known)}. Got {value!r} instead."
        )
