"""The dual-path network against a transcription by loops (method A.0 and A.1)."""

import math

import pytest
import torch
from torch import nn

from skcoral.nn.network import DualPathNetwork, Tokens, UniquePath

ATOL = {torch.float32: 1e-5, torch.float64: 1e-10}
N, DIM, UNIQUE = 3, 8, 5


class Padded(nn.Module):
    """Encoder whose tokens are the padded steps themselves, times a weight."""

    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(dim))

    def forward(self, x, mask=None):
        return x * self.weight, mask


class Spec:
    """A fitted modality reduced to what the network needs."""

    def make_encoder(self, embed_dim):
        return Padded(embed_dim)


def make_network(n_modalities=2, dtype=torch.float64, **params):
    torch.manual_seed(0)
    specs = {f"m{i}": Spec() for i in range(n_modalities)}
    network = DualPathNetwork(specs, DIM, UNIQUE, n_heads=2, **params).to(dtype)
    with torch.no_grad():  # biases and norms start trivial: make them count
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def make_batch(n_modalities=2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    return {
        f"m{i}": torch.randn(N, 2 + i, DIM, generator=generator, dtype=dtype)
        for i in range(n_modalities)
    }


def naive_norm(norm, x):
    centred = x - x.mean()
    scaled = centred / ((centred**2).mean() + norm.eps).sqrt()
    return scaled * norm.weight + norm.bias


def naive_linear(layer, x):
    return torch.stack(
        [row @ x + b for row, b in zip(layer.weight, layer.bias, strict=True)]
    )


def naive_layer(block, tokens):
    """Return the block's output for a list of tokens of one row."""
    dim = len(tokens[0])
    size = dim // block.n_heads
    normed = [naive_norm(block.norm_attention, t) for t in tokens]
    queries = [naive_linear(block.query, t) for t in normed]
    pairs = [naive_linear(block.key_value, t) for t in normed]
    outputs = []
    for token, query in zip(tokens, queries, strict=True):
        heads = []
        for head in range(block.n_heads):
            part = slice(head * size, (head + 1) * size)
            logits = [query[part] @ p[:dim][part] / math.sqrt(size) for p in pairs]
            weights = torch.stack(logits).softmax(0)
            heads.append(
                sum(w * p[dim:][part] for w, p in zip(weights, pairs, strict=True))
            )
        x = token + naive_linear(block.out, torch.cat(heads))
        outputs.append(x + naive_feed_forward(block.feed_forward, x))
    return outputs


def naive_feed_forward(part, x):
    hidden = naive_linear(part.up, naive_norm(part.norm, x))
    return naive_linear(part.down, hidden / (1 + torch.exp(-1.702 * hidden)))


def naive_fuse(network, rows):
    """Return the shared embedding of each row, a list of tokens."""
    embeddings = []
    for tokens in rows:
        x = [network.cls[0, 0], *tokens]
        for layer in network.layers:
            x = naive_layer(layer, x)
        embeddings.append(naive_norm(network.norm, x[0]))
    return torch.stack(embeddings)


def naive_unique(path, rows):
    embeddings = []
    for tokens in rows:
        first, norm, _, last = path.layers
        hidden = [naive_norm(norm, naive_linear(first, t)) for t in tokens]
        hidden = [0.5 * h * (1 + torch.erf(h / math.sqrt(2))) for h in hidden]
        values = [naive_linear(last, h) for h in hidden]
        weights = torch.stack([v @ path.pool_query for v in values]).softmax(0)
        embeddings.append(sum(w * v for w, v in zip(weights, values, strict=True)))
    return torch.stack(embeddings)


def naive_slots(path, tokens):
    """Return the embeddings of one row, given its tokens, side by side."""
    slots = list(path.slots[0])
    for layer in path.layers:
        taken = naive_slot_attention(layer.attention, slots, tokens)
        slots = [slot + more for slot, more in zip(slots, taken, strict=True)]
        slots = [s + naive_feed_forward(layer.feed_forward, s) for s in slots]
        slots = naive_layer(layer.among_slots, slots)
    return torch.cat([naive_linear(path.last, slot) for slot in slots])


def naive_slot_attention(attention, slots, tokens):
    """Return what each slot takes: slots 0 and 1, 2 and 3, ... share out the tokens."""
    size = DIM // attention.n_heads
    normed = [naive_norm(attention.norm_slots, slot) for slot in slots]
    queries = [attention.query.weight @ slot for slot in normed]
    normed = [naive_norm(attention.norm_tokens, token) for token in tokens]
    pairs = [attention.key_value.weight @ token for token in normed]
    outputs = []
    for k in range(len(slots)):
        partner = k + 1 if k % 2 == 0 else k - 1
        heads = []
        for head in range(attention.n_heads):
            part = slice(head * size, (head + 1) * size)
            shares = []
            for pair in pairs:
                key = pair[:DIM][part]
                own, other = (
                    math.exp(queries[i][part] @ key / math.sqrt(size))
                    for i in (k, partner)
                )
                shares.append(own / (own + other))
            total = sum(shares) + 1e-6
            values = [pair[DIM:][part] for pair in pairs]
            heads.append(
                sum(a / total * v for a, v in zip(shares, values, strict=True))
            )
        outputs.append(naive_linear(attention.out, torch.cat(heads)))
    return outputs


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize("n_slots", [2, 4])
def test_slots_equal_the_transcription(n_slots, n_layers, dtype):
    sizes = {"n_layers": n_layers, "n_slots": n_slots, "paths": ("unique",)}
    network = make_network(2, dtype, **sizes)
    assert network.dims == {"m0": n_slots * UNIQUE, "m1": n_slots * UNIQUE}
    x = make_batch(2, dtype)
    with torch.no_grad():
        actual = network(x)
        for m, name in enumerate(x):
            rows = x[name] * network.unique_encoders[m].weight
            path = network.unique_paths[m]
            expected = torch.stack([naive_slots(path, list(row)) for row in rows])
            torch.testing.assert_close(actual[m], expected, atol=ATOL[dtype], rtol=0)


def test_a_row_without_tokens_leaves_slots_finite():
    network = make_network(paths=("unique",), n_slots=2)
    x = make_batch()
    real = torch.ones(N, 3, dtype=torch.bool)
    real[1] = False
    embedding = network.unique(network.encode({**x, "m1": (x["m1"], real)}))[1]
    embedding.sum().backward()
    assert embedding.isfinite().all()
    assert all(p.grad.isfinite().all() for p in network.unique_paths[1].parameters())
    others = network.unique(network.encode(x))[1][[0, 2]]
    torch.testing.assert_close(embedding[[0, 2]], others)


def test_a_unique_embedding_starts_as_a_mean_and_learns_the_query():
    torch.manual_seed(0)
    path, tokens = UniquePath(DIM, 96), torch.randn(N, 5, DIM)
    torch.testing.assert_close(path(tokens), path.layers(tokens).mean(dim=1))
    path(tokens).square().sum().backward()
    assert path.pool_query.grad.abs().min() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_modalities", [1, 2, 3])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_network_equals_the_transcription(n_modalities, n_layers, dtype):
    network = make_network(n_modalities, dtype, n_layers=n_layers)
    x = make_batch(n_modalities, dtype)
    shared = [
        [
            token
            for m, name in enumerate(x)
            for token in x[name][i] * network.encoders[m].weight
        ]
        for i in range(N)
    ]
    expected = [naive_fuse(network, shared)]
    for m, name in enumerate(x):
        rows = [list(row * network.unique_encoders[m].weight) for row in x[name]]
        expected.append(naive_unique(network.unique_paths[m], rows))
    for actual, reference in zip(network(x), expected, strict=True):
        torch.testing.assert_close(actual, reference, atol=ATOL[dtype], rtol=0)


@pytest.mark.parametrize("n_layers", [1, 2])
@pytest.mark.parametrize(
    "params",
    [*({"mask_mode": mode} for mode in ("zero", "token", "drop")), {"n_slots": 4}],
)
def test_padding_does_not_matter(params, n_layers):
    network = make_network(n_layers=n_layers, **params)
    x = make_batch()
    noise = torch.randn(N, 4, DIM, dtype=torch.float64)
    real = torch.tensor([True] * 3 + [False] * 4).expand(N, -1)
    padded = {**x, "m1": (torch.cat([x["m1"], noise], dim=1), real)}
    for short, long in zip(network(x), network(padded), strict=True):
        torch.testing.assert_close(long, short, atol=1e-10, rtol=0)


def test_rows_do_not_see_each_other():
    network = make_network(3)
    x = make_batch(3)
    whole = network(x)
    order = [2, 0, 1]
    permuted = network({name: block[order] for name, block in x.items()})
    single = network({name: block[:1] for name, block in x.items()})
    for a, b, c in zip(whole, permuted, single, strict=True):
        torch.testing.assert_close(b, a[order], atol=1e-10, rtol=0)
        torch.testing.assert_close(c, a[:1], atol=1e-10, rtol=0)


def hide(network, x, hidden):
    """Return tokens and a keep list that hides some tokens of modality 1."""
    tokens = network.encode(x)
    kept = torch.ones(N, 3, dtype=torch.bool)
    kept[:, hidden] = False
    return tokens, [None, kept]


def replaced(tokens, hidden, value):
    changed = tokens.shared[1].clone()
    changed[:, hidden] = value
    return Tokens([tokens.shared[0], changed], tokens.unique, tokens.masks)


def test_masked_tokens_are_zero_but_attended():
    network = make_network(mask_mode="zero")
    tokens, keep = hide(network, make_batch(), [0, 2])
    expected = network.fuse(replaced(tokens, [0, 2], 0.0))
    torch.testing.assert_close(network.fuse(tokens, keep=keep), expected)


def test_masked_tokens_become_the_learned_vector():
    network = make_network(mask_mode="token")
    tokens, keep = hide(network, make_batch(), [0, 2])
    expected = network.fuse(replaced(tokens, [0, 2], network.mask_token))
    torch.testing.assert_close(network.fuse(tokens, keep=keep), expected)


def test_masked_tokens_leave_the_attention():
    network = make_network(mask_mode="drop")
    tokens, keep = hide(network, make_batch(), [0, 2])
    left = [tokens.shared[0], tokens.shared[1][:, [1]]]
    expected = network.fuse(Tokens(left, tokens.unique, tokens.masks))
    torch.testing.assert_close(network.fuse(tokens, keep=keep), expected)


def test_dropped_and_padded_tokens_both_leave_the_attention():
    network = make_network(mask_mode="drop")
    x = make_batch()
    real = torch.tensor([True, True, False]).expand(N, -1)
    tokens, keep = hide(network, {**x, "m1": (x["m1"], real)}, [0])
    left = [tokens.shared[0], tokens.shared[1][:, [1]]]
    expected = network.fuse(Tokens(left, tokens.unique, [None, None]))
    torch.testing.assert_close(network.fuse(tokens, keep=keep), expected)


def test_a_subset_is_fused_alone():
    network = make_network(3)
    tokens = network.encode(make_batch(3))
    some = Tokens([tokens.shared[0], tokens.shared[2]], [], [None, None])
    two = make_network(2)
    two.cls.data, two.layers, two.norm = network.cls.data, network.layers, network.norm
    expected = two.fuse(some)
    torch.testing.assert_close(network.fuse(tokens, subset=[0, 2]), expected)


def test_paths_share_no_weights():
    network = make_network()
    shared, *unique = network(make_batch())
    gradients = torch.autograd.grad(
        unique[0].sum(), list(network.parameters()), allow_unused=True
    )
    names = [name for name, _ in network.named_parameters()]
    reached = {n for n, g in zip(names, gradients, strict=True) if g is not None}
    assert reached == {
        n for n in names if n.startswith(("unique_encoders.0", "unique_paths.0"))
    }
    shared.sum().backward()
    for path in (network.unique_encoders, network.unique_paths):
        assert all(p.grad is None for p in path.parameters())


def test_shared_and_unique_encoders_start_apart():
    torch.manual_seed(0)
    network = DualPathNetwork({"a": Spec()}, DIM, UNIQUE, n_heads=2)
    assert (network.encoders[0].weight != network.unique_encoders[0].weight).any()


def test_unique_path_of_one_token_is_that_token():
    torch.manual_seed(0)
    path = UniquePath(DIM, UNIQUE)
    tokens = torch.randn(N, 1, DIM)
    torch.testing.assert_close(path(tokens), path.layers(tokens)[:, 0])


def test_dims_name_the_components_in_order():
    assert make_network(2).dims == {"shared": DIM, "m0": UNIQUE, "m1": UNIQUE}


def test_dropout_is_off_at_evaluation():
    network = make_network(dropout=0.5)
    x = make_batch()
    network.eval()
    torch.testing.assert_close(network(x)[0], network(x)[0])
    network.train()
    assert (network(x)[0] != network(x)[0]).any()


@pytest.mark.parametrize("path", ["shared", "unique"])
def test_a_network_of_one_path_computes_that_path_alone(path):
    both, x = make_network(3), make_batch(3)
    one = make_network(3, paths=(path,))
    # The prediction of missing components has another width, and none is missing.
    weights = {k: v for k, v in both.state_dict().items() if not k.startswith("fill")}
    one.load_state_dict(weights, strict=False)
    shared = {"shared": both(x)[0]}
    unique = dict(zip(x, both(x)[1:], strict=True))
    expected = shared if path == "shared" else unique
    assert list(one.dims) == list(expected)
    for actual, reference in zip(one(x), expected.values(), strict=True):
        torch.testing.assert_close(actual, reference)
    tokens = one.encode(x)
    assert (len(tokens.shared), len(tokens.unique)) == (
        (3, 0) if path == "shared" else (0, 3)
    )


def test_both_paths_have_the_parameters_of_each():
    names = [
        {n for n, _ in make_network(paths=paths).named_parameters()}
        for paths in (("shared", "unique"), ("shared",), ("unique",))
    ]
    assert names[0] == names[1] | names[2]
    assert not names[1] & names[2]


def test_shared_tokens_of_hidden_rows_are_not_computed():
    network, batch = make_network(), make_batch()
    keep = [torch.ones(N, 2 + m, dtype=torch.bool) for m in range(2)]
    keep[0][0] = False  # a whole row
    keep[1][1, 0] = False  # a token of a row
    unique = network.encode(batch, paths=("unique",))
    whole = network.encode(batch)
    seen = []
    for encoder in network.encoders:
        encoder.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    tokens = network.add_shared(unique, batch, keep)
    assert seen == [N - 1, N]
    expected = whole.shared[0].clone()
    expected[0] = 0.0
    torch.testing.assert_close(tokens.shared, [expected, whole.shared[1]])
    torch.testing.assert_close(
        network.fuse(tokens, keep=keep), network.fuse(whole, keep=keep)
    )
    torch.testing.assert_close(network.add_shared(unique, batch).shared, whole.shared)


def test_a_compiler_gets_shapes_that_no_draw_changes(monkeypatch):
    network, batch = make_network(), make_batch()
    keep = [torch.zeros(N, 2, dtype=torch.bool), None]
    unique = network.encode(batch, paths=("unique",))
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    tokens = network.add_shared(unique, batch, keep)
    torch.testing.assert_close(tokens.shared, network.encode(batch).shared)


@pytest.mark.parametrize("mask_mode", ["zero", "token", "drop"])
def test_padding_of_hidden_rows_is_kept(mask_mode):
    network = make_network(mask_mode=mask_mode)
    batch, masks = (
        make_batch(),
        [torch.ones(N, 2 + m, dtype=torch.bool) for m in (0, 1)],
    )
    masks[0][1, 1] = False
    batch = {
        name: (x, mask) for (name, x), mask in zip(batch.items(), masks, strict=True)
    }
    keep = [torch.ones_like(mask) for mask in masks]
    keep[0][:2] = False
    tokens = network.add_shared(network.encode(batch, paths=("unique",)), batch, keep)
    expected = network.fuse(network.encode(batch), keep=keep)
    torch.testing.assert_close(network.fuse(tokens, keep=keep), expected)
