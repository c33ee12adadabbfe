"""The hidden layer of a feed-forward network as one function, for wide layers.

`feed_forward.py` has the plain form and decides which one is used. When training on a
CPU, the hidden layer is computed for some rows at a time and recomputed for the
gradients, so it stays in the cache and takes no memory between the passes.

Dropout costs next to nothing: every row uses one of a few biases, by additional columns
of the matrix product, and a dropped hidden unit has a bias so low that its activation
is exactly zero. Unlike in torch's dropout, rows share masks: each mask is used by at
most one row in 96.
"""

import math
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoral._generators import draw_uniform

Activation: TypeAlias = Literal["gelu", "relu"]

# Scale of the input of the activation, by which its output is divided:
# QuickGELU(z) = z * sigmoid(1.702 z) = silu(1.702 z) / 1.702
SCALES: dict[Activation, float] = {"gelu": 1.702, "relu": 1.0}
# Elements of the hidden layer that a CPU holds at once while training. Milliseconds of
# forward and backward of 6,400 tokens, 40 -> 2048, bfloat16, dropout, on two cores,
# with 2 ** 19, 20, 21 elements: ReLU 41, 35, 44; QuickGELU 50, 45, 53. Each pass reuses
# one buffer: allocating memory for each part costs as much as the products.
HIDDEN_ELEMENTS = 2**20
# With dropout, the rows of a part cycle through a few biases of the hidden layer:
# eight, or more if there are few parts, so that a pass has at least 96. The bias of a
# dropped unit is so low that its activation is exactly zero in every format.
N_BIASES = 8
MIN_BIASES = 96
DROPPED = -3e4


def fused_hidden_layer(
    x: Tensor,
    up: nn.Linear,
    down: nn.Linear,
    activation: Activation,
    p: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return ``down(dropout(activation(up(x))))``.

    Parameters
    ----------
    x : tensor of shape (..., embed_dim)
        The input.

    up, down : torch.nn.Linear
        The layers before and after the activation.

    activation : {"gelu", "relu"}
        QuickGELU or ReLU.

    p : float, default=0.0
        Probability that a hidden unit is dropped; zero outside training.

    generator : torch.Generator, default=None
        Source of what is dropped; None means torch's default generator.

    Returns
    -------
    tensor of shape (..., embed_dim)
        The output.
    """
    flat = x.flatten(0, -2)
    dtype = flat.dtype
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
    n_rows = _rows_at_once(flat, up.out_features)
    scale = SCALES[activation]
    n_parts = len(_parts(len(flat), n_rows))
    dropped = draw_dropped(up, p, n_parts, generator)
    out = _HiddenLayer.apply(
        flat,
        scale * up.weight,
        scale * up.bias,
        down.weight / (scale * (1 - p)),
        down.bias,
        dropped,
        activation,
        dtype,
        n_rows,
    )
    return out.view(x.shape)


def draw_dropped(
    up: nn.Linear, p: float, n_parts: int, generator: torch.Generator | None = None
) -> Tensor | None:
    """Draw the hidden units that each bias of each part drops; None without dropout."""
    if not p:
        return None
    n_biases = N_BIASES * math.ceil(MIN_BIASES / (N_BIASES * n_parts))
    shape = (n_parts, n_biases, up.out_features)
    return draw_uniform(shape, up.weight.device, generator) < p


def _rows_at_once(flat: Tensor, width: int) -> int:
    """Return the rows per part: all, or in CPU training what fits the cache."""
    if flat.device.type != "cpu" or not torch.is_grad_enabled():
        return len(flat)
    return max(1, HIDDEN_ELEMENTS // width)


class _HiddenLayer(torch.autograd.Function):
    """``down(activation(up(x)))`` with dropped units, computed part by part."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        up: Tensor,
        up_bias: Tensor,
        down: Tensor,
        down_bias: Tensor,
        dropped: Tensor | None,
        activation: Activation,
        dtype: torch.dtype,
        n_rows: int,
    ) -> Tensor:
        ctx.dtypes = [tensor.dtype for tensor in (x, up, up_bias, down, down_bias)]
        x, up, up_bias, down, down_bias = (
            tensor.to(dtype) for tensor in (x, up, up_bias, down, down_bias)
        )
        x = _add_bias_columns(x, dropped)
        ctx.save_for_backward(x, up, up_bias, down, dropped)
        ctx.activation, ctx.n_rows = activation, n_rows
        out = x.new_empty(len(x), len(down))
        buffer = x.new_empty(min(n_rows, len(x)), len(up))
        for part, rows in enumerate(_parts(len(x), n_rows)):
            hidden = buffer[: len(x[rows])]
            torch.mm(x[rows], _add_biases(up, up_bias, dropped, part), out=hidden)
            _activate(hidden, activation, out=hidden)
            torch.addmm(down_bias, hidden, down.t(), out=out[rows])
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, up, up_bias, down, dropped = ctx.saved_tensors
        gradient = gradient.to(x.dtype)
        width = up.shape[1]
        to_x = torch.empty_like(x)
        # Sums over many rows need at least float32.
        sums = torch.promote_types(x.dtype, torch.float32)
        to_up = x.new_zeros(x.shape[1], len(up), dtype=sums)
        to_down = torch.zeros_like(down, dtype=sums)
        buffers = x.new_empty(3, min(ctx.n_rows, len(x)), len(up))
        for part, rows in enumerate(_parts(len(x), ctx.n_rows)):
            weight = _add_biases(up, up_bias, dropped, part)
            linear, hidden, to_linear = buffers[:, : len(x[rows])]
            torch.mm(x[rows], weight, out=linear)
            _activate(linear, ctx.activation, out=hidden)
            torch.mm(gradient[rows], down, out=to_linear)
            _activate_backward(to_linear, linear, ctx.activation)
            torch.mm(to_linear, weight.t(), out=to_x[rows])
            to_down += gradient[rows].t() @ hidden
            to_up += x[rows].t() @ to_linear
        # Dropped units have no gradient, so the gradients of all biases just add up.
        to_up_bias = to_up[width:].sum(0)
        to_down_bias = gradient.sum(0, dtype=sums)
        gradients: tuple[Tensor, ...] = (to_x[:, :width], to_up[:width].t(), to_up_bias)
        gradients = (*gradients, to_down, to_down_bias)
        typed = (g.to(dtype) for g, dtype in zip(gradients, ctx.dtypes, strict=True))
        return *typed, None, None, None, None


def _add_bias_columns(x: Tensor, dropped: Tensor | None) -> Tensor:
    """Add columns that select each row's bias: the first, or in turn with dropout.

    Without dropout every row selects the same column, so sums keep the same order.
    """
    n_biases = N_BIASES if dropped is None else dropped.shape[1]
    chosen = torch.arange(len(x), device=x.device) % n_biases
    if dropped is None:
        chosen.zero_()
    return torch.cat([x, F.one_hot(chosen, n_biases).to(x.dtype)], dim=1)


def _add_biases(
    up: Tensor, up_bias: Tensor, dropped: Tensor | None, part: int
) -> Tensor:
    """Return the transposed weights with the biases of a part as additional rows."""
    n_biases = N_BIASES if dropped is None else dropped.shape[1]
    biases = up_bias.expand(n_biases, -1)
    if dropped is not None:
        biases = biases.masked_fill(dropped[part], DROPPED)
    return torch.cat([up.t(), biases])


def _activate(linear: Tensor, activation: Activation, out: Tensor) -> None:
    if activation == "gelu":
        torch.ops.aten.silu.out(linear, out=out)
    else:
        torch.clamp_min(linear, 0.0, out=out)


def _activate_backward(
    gradient: Tensor, linear: Tensor, activation: Activation
) -> None:
    """Multiply a gradient by the derivative of the activation, in place."""
    if activation == "gelu":
        torch.ops.aten.silu_backward.grad_input(gradient, linear, grad_input=gradient)
    else:
        torch.ops.aten.threshold_backward.grad_input(
            gradient, linear, 0.0, grad_input=gradient
        )


def _parts(n_rows: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, n_rows, size)]
