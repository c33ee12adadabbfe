"""The transformer block, for encoders of series and for the fusion of modalities."""

import math

import torch
from torch import nn
from torch.nn import functional as F

# QuickGELU(z) = z * sigmoid(1.702 z) = silu(1.702 z) / 1.702
QUICK = 1.702
# Elements of the hidden layer that a CPU holds at once while training. Milliseconds of
# forward and backward of 6,400 tokens, 40 -> 2048, bfloat16, dropout, on two cores, by
# 2 ** 19, 20, 21 elements: ReLU 41, 35, 44; QuickGELU 50, 45, 53. The hidden layer has
# one buffer per pass: memory that is new for each part costs as much as the products.
HIDDEN_ELEMENTS = 2**20
# Dropout masks that are drawn per pass; each row takes one of them.
N_MASKS = 128
# Under dropout the rows of a part take one of a few biases of the hidden layer by
# turns: eight, or more if the parts are few, so that a pass has 96 at least. The bias
# of a dropped unit is so low that its activation is exactly zero in every format.
N_BIASES = 8
MIN_BIASES = 96
DROPPED = -3e4


class Dropout(nn.Module):
    """Dropout in which each row takes one of a few random masks.

    Parameters
    ----------
    p : float
        Probability that an entry is zeroed; the others are divided by ``1 - p``.

    Notes
    -----
    On CPUs random numbers are what dropout costs, about 10 ns each on a core. When each
    row takes one of 128 masks, fresh ones in every pass, they cost nothing.
    """

    def __init__(self, p):
        super().__init__()
        self.p = p

    def draw(self, x):
        """Return masks of shape (128, width) and the choice of each row, or None."""
        if not self.training or self.p == 0:
            return None
        width, n_rows = x.shape[-1], x.shape[:-1].numel()
        masks = torch.empty(N_MASKS, width, dtype=x.dtype, device=x.device)
        masks.bernoulli_(1 - self.p).div_(1 - self.p)
        return masks, torch.randint(N_MASKS, (n_rows,), device=x.device)

    def forward(self, x):
        """Return `x` with entries of its last axis zeroed, in training only."""
        drawn = self.draw(x)
        if drawn is None:
            return x
        masks, choice = drawn
        return x * masks[choice].view_as(x)


class FeedForward(nn.Module):
    """Normalisation, a wide hidden layer, and back.

    Parameters
    ----------
    embed_dim : int
        Width of the input and of the output.

    hidden_dim : int
        Width of the hidden layer.

    dropout : float
        Dropout of the hidden layer.

    activation : {"gelu", "relu"}, default="gelu"
        QuickGELU or ReLU.

    Notes
    -----
    While training on a CPU, the hidden layer is computed for a part of the rows at a
    time and computed again for the gradients, so that it stays in the cache and takes
    no memory between the passes.

    Dropout costs next to nothing: every row takes one of a few biases, by further
    columns of the matrix product, and a hidden unit that is to be dropped has a bias so
    low that the activation is exactly zero. Unlike in torch's dropout, rows share
    masks: one mask serves at most one row in 96.
    """

    def __init__(self, embed_dim, hidden_dim, dropout, activation="gelu"):
        super().__init__()
        self.norm = nn.LayerNorm(embed_dim)
        self.up = nn.Linear(embed_dim, hidden_dim)
        self.down = nn.Linear(hidden_dim, embed_dim)
        self.p = dropout
        self.activation = activation

    def forward(self, x):
        """Return the output for `x` of shape (..., embed_dim)."""
        flat = self.norm(x).flatten(0, -2)
        dtype = flat.dtype
        if torch.is_autocast_enabled(x.device.type):
            dtype = torch.get_autocast_dtype(x.device.type)
        n_rows = self._rows_at_once(flat)
        scale = QUICK if self.activation == "gelu" else 1.0
        dropped = self.draw(len(_parts(len(flat), n_rows)))
        kept = 1.0 if dropped is None else 1 - self.p
        out = _HiddenLayer.apply(
            flat,
            scale * self.up.weight,
            scale * self.up.bias,
            self.down.weight / (scale * kept),
            self.down.bias,
            dropped,
            self.activation,
            dtype,
            n_rows,
        )
        return out.view(x.shape)

    def draw(self, n_parts):
        """Return which hidden units each bias of each part drops, or None."""
        if not self.training or self.p == 0:
            return None
        n_biases = N_BIASES * math.ceil(MIN_BIASES / (N_BIASES * n_parts))
        shape = (n_parts, n_biases, self.up.out_features)
        return torch.rand(shape, device=self.up.weight.device) < self.p

    def _rows_at_once(self, flat):
        """Return all rows, or in training on a CPU, as many as the cache may hold."""
        if flat.device.type != "cpu" or not torch.is_grad_enabled():
            return len(flat)
        return max(1, HIDDEN_ELEMENTS // self.up.out_features)


class _HiddenLayer(torch.autograd.Function):
    """``down(activation(up(x)))`` with dropped units, a part of the rows at a time."""

    @staticmethod
    def forward(
        ctx, x, up, up_bias, down, down_bias, dropped, activation, dtype, n_rows
    ):
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
    def backward(ctx, gradient):
        x, up, up_bias, down, dropped = ctx.saved_tensors
        gradient = gradient.to(x.dtype)
        width = up.shape[1]
        to_x = torch.empty_like(x)
        # Sums over many rows: at least float32.
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
        # A dropped unit has no gradient: the biases of all rows are the one bias.
        to_up_bias = to_up[width:].sum(0)
        to_down_bias = gradient.sum(0, dtype=sums)
        gradients = (to_x[:, :width], to_up[:width].t(), to_up_bias)
        gradients = (*gradients, to_down, to_down_bias)
        typed = (g.to(dtype) for g, dtype in zip(gradients, ctx.dtypes, strict=True))
        return *typed, None, None, None, None


def _add_bias_columns(x, dropped):
    """Add columns that pick a bias for each row: the first, or by turns under dropout.

    Outside of dropout every row has the same column, to be summed in the same order.
    """
    n_biases = N_BIASES if dropped is None else dropped.shape[1]
    chosen = torch.arange(len(x), device=x.device) % n_biases
    if dropped is None:
        chosen.zero_()
    return torch.cat([x, F.one_hot(chosen, n_biases).to(x.dtype)], dim=1)


def _add_biases(up, up_bias, dropped, part):
    """Return the transposed weights with the biases of a part as further rows."""
    n_biases = N_BIASES if dropped is None else dropped.shape[1]
    biases = up_bias.expand(n_biases, -1)
    if dropped is not None:
        biases = biases.masked_fill(dropped[part], DROPPED)
    return torch.cat([up.t(), biases])


def _activate(linear, activation, out):
    if activation == "gelu":
        torch.ops.aten.silu.out(linear, out=out)
    else:
        torch.clamp_min(linear, 0.0, out=out)


def _activate_backward(gradient, linear, activation):
    """Multiply a gradient by the derivative of the activation, in place."""
    if activation == "gelu":
        torch.ops.aten.silu_backward.grad_input(gradient, linear, grad_input=gradient)
    else:
        torch.ops.aten.threshold_backward.grad_input(
            gradient, linear, 0.0, grad_input=gradient
        )


def _parts(n_rows, size):
    return [slice(start, start + size) for start in range(0, n_rows, size)]


class TransformerBlock(nn.Module):
    """One pre-norm transformer block.

    Parameters
    ----------
    embed_dim, n_heads : int
        Width and number of attention heads; the width is a multiple of the heads.

    n_layers : int
        Number of blocks in the stack, which scales the initial output projections.

    dropout : float
        Dropout of the attention, of the hidden layer, and after both.

    hidden_dim : int or None, default=None
        Width of the hidden layer; None is four times `embed_dim`.

    activation : {"gelu", "relu"}, default="gelu"
        QuickGELU or ReLU in the hidden layer.
    """

    def __init__(
        self,
        embed_dim,
        n_heads,
        n_layers,
        dropout,
        hidden_dim=None,
        activation="gelu",
    ):
        super().__init__()
        self.n_heads = n_heads
        self.norm_attention = nn.LayerNorm(embed_dim)
        self.query = nn.Linear(embed_dim, embed_dim)
        self.key_value = nn.Linear(embed_dim, 2 * embed_dim)
        self.out = nn.Linear(embed_dim, embed_dim)
        hidden_dim = hidden_dim or 4 * embed_dim
        self.feed_forward = FeedForward(embed_dim, hidden_dim, dropout, activation)
        self.dropout = Dropout(dropout)
        self._initialise(embed_dim, n_layers)

    def _initialise(self, embed_dim, n_layers):
        """Draw the weights with the scales of method A.0.4."""
        inner = embed_dim**-0.5
        outer = inner * (2 * n_layers) ** -0.5
        nn.init.normal_(self.query.weight, std=inner)
        nn.init.normal_(self.key_value.weight, std=inner)
        nn.init.normal_(self.out.weight, std=outer)
        nn.init.normal_(self.feed_forward.up.weight, std=(2 * embed_dim) ** -0.5)
        nn.init.normal_(self.feed_forward.down.weight, std=outer)

    def forward(self, x, context=None, mask=None):
        """Return the block's output for the tokens `x`.

        Parameters
        ----------
        x : tensor of shape (n_samples, n_queries, embed_dim)
            Tokens to transform.

        context : tensor of shape (n_samples, n_tokens, embed_dim), default=None
            Tokens to attend, `x` itself by default. The last block is read at one token
            only: it transforms that one, and attends all.

        mask : bool tensor of shape (n_samples, n_tokens), default=None
            True at the tokens of the context that may be attended.
        """
        queries = self.norm_attention(x)
        context = queries if context is None else self.norm_attention(context)
        mask = None if mask is None else mask[:, None, :]
        attend = self._attend_once if x.shape[1] == 1 else self._attend
        x = x + self.dropout(attend(queries, context, mask))
        return x + self.dropout(self.feed_forward(x))

    def _attend_once(self, queries, context, mask):
        """Attention of one query, without keys and values of the tokens.

        ``q . (W_k t) = (W_k' q) . t`` and ``sum_t a_t W_v t = W_v sum_t a_t t``: the
        projections act on one vector per row and head, not on every token. The bias of
        the keys is alike for all tokens.
        """
        query = self.query(queries).unflatten(-1, (self.n_heads, -1))[:, 0]
        to_key, to_value = self.key_value.weight.unflatten(0, (2, self.n_heads, -1))
        lifted = torch.einsum("nhw,hwd->nhd", query, to_key)
        weights = self.dropout(_weigh(lifted, context, mask, query.shape[-1]))
        attended = torch.einsum("nhd,hwd->nhw", weights @ context, to_value)
        bias = self.key_value.bias.unflatten(0, (2, self.n_heads, -1))[1]
        attended = attended + weights.sum(dim=-1, keepdim=True) * bias
        return self.out(attended.flatten(1))[:, None]

    def _attend(self, queries, context, mask):
        query = self._split(self.query(queries))
        key, value = map(self._split, self.key_value(context).chunk(2, dim=-1))
        mask = None if mask is None else mask[:, None]
        by_products = query.dtype == torch.bfloat16 and query.device.type == "cpu"
        if by_products or (self.training and self.dropout.p > 0):
            attended = _attend_plainly(query, key, value, mask, self.dropout)
        else:
            attended = F.scaled_dot_product_attention(query, key, value, mask)
        return self.out(attended.transpose(1, 2).flatten(2))

    def _split(self, x):
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


def _attend_plainly(query, key, value, mask, dropout):
    """Attention by two matrix products, for dropout, and for bfloat16 on the CPU.

    Forward and backward of 512 rows, 4 heads, 50 x 50 tokens of width 16 on two cores:
    15 ms, against 126 ms of torch's kernel for it; in float32 the two take as long.
    """
    return dropout(_weigh(query, key, mask, query.shape[-1])) @ value


def _weigh(query, key, mask, width):
    """Return the softmax of the products of queries and keys of a head's width."""
    return masked_softmax(query @ key.transpose(-2, -1) * width**-0.5, mask)


def masked_softmax(scores, mask=None):
    """Return the softmax over the last axis; what a mask hides has no weight.

    Parameters
    ----------
    scores : tensor of shape (..., n_tokens)
        The scores.

    mask : bool tensor that broadcasts over `scores`, default=None
        True at real tokens.

    Returns
    -------
    tensor of shape (..., n_tokens)
        The weights; finite, without a meaning, where no token is real.
    """
    if mask is not None:
        # The lowest number, not -inf: rows without any token must stay finite too.
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1)
