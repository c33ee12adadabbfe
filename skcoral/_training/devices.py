"""Devices: choice of device, number format and compilation for training."""

import warnings

import torch

# Speed of training in bfloat16 relative to float32, on one core with AVX-512 BF16, by
# width of the tokens: 8: 0.7, 16: 0.9, 32: 0.9, 64: 1.3, 128: 1.7.
MIN_BFLOAT16_WIDTH = 64


def resolve_device(device):
    """Return the torch device for `device`; "auto" takes the best one available.

    Parameters
    ----------
    device : str
        A torch device, or "auto".

    Returns
    -------
    str
        A torch device.

    Raises
    ------
    ValueError
        If torch does not know the device, or it is not available.
    """
    if device != "auto":
        return _check_device(device)
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _check_device(device):
    try:
        torch.zeros(1, device=device).item()  # the device "meta" holds no values
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    return device


def resolve_precision(precision, device, width):
    """Return the number format for training; "auto" takes the faster one.

    Parameters
    ----------
    precision : {"auto", "float32", "bfloat16"}
        The format. "auto" takes bfloat16 if the device multiplies it natively and the
        network is wide enough to benefit.

    device : str
        A torch device.

    width : int
        Width of the network's tokens.

    Returns
    -------
    {"float32", "bfloat16"}
        The format of matrix products.
    """
    if precision == "auto":
        faster = width >= MIN_BFLOAT16_WIDTH and _multiplies_bfloat16(device)
        precision = "bfloat16" if faster else "float32"
    return precision


def _multiplies_bfloat16(device):
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Releases of torch without this function are assumed not to support it.
    known = getattr(torch.cpu, "get_capabilities", dict)()
    return kind == "cpu" and bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def resolve_compile(compile, device):
    """Return whether to compile; warn if compilation is requested but fails.

    Parameters
    ----------
    compile : bool
        Whether compilation is requested.

    device : str
        A torch device.

    Returns
    -------
    bool
        Whether compilation is requested and works.
    """
    if not compile:
        return False
    try:
        torch.compile(torch.nn.ReLU())(torch.zeros(2, device=device))
    # Compilers, their headers and backends raise errors of any type.
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        warnings.warn(
            f"compile=True has no effect, torch.compile fails here: {reason}",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True
