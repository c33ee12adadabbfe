"""GMC against loops (method A.8)."""

import pytest
import torch
from helpers import (
    ATOL,
    DIM,
    N,
    draw_views,
    lacking,
    make_gaps,
    make_network,
    naive_info_nce,
    name_modalities,
    permute,
    shake,
)

from skcoral.objectives.gmc import GMCObjective


def make_case(n_modalities=2, dtype=torch.float64, **params):
    network = make_network(n_modalities, dtype, unique_dim=DIM)
    names = name_modalities(n_modalities)
    heads = {"head_hidden_dim": 7, "head_dim": 5}
    objective = shake(GMCObjective(names, DIM, **heads, **params).to(dtype))
    return objective.eval(), network.eval(), draw_views(n_modalities, 1, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("n_modalities", "gaps"), [(1, False), (2, False), (2, True), (3, False), (3, True)]
)
def test_terms_equal_the_transcription(n_modalities, gaps, dtype):
    objective, network, views = make_case(n_modalities, dtype, temperature=0.3)
    rows = [range(N)] * n_modalities
    if gaps:
        views, rows = make_gaps(views)
    with torch.no_grad():
        terms = objective(network, views)
        joint, *single = (objective.head(part) for part in network(views[0]))
    assert tuple(terms) == objective.terms
    for value, alone, present in zip(terms.values(), single, rows, strict=True):
        expected = naive_info_nce(alone[present], joint[present], 0.3)
        assert value.item() == pytest.approx(expected, abs=10 * ATOL[dtype])


def test_order_of_rows_does_not_matter():
    objective, network, views = make_case(3)
    first = objective(network, views)
    second = objective(network, permute(views, [3, 1, 5, 0, 2, 4]))
    for name in first:
        torch.testing.assert_close(first[name], second[name])


def test_incomplete_rows_are_the_mean_of_what_they_have():
    objective, network, views = make_case(3)
    masked = lacking(views, m0=[1, 2], m2=[2])
    (whole,) = objective.embed(network, views[0])
    (parts,) = objective.embed(network, masked[0])
    tokens = network.encode(views[0])
    single = [objective.head(part) for part in network.unique(tokens)]
    single = [part / part.norm(dim=1, keepdim=True) for part in single]
    torch.testing.assert_close(parts[0], whole[0])
    torch.testing.assert_close(parts[1], (single[1][1] + single[2][1]) / 2)
    torch.testing.assert_close(parts[2], single[1][2])
    torch.testing.assert_close(whole.norm(dim=1), torch.ones(N, dtype=whole.dtype))


@pytest.mark.parametrize("n_present", [0, 1, 2])
def test_few_rows_of_a_modality_in_a_batch(n_present):
    objective, network, views = make_case()
    terms = objective(network, lacking(views, m0=list(range(n_present, N))))
    sum(terms.values()).backward()
    assert (terms["shared_m0"].item() > 0) == (n_present == 2)
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad is None or parameter.grad.isfinite().all()


def test_every_parameter_gets_a_gradient():
    objective, network, views = make_case(3)
    sum(objective(network, views).values()).backward()
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad.isfinite().all()
