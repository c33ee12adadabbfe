"""FactorCL against loops (method A.6), and its two updates per batch."""

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
    name_modalities,
    permute,
    shake,
)
from objectives.critics import naive_club, naive_critic, naive_nce

from skcoral import FactorCLTransformer
from skcoral.losses import club_bound, nce_bound
from skcoral.objectives import factorcl
from skcoral.objectives.factorcl import CLUB_ROLES, Critic, FactorCLObjective


def make_case(n_modalities=2, dtype=torch.float64):
    network = make_network(n_modalities, dtype, paths=("unique",))
    objective = FactorCLObjective(name_modalities(n_modalities), UNIQUE, 6)
    objective = shake(objective.to(dtype))
    return objective.eval(), network.eval(), draw_views(n_modalities, dtype=dtype)


def naive_terms(objective, network, views, rows):
    parts = [network(view) for view in views]
    terms = dict.fromkeys(objective.terms, 0.0)
    couples = combinations(range(len(rows)), 2)
    for (m, k), pair in zip(couples, objective.pairs, strict=True):
        shared = both(rows[m], rows[k])
        for role, heads in pair.heads.items():
            given = role.startswith("conditional")
            a, b = (
                torch.cat(
                    [head(view[i][shared]) for view in parts[: 2 if given else 1]], 1
                )
                for i, head in zip((m, k), heads, strict=True)
            )
            critic = pair.critics[role]
            if role in CLUB_ROLES:
                terms[role] += naive_club(critic, a, b)
                terms["critics"] -= naive_nce(critic, a, b)
            else:
                terms[role] -= naive_nce(critic, a, b)
    for m, present in enumerate(rows):
        head = objective.self_heads[m]
        a, b = (head(view[m][present]) for view in parts)
        terms[f"self_m{m}"] = -naive_nce(objective.self_critics[m], a, b)
    return terms


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("n_modalities", [2, 3])
def test_terms_equal_the_transcription(n_modalities, gaps, dtype):
    objective, network, views = make_case(n_modalities, dtype)
    rows = [range(N)] * n_modalities
    if gaps:
        views, rows = make_gaps(views)
    with torch.no_grad():
        terms = objective(network, views)
        expected = naive_terms(objective, network, views, rows)
    assert tuple(terms) == objective.terms
    for name, value in terms.items():
        assert value.item() == pytest.approx(expected[name], abs=10 * ATOL[dtype])


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
    for function, parameters in objective.phases(network):
        terms = function(network, masked)
        assert all(value.isfinite() for value in terms.values())
        sum(terms.values()).backward(inputs=parameters)
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad is None or parameter.grad.isfinite().all()


def test_bounds_have_their_closed_values():
    scores = torch.full((5, 5), 3.0, dtype=torch.float64)
    assert nce_bound(scores).item() == pytest.approx(0.0, abs=1e-12)
    assert club_bound(scores).item() == pytest.approx(0.0, abs=1e-12)
    told = 100 * torch.eye(5, dtype=torch.float64)
    assert nce_bound(told).item() == pytest.approx(math.log(5), abs=1e-12)
    assert club_bound(told).item() == pytest.approx(80.0)


def test_first_axis_of_scores_is_the_one_that_competes():
    scores = torch.zeros(3, 3, dtype=torch.float64)
    scores[:, 0] = 50.0  # every row suits the first partner
    assert nce_bound(scores).item() == pytest.approx(0.0, abs=1e-12)
    expected = 50 / 3 - (50 - math.log(3))
    assert nce_bound(scores.T).item() == pytest.approx(expected)


@pytest.mark.parametrize("units_at_once", [1, 70, 1000])
def test_critic_scores_all_pairs(monkeypatch, units_at_once):
    # A row, two rows, all rows of `a` at a time.
    monkeypatch.setattr(factorcl, "UNITS_AT_ONCE", units_at_once)
    torch.manual_seed(0)
    critic = Critic(3, 2, 5)
    a, b = torch.randn(4, 3), torch.randn(6, 2)
    scores = critic(a, b)
    naive = [
        torch.stack([naive_critic(critic, row, other) for other in b]) for row in a
    ]
    torch.testing.assert_close(scores, torch.stack(naive))


def test_two_updates_move_what_is_theirs():
    objective, network, views = make_case(3)
    (bound, others), (fit_critics, critics) = objective.phases(network)
    everything = {*objective.parameters(), *network.parameters()}
    assert {*others} | {*critics} == everything
    assert not {*others} & {*critics}
    assert len(critics) == 2 * 3 * len(list(Critic(1, 1, 1).parameters()))
    for function, own in ((bound, others), (fit_critics, critics)):
        for parameter in everything:
            parameter.grad = None
        sum(function(network, views).values()).backward(inputs=own)
        moved = {p for p in everything if p.grad is not None}
        assert moved == {*own}


def test_a_batch_makes_two_steps_of_the_optimizer(views):
    model = FactorCLTransformer(
        embed_dim=8, critic_hidden_dim=4, max_epochs=3, batch_size=20, random_state=0
    ).fit(views)
    net = model.net_
    steps = {float(state["step"]) for state in net.optimizer_.state.values()}
    # Three batches in three epochs; each parameter is moved once per batch.
    assert steps == {9.0}
    assert len(net.optimizer_.state) == len(
        [*net.module_.parameters(), *net.criterion_.parameters()]
    )
    assert set(model.history_) == {
        "train_loss",
        *(f"train_{term}" for term in net.criterion_.terms),
    }


@pytest.mark.parametrize("related", [True, False])
def test_a_critic_learns_the_information_there_is(related):
    torch.manual_seed(0)
    critic = Critic(4, 4, 32)
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.01)
    for _ in range(150):
        a, noise = torch.randn(2, 60, 4)
        bound = nce_bound(critic(a, a if related else noise))
        optimizer.zero_grad()
        (-bound).backward()
        optimizer.step()
    # Log 60 nats are the most that 60 rows can show.
    assert (bound.item() > 1.5) == related
    assert bound.item() < math.log(60)


def test_early_stopping_is_refused(views):
    model = FactorCLTransformer(unique_dim=2, early_stopping=True)
    message = "FactorCLTransformer does not support early_stopping=True"
    with pytest.raises(ValueError, match=message):
        model.fit(views)


def test_embedding_is_all_head_outputs():
    objective, network, views = make_case(3)
    parts = objective.embed(network, views[0])
    dims = objective.dims(network)
    assert [part.shape[1] for part in parts] == list(dims.values()) == [9 * UNIQUE] * 3
    embedding = network(views[0])[2]
    torch.testing.assert_close(parts[2][:, :UNIQUE], objective.self_heads[2](embedding))
    # Modality 2 is the second one in its pairs with 0 and 1.
    last = objective.pairs[2].heads["conditional_club"][1](embedding)
    torch.testing.assert_close(parts[2][:, -UNIQUE:], last)
