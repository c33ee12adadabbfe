"""DisentangledSSL against loops (method A.7), its draws and its two steps."""

from itertools import combinations

import numpy as np
import pytest
import torch
from helpers import (
    ATOL,
    DIM,
    UNIQUE,
    N,
    both,
    draw_views,
    lacking,
    make_gaps,
    make_network,
    naive_info_nce,
    name_modalities,
    permute,
    shake,
)
from objectives.steps import fit_in_steps
from scipy import special, stats

from skcoral import DisentangledSSLTransformer
from skcoral.objectives.disentangled import (
    DisentangledSSLObjective,
    draw_von_mises_fisher,
)

WEIGHTS = {"agreement_weight": 0.7, "ortho_weight": 1.3}


def make_case(n_modalities=2, dtype=torch.float64, **params):
    network = make_network(n_modalities, dtype)
    names = name_modalities(n_modalities)
    sizes = {"head_hidden_dim": 7, "temperature": 0.3}
    objective = DisentangledSSLObjective(names, DIM, UNIQUE, **{**sizes, **params})
    objective = shake(objective.to(dtype))
    return objective.eval(), network.eval(), draw_views(n_modalities, dtype=dtype)


def unit(vector):
    return vector / vector.norm()


def naive_norm(u, z):
    """Return the Frobenius norm of the cross product of normalised rows."""
    product = sum(torch.outer(unit(a), unit(b)) for a, b in zip(u, z, strict=True))
    return (product**2).sum() ** 0.5


def naive_terms(objective, network, views, rows):
    """Return the terms without draws, not weighted."""
    vmf = objective.distribution == "vmf"
    n_modalities = len(rows)
    everyone = range(n_modalities)
    shared, specific = [], []
    for view in views:
        tokens = network.encode(view)
        z = [network.fuse(tokens, subset=[m]) for m in everyone]
        z = [torch.stack([unit(row) for row in part]) for part in z] if vmf else z
        parts = zip(objective.specific, network.unique(tokens), z, strict=True)
        specific.append([layers(torch.cat([p, e], 1)) for layers, p, e in parts])
        shared.append(z)
    nce, agreement = [], []
    for z in shared:
        for m, k in combinations(everyone, 2):
            pair = both(rows[m], rows[k])
            a, b = z[m][pair], z[k][pair]
            nce.append(naive_info_nce(a, b, objective.temperature, intra=False))
            costs = [
                -(unit(p) @ unit(q)) if vmf else ((p - q) ** 2).sum()
                for p, q in zip(a, b, strict=True)
            ]
            agreement.append(sum(costs) / len(costs))
    unique, norms = [], 0.0
    for m in everyone:
        joint = [[], []]
        known = [i for i in rows[m] if any(i in rows[k] for k in everyone if k != m)]
        for v in range(2):
            for i in known:
                others = [shared[v][k][i] for k in everyone if k != m and i in rows[k]]
                joint[v].append(torch.cat([specific[v][m][i], unit(sum(others))]))
            norms += naive_norm(specific[v][m][rows[m]], shared[v][m][rows[m]])
        unique.append(naive_info_nce(*joint, objective.temperature, intra=False))
    mean = [sum(part) / len(part) for part in (nce, agreement)]
    return [*mean, *unique, norms / 2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("n_modalities", [2, 3])
@pytest.mark.parametrize("distribution", ["vmf", "normal"])
def test_terms_equal_the_transcription(distribution, n_modalities, gaps, dtype):
    params = {"distribution": distribution, **WEIGHTS}
    objective, network, views = make_case(n_modalities, dtype, **params)
    rows = [list(range(N))] * n_modalities
    if gaps:
        views, rows = make_gaps(views)
    with torch.no_grad():
        terms = objective(network, views)
        losses = naive_terms(objective, network, views, rows)
    weights = [1.0, 0.7, *[1.0] * n_modalities, 1.3]
    assert tuple(terms) == objective.terms
    for value, weight, loss in zip(terms.values(), weights, losses, strict=True):
        expected = weight * float(loss)
        assert value.item() == pytest.approx(expected, abs=10 * ATOL[dtype], rel=1e-6)


def test_order_of_rows_does_not_matter():
    objective, network, views = make_case(3)
    first = objective(network, views)
    second = objective(network, permute(views, [3, 1, 5, 0, 2, 4]))
    for name in first:
        torch.testing.assert_close(first[name], second[name])


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("n_present", [0, 1, 2])
def test_few_rows_of_a_modality_in_a_batch(n_present, step):
    objective, network, views = make_case()
    objective.max_epochs.fill_(2)
    objective.epoch.fill_(step)
    masked = lacking(views, m0=list(range(n_present, N)))
    terms = objective.train()(network.train(), masked)
    sum(terms.values()).backward()
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad is None or parameter.grad.isfinite().all()


# Two steps


@pytest.mark.parametrize(
    ("max_epochs", "steps"), [(1, [1]), (4, [1, 1, 2, 2, 2]), (5, [1, 1, 1, 2, 2])]
)
def test_steps_have_half_of_the_epochs(max_epochs, steps):
    objective, network, views = make_case()
    objective.train()
    objective.max_epochs.fill_(max_epochs)
    for epoch, step in enumerate(steps):
        objective.epoch.fill_(epoch)
        terms = objective(network, views)
        active = {name for name, value in terms.items() if value.item() != 0}
        expected = {"shared", "agreement"}
        assert active == (expected if step == 1 else set(objective.terms) - expected)


@pytest.mark.parametrize("step", [0, 1])
def test_each_step_reaches_its_own_parameters(step):
    objective, network, views = make_case(3)
    objective.train()
    objective.max_epochs.fill_(2)
    objective.epoch.fill_(step)
    sum(objective(network, views).values()).backward()
    named = {**dict(network.named_parameters()), **dict(objective.named_parameters())}
    reached = {name for name, p in named.items() if p.grad is not None}
    own = {n for n in named if n.startswith(("unique_", "specific"))}
    assert reached == (own if step else set(named) - own)


@pytest.mark.parametrize("step", [0, 1])
def test_each_step_computes_what_it_needs_only(step):
    objective, network, views = make_case()
    objective.train()
    objective.max_epochs.fill_(2)
    objective.epoch.fill_(step)
    seen = []
    parts = {
        "encoder": network.encoders,
        "unique encoder": network.unique_encoders,
        "fusion": [network.norm],
        "unique path": network.unique_paths,
    }
    for name, modules in parts.items():
        for module in modules:
            module.register_forward_hook(
                lambda _, args, out, name=name: seen.append((name, out))
            )
    objective(network, views)
    names = [name for name, _ in seen]
    assert names.count("encoder") == names.count("fusion") == 2
    assert names.count("unique encoder") == names.count("unique path") == 2 * step
    for name, out in seen:
        if name == "fusion":
            assert out.requires_grad == (step == 0)
        if name == "unique path":
            assert out.requires_grad


def test_the_shared_part_is_frozen_bit_for_bit_in_the_second_step(views):
    second = ("unique_", "specific")
    model = fit_in_steps(DisentangledSSLTransformer, views, second)
    history = model.history_
    assert history["train_shared"][3:] == [0.0] * 3
    assert history["train_unique_a"][:3] == [0.0] * 3
    assert min(history["train_unique_a"][3:]) > 0.0


def test_early_stopping_is_refused(views):
    model = DisentangledSSLTransformer(embed_dim=8, early_stopping=True)
    message = "DisentangledSSLTransformer does not support early_stopping=True"
    with pytest.raises(ValueError, match=message):
        model.fit(views)


def test_embedding_fills_what_is_missing():
    objective, network, views = make_case(3)
    shared, *specific = objective.embed(network, views[0])
    assert shared.shape == (N, 3 * DIM)
    assert objective.dims(network) == {
        "shared": 3 * DIM,
        **dict.fromkeys(("m0", "m1", "m2"), UNIQUE),
    }
    filled, *_ = objective.embed(network, lacking(views, m0=[2])[0])
    torch.testing.assert_close(filled[0], shared[0])
    torch.testing.assert_close(filled[2, DIM:], shared[2, DIM:])
    others = shared[2, DIM : 2 * DIM] + shared[2, 2 * DIM :]
    torch.testing.assert_close(filled[2, :DIM], unit(others))
    assert [part.shape for part in specific] == [(N, UNIQUE)] * 3


# Draws


@pytest.mark.parametrize("n_features", [2, 3, 16, 64])
@pytest.mark.parametrize("concentration", [0.5, 10.0, 1000.0])
def test_draws_have_the_moments_of_von_mises_and_fisher(n_features, concentration):
    torch.manual_seed(0)
    n_draws = 20_000
    mean = torch.nn.functional.normalize(torch.randn(n_features).double(), dim=0)
    draws = draw_von_mises_fisher(mean.expand(n_draws, -1), concentration)
    torch.testing.assert_close(draws.norm(dim=1), torch.ones(n_draws).double())
    order = n_features / 2
    cosine = special.ive(order, concentration) / special.ive(order - 1, concentration)
    # The variance of the cosine is 1 - A^2 - (d - 1) A / kappa.
    variance = 1 - cosine**2 - (n_features - 1) * cosine / concentration
    cosines = (draws @ mean).numpy()
    error = np.sqrt(variance / n_draws)
    assert cosines.mean() == pytest.approx(cosine, abs=4 * error)
    assert cosines.var() == pytest.approx(variance, rel=0.1)
    # Around the mean direction, all directions are alike.
    sideways = (draws - torch.outer(draws @ mean, mean)).mean(dim=0)
    spread = np.sqrt((1 - cosine**2 - variance) / n_draws)
    assert sideways.norm().item() < spread * (1 + 4 / np.sqrt(2 * (n_features - 1)))


def test_draws_have_the_distribution_of_scipy():
    torch.manual_seed(0)
    mean = torch.tensor([0.6, 0.8, 0.0, 0.0]).double()
    draws = draw_von_mises_fisher(mean.expand(5000, -1), 5.0) @ mean
    theirs = stats.vonmises_fisher(mean.numpy(), 5.0, seed=0).rvs(5000) @ mean.numpy()
    assert stats.ks_2samp(draws.numpy(), theirs).pvalue > 0.001


def test_gradients_pass_through_the_directions():
    mean = torch.nn.functional.normalize(torch.randn(3, 4).double(), dim=1)

    def draw(directions):
        torch.manual_seed(0)
        return draw_von_mises_fisher(directions, 20.0)

    assert torch.autograd.gradcheck(draw, mean.requires_grad_())


def test_normal_draws_have_unit_variance():
    objective, _, _ = make_case(distribution="normal")
    generator = torch.Generator().manual_seed(0)
    embedding = torch.full((20_000, 2), 3.0)
    noise = objective.train()._draw(embedding, generator) - embedding
    # The standard errors are 0.005.
    assert noise.mean().item() == pytest.approx(0.0, abs=0.02)
    assert noise.std().item() == pytest.approx(1.0, abs=0.02)
    assert torch.equal(objective.eval()._draw(embedding, generator), embedding)


@pytest.mark.parametrize("concentration", [1e6, 1e12, 1e30])
def test_sharp_draws_have_their_spread_in_single_precision(concentration):
    torch.manual_seed(0)
    mean = torch.nn.functional.one_hot(torch.tensor(0), 5).float().expand(20_000, -1)
    draws = draw_von_mises_fisher(mean, concentration)
    # In the limit, coordinates across the mean are normal with variance 1 / kappa.
    across = draws[:, 1:].double() * np.sqrt(concentration)
    assert stats.kstest(across.flatten().numpy(), "norm").pvalue > 0.001
