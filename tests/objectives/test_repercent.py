"""RePercENT against loops over pairs of modalities, and its random draws."""

import itertools

import pytest
import torch
from helpers import (
    ATOL,
    UNIQUE,
    N,
    both,
    cosine,
    draw_views,
    lacking,
    make_gaps,
    make_network,
    naive_info_nce,
    name_modalities,
    permute,
)

from skcoral.objectives.repercent import RePercENTObjective

WEIGHTS = {"shared_weight": 1.7, "agreement_weight": 0.7, "ortho_weight": 1.3}


def make_case(n_modalities=2, dtype=torch.float64, **params):
    slots = {"paths": ("unique",), "n_slots": 2 * (n_modalities - 1)}
    network = make_network(n_modalities, dtype, **slots)
    params = {"temperature": 0.3, **WEIGHTS, **params}
    objective = RePercENTObjective(name_modalities(n_modalities), UNIQUE, **params)
    return objective.eval(), network.eval(), draw_views(n_modalities, dtype=dtype)


def slot(embedding, m, k, is_shared):
    """Return one slot of modality m: u and s in turn, for each other modality k."""
    place = 2 * (k if k < m else k - 1) + is_shared
    return embedding[:, place * UNIQUE : (place + 1) * UNIQUE]


def naive_correlations(u, s):
    """Return the Frobenius norm of the correlations over the width."""
    columns = []
    for x in (u, s):
        unit = torch.stack([row / row.norm() for row in x])
        centred = unit - sum(unit) / len(unit)
        variance = sum(row**2 for row in centred) / (len(unit) - 1)
        columns.append((centred / variance**0.5).T)
    entries = [(p @ q) / len(u) for p in columns[0] for q in columns[1]]
    return sum(entry**2 for entry in entries) ** 0.5 / UNIQUE


def naive_terms(objective, network, views, rows):
    """Return the terms without draws, not weighted: sums over pairs, then the mean."""
    n_modalities = len(rows)
    embeddings = [network.unique(network.encode(view)) for view in views]
    shared = agreement = correlations = 0.0
    unique = [0.0] * n_modalities
    couples = list(itertools.combinations(range(n_modalities), 2))
    tau = objective.temperature
    for i, j in couples:
        pair = both(rows[i], rows[j])
        u, s = (
            [
                {(m, k): slot(view[m], m, k, kind) for m, k in ((i, j), (j, i))}
                for view in embeddings
            ]
            for kind in (False, True)
        )
        for v in range(2):
            a, b = s[v][i, j][pair], s[v][j, i][pair]
            shared += naive_info_nce(a, b, tau, intra=False) / 2
            cosines = [cosine(p, q) for p, q in zip(a, b, strict=True)]
            agreement -= sum(cosines) / len(cosines) / 2
        for m, k in ((i, j), (j, i)):
            first, second = (
                torch.cat([u[v][m, k], s[v][k, m]], dim=1)[pair] for v in range(2)
            )
            unique[m] += naive_info_nce(first, second, tau, intra=False) / 2
            for v in range(2):
                own = u[v][m, k][rows[m]], s[v][m, k][rows[m]]
                correlations += naive_correlations(*own) / 2
    terms = [shared, agreement, *unique, correlations]
    return [term / len(couples) for term in terms]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("n_modalities", [2, 3])
def test_terms_equal_the_transcription(n_modalities, gaps, dtype):
    objective, network, views = make_case(n_modalities, dtype)
    rows = [list(range(N))] * n_modalities
    if gaps:
        views, rows = make_gaps(views)
    with torch.no_grad():
        terms = objective(network, views)
        losses = naive_terms(objective, network, views, rows)
    weights = [1.7, 0.7, *[1.0] * n_modalities, 1.3]
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


@pytest.mark.parametrize("n_present", [0, 1, 2])
def test_few_rows_of_a_modality_in_a_batch(n_present):
    objective, network, views = make_case()
    masked = lacking(views, m0=list(range(n_present, N)))
    terms = objective.train()(network.train(), masked)
    sum(terms.values()).backward()
    assert (terms["shared"].item() > 0) == (n_present == 2)
    for parameter in network.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()


def test_draws_are_of_training_and_around_the_shared_parts():
    sharp, network, views = make_case(concentration=1e10)
    blunt, *_ = make_case(concentration=10.0)
    with torch.no_grad():
        still = sharp(network, views)
        for objective, is_sharp in ((sharp, True), (blunt, False)):
            generator = torch.Generator().manual_seed(0)
            drawn = objective.train()(network, views, generator)
            for name, value in drawn.items():
                near = value.item() == pytest.approx(still[name].item(), abs=1e-3)
                assert near == (is_sharp or name != "shared")


def test_every_slot_gets_a_gradient():
    objective, network, views = make_case(3)
    sum(objective.train()(network, views).values()).backward()
    for parameter in network.parameters():
        assert parameter.grad.isfinite().all()
    for path in network.unique_paths:
        assert (path.slots.grad.abs().sum(dim=-1) > 0).all()


def test_embedding_is_shared_parts_first():
    objective, network, views = make_case(3)
    shared, *unique = objective.embed(network, views[0])
    assert objective.dims(network) == {
        "shared": 6 * UNIQUE,
        **dict.fromkeys(("m0", "m1", "m2"), 2 * UNIQUE),
    }
    embeddings = network(views[0])
    couples = list(itertools.permutations(range(3), 2))
    parts = [slot(embeddings[m], m, k, True) for m, k in couples]
    torch.testing.assert_close(shared, torch.cat(parts, dim=1))
    for m, part in enumerate(unique):
        own = [slot(embeddings[m], m, k, False) for k in range(3) if k != m]
        torch.testing.assert_close(part, torch.cat(own, dim=1))
