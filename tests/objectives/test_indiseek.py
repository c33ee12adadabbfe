"""IndiSeek against loops, its two steps and the two updates of the second."""

from itertools import combinations, permutations

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
from objectives.critics import naive_club, naive_nce
from objectives.steps import fit_in_steps

from skcoral import IndiSeekTransformer
from skcoral.objectives.indiseek import IndiSeekObjective

OF_STEP_2 = ("unique_encoders", "unique_paths", "decoders", "critics")


def make_case(n_modalities=2, dtype=torch.float64):
    network = make_network(n_modalities, dtype)
    sizes = {"head_hidden_dim": 7, "critic_hidden_dim": 6}
    weights = {"temperature": 0.3, "reconstruction_weight": 1.3}
    names = name_modalities(n_modalities)
    objective = IndiSeekObjective(names, DIM, UNIQUE, **sizes, **weights)
    objective = shake(objective.to(dtype))
    return objective.eval(), network.eval(), draw_views(n_modalities, 1, dtype)


def naive_terms(objective, network, views, rows):
    """Return all terms, weighted, in order."""
    everyone = range(len(rows))
    tokens = network.encode(views[0])
    c = [network.fuse(tokens, subset=[m]) for m in everyone]
    z = network.unique(tokens)
    nce = []
    for m, k in combinations(everyone, 2):
        pair = both(rows[m], rows[k])
        a, b = c[m][pair], c[k][pair]
        nce.append(naive_info_nce(a, b, objective.temperature, intra=False))
    independence = critics = 0.0
    for (m, k), critic in zip(
        permutations(everyone, 2), objective.critics, strict=True
    ):
        pair = both(rows[m], rows[k])
        a, b = z[m][pair], c[k][pair]
        independence += naive_club(critic, a, b) / (len(rows) - 1)
        critics -= naive_nce(critic, a, b)
    reconstructions = []
    for m, decoder in enumerate(objective.decoders):
        error = square = 0.0
        for i in rows[m]:
            x = sum(tokens.shared[m][i]) / len(tokens.shared[m][i])
            made = decoder(torch.cat([z[m][i], c[m][i]]))
            error += sum((made - x) ** 2) / len(rows[m])
            square += sum(x**2) / len(rows[m])
        weight = objective.reconstruction_weight
        reconstructions.append(weight / (2 * square) * error)
    return [sum(nce) / len(nce), independence, *reconstructions, critics]


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
        expected = naive_terms(objective, network, views, rows)
    assert tuple(terms) == objective.terms
    for value, loss in zip(terms.values(), expected, strict=True):
        known = float(loss)
        assert value.item() == pytest.approx(known, abs=10 * ATOL[dtype], rel=1e-6)


def test_padding_is_not_reconstructed():
    objective, network, views = make_case()
    noise = torch.randn(N, 2, DIM, dtype=torch.float64)
    real = torch.tensor([True] * 3 + [False] * 2).expand(N, -1)
    padded = {**views[0], "m1": (torch.cat([views[0]["m1"], noise], dim=1), real)}
    for name, value in objective(network, views).items():
        torch.testing.assert_close(objective(network, [padded])[name], value)


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
    for function, parameters in objective.phases(network):
        sum(function(network, masked).values()).backward(inputs=parameters)
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad is None or parameter.grad.isfinite().all()


@pytest.mark.parametrize(
    ("max_epochs", "steps"), [(1, [1]), (4, [1, 1, 2, 2, 2]), (5, [1, 1, 1, 2, 2])]
)
def test_steps_have_half_of_the_epochs(max_epochs, steps):
    objective, network, _ = make_case()
    objective.max_epochs.fill_(max_epochs)
    for epoch, step in enumerate(steps):
        objective.epoch.fill_(epoch)
        functions = [function for function, _ in objective.phases(network)]
        expected = [objective.learn_shared]
        if step == 2:
            expected = [objective.learn_specific, objective.fit_critics]
        assert functions == expected


def test_each_update_moves_what_is_its_own():
    objective, network, views = make_case(3)
    objective.max_epochs.fill_(2)
    named = {**dict(network.named_parameters()), **dict(objective.named_parameters())}
    moved = []
    for epoch in (0, 1):
        objective.epoch.fill_(epoch)
        recorded = []
        for function, own in objective.phases(network):
            for parameter in named.values():
                parameter.grad = None
            terms = function(network, views)
            sum(terms.values()).backward(inputs=own)
            moved.append({n for n, p in named.items() if p.grad is not None})
            recorded += terms
        # Each term once: what an update records is not overwritten by the next.
        assert sorted(recorded) == sorted(objective.terms)
    first, second, critics = moved
    assert first == {name for name in named if not name.startswith(OF_STEP_2)}
    assert second == {name for name in named if name.startswith(OF_STEP_2[:3])}
    assert critics == {name for name in named if name.startswith("critics")}


def test_the_shared_part_is_frozen_bit_for_bit_in_the_second_step(views):
    model = fit_in_steps(IndiSeekTransformer, views, OF_STEP_2)
    history = model.history_
    assert history["train_shared"][3:] == [0.0] * 3
    for term in ("independence", "reconstruction_a", "critics"):
        assert history[f"train_{term}"][:3] == [0.0] * 3
        assert min(map(abs, history[f"train_{term}"][3:])) > 0.0


def test_early_stopping_is_refused(views):
    model = IndiSeekTransformer(embed_dim=8, early_stopping=True)
    message = "IndiSeekTransformer does not support early_stopping=True"
    with pytest.raises(ValueError, match=message):
        model.fit(views)


def test_embedding_fills_what_is_missing():
    objective, network, views = make_case(3)
    shared, *specific = objective.embed(network, views[0])
    assert objective.dims(network) == {
        "shared": 3 * DIM,
        **dict.fromkeys(("m0", "m1", "m2"), UNIQUE),
    }
    assert shared.shape == (N, 3 * DIM)
    for part, known in zip(specific, network(views[0])[1:], strict=True):
        torch.testing.assert_close(part, known)
    filled, *_ = objective.embed(network, lacking(views, m0=[2])[0])
    torch.testing.assert_close(filled[0], shared[0])
    torch.testing.assert_close(filled[2, DIM:], shared[2, DIM:])
    others = shared[2, DIM : 2 * DIM] + shared[2, 2 * DIM :]
    torch.testing.assert_close(filled[2, :DIM], others / 2)
