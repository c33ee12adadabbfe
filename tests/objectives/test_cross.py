"""Contrasts of modalities and of views against loops (method A.4, A.5)."""

import math
from itertools import combinations

import pytest
import torch
from helpers import (
    ATOL,
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

from skcoral.objectives.cross import CrossObjective, CrossSelfObjective, SimCLRObjective

KINDS = [CrossObjective, CrossSelfObjective, SimCLRObjective]
HEADS = {"head_hidden_dim": 7, "head_dim": 5}


def make_case(kind, n_modalities=2, dtype=torch.float64, **params):
    network = make_network(n_modalities, dtype, paths=("unique",))
    heads = {"head_dim": 5} if kind is CrossObjective else HEADS
    names = name_modalities(n_modalities)
    objective = shake(kind(names, UNIQUE, **heads, **params).to(dtype))
    views = draw_views(n_modalities, len(kind.views), dtype)
    return objective.eval(), network.eval(), views


def project_by_heads(objective, network, view):
    return [
        head(part) for head, part in zip(objective.heads, network(view), strict=True)
    ]


def naive_cross(parts, rows, temperature, intra):
    """Return the mean over pairs of modalities, on the rows that have both."""
    losses = []
    for m, k in combinations(range(len(parts)), 2):
        shared = both(rows[m], rows[k])
        a, b = parts[m][shared], parts[k][shared]
        losses.append(naive_info_nce(a, b, temperature, intra))
    return sum(losses) / len(losses)


def naive_terms(objective, network, views, rows):
    parts = [project_by_heads(objective, network, view) for view in views]
    if isinstance(objective, CrossObjective):
        temperature = 1 / math.exp(objective.log_scale)
        return [naive_cross(parts[0], rows, temperature, intra=False)]
    terms = []
    if isinstance(objective, CrossSelfObjective):
        cross = naive_cross(parts[0], rows, objective.temperature, intra=True)
        terms.append(objective.cross_weight * cross)
        parts = parts[1:]
    weight = getattr(objective, "self_weight", 1.0)
    for m, present in enumerate(rows):
        a, b = (view[m][present] for view in parts)
        loss = naive_info_nce(a, b, objective.temperature)
        terms.append(weight * loss / len(rows))
    return terms


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("n_modalities", [2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_terms_equal_the_transcription(kind, n_modalities, gaps, dtype):
    weights = {"cross_weight": 0.7, "self_weight": 1.3}
    params = weights if kind is CrossSelfObjective else {}
    case = make_case(kind, n_modalities, dtype, temperature=0.3, **params)
    objective, network, views = case
    rows = [range(N)] * n_modalities
    if gaps:
        views, rows = make_gaps(views)
    with torch.no_grad():
        terms = objective(network, views)
        expected = naive_terms(objective, network, views, rows)
    assert tuple(terms) == objective.terms
    for value, reference in zip(terms.values(), expected, strict=True):
        assert value.item() == pytest.approx(float(reference), abs=10 * ATOL[dtype])


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_rows_does_not_matter(kind):
    objective, network, views = make_case(kind, 3)
    first = objective(network, views)
    second = objective(network, permute(views, [3, 1, 5, 0, 2, 4]))
    for name in first:
        torch.testing.assert_close(first[name], second[name])


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_gets_a_finite_gradient(kind):
    objective, network, views = make_case(kind, 3)
    sum(objective.train()(network.train(), views).values()).backward()
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad.isfinite().all()


@pytest.mark.parametrize("n_present", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_few_rows_of_a_modality_in_a_batch(kind, n_present):
    objective, network, views = make_case(kind)
    masked = lacking(views, m0=list(range(n_present, N)))
    terms = objective.train()(network.train(), masked)
    sum(terms.values()).backward()
    assert (terms[objective.terms[0]].item() > 0) == (n_present == 2)
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad is None or parameter.grad.isfinite().all()


def test_clip_has_the_closed_value_of_equal_modalities():
    objective, network, views = make_case(CrossObjective, temperature=1.0)
    embeddings = torch.eye(N, UNIQUE, dtype=torch.float64)
    objective.log_scale.data.zero_()
    objective.heads = torch.nn.ModuleList([torch.nn.Identity()] * 2)
    network.unique = lambda tokens: [embeddings[:UNIQUE]] * 2
    expected = math.log(1 + (UNIQUE - 1) / math.e)
    loss = objective(network, [{k: v[:UNIQUE] for k, v in views[0].items()}])["cross"]
    assert loss.item() == pytest.approx(expected)


def test_scale_of_clip_starts_at_one_over_the_temperature_and_is_bounded():
    objective, network, views = make_case(CrossObjective)
    fresh = CrossObjective(["a", "b"], UNIQUE, temperature=0.07)
    assert fresh.log_scale.exp().item() == pytest.approx(1 / 0.07, rel=1e-5)
    for outside, bound in [(9.0, math.log(100)), (-1.0, 0.0)]:
        objective.log_scale.data.fill_(outside)
        loss = objective.eval()(network, views)["cross"].item()
        assert objective.log_scale.item() == outside  # evaluation changes nothing
        objective.train()(network, views)["cross"].backward()
        assert objective.log_scale.item() == pytest.approx(bound)
        assert objective.log_scale.grad.item() != 0.0
        assert objective.eval()(network, views)["cross"].item() == pytest.approx(loss)


def test_clip_embeds_by_its_projections():
    objective, network, views = make_case(CrossObjective)
    expected = project_by_heads(objective, network, views[0])
    for a, b in zip(objective.embed(network, views[0]), expected, strict=True):
        torch.testing.assert_close(a, b)
    assert objective.dims(network) == {"m0": 5, "m1": 5}


def test_projections_of_clip_start_as_published():
    torch.manual_seed(0)
    objective = CrossObjective(["a"], 400, head_dim=50)
    # 20,000 draws of deviation 1 / 20: the standard error is 0.00025.
    assert objective.heads[0].weight.std().item() == pytest.approx(0.05, abs=0.002)
    assert objective.heads[0].bias is None
