"""CoMM and InfMasking against loops (method A.2, A.3)."""

import math

import pytest
import torch
from helpers import (
    ATOL,
    DIM,
    N,
    draw_views,
    make_gaps,
    make_network,
    naive_info_nce,
    name_modalities,
    permute,
    shake,
)

from skcoral.losses import info_nce_of_masks
from skcoral.objectives.comm import CoMMObjective, InfMaskingObjective, _keep_exactly

KINDS = [CoMMObjective, InfMaskingObjective]
WEIGHTS = {"unimodal_weight": 0.7, "multimodal_weight": 5.0}


def make_case(kind, n_modalities=2, dtype=torch.float64, **params):
    network = make_network(
        n_modalities, dtype, paths=("shared",), mask_mode="token", n_layers=2
    )
    heads = {"head_hidden_dim": 7, "head_dim": 5}
    names = name_modalities(n_modalities)
    objective = shake(kind(names, DIM, **heads, **params).to(dtype))
    return objective.eval(), network.eval(), draw_views(n_modalities, dtype=dtype)


def naive_comm(objective, network, views, rows, temperature):
    """Return the terms of each modality and of all, not weighted."""
    whole = [objective.head(network.fuse(network.encode(view))) for view in views]
    losses = []
    for m, present in enumerate(rows):
        first, second = (
            objective.head(network.fuse(network.encode(view), subset=[m]))
            for view in views
        )
        forth = naive_info_nce(first[present], whole[1][present], temperature)
        back = naive_info_nce(second[present], whole[0][present], temperature)
        losses.append((forth + back) / 2)
    return [*losses, naive_info_nce(*whole, temperature)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("n_modalities", "gaps"), [(1, False), (2, False), (2, True), (3, False), (3, True)]
)
def test_comm_equals_the_transcription(n_modalities, gaps, dtype):
    case = make_case(CoMMObjective, n_modalities, dtype, temperature=0.3, **WEIGHTS)
    objective, network, views = case
    rows = [range(N)] * n_modalities
    if gaps:
        views, rows = make_gaps(views)
    with torch.no_grad():
        terms = objective(network, views)
        losses = naive_comm(objective, network, views, rows, 0.3)
    weights = [0.7] * n_modalities + [5.0]
    assert tuple(terms) == objective.terms
    for value, weight, loss in zip(terms.values(), weights, losses, strict=True):
        expected = weight * float(loss) / (n_modalities + 1)
        assert value.item() == pytest.approx(expected, abs=10 * ATOL[dtype])


def naive_masking(anchors, masked, temperature, weight):
    """Return the loss of one view with covariance matrices, row by row."""
    q = [row / row.norm() for row in anchors]
    m = [[row / row.norm() for row in version] for version in masked]
    n_masks, losses, corrections = len(m), [], []
    for i in range(len(q)):
        mean = sum(version[i] for version in m) / n_masks
        deviations = [version[i] - mean for version in m]
        covariance = sum(torch.outer(d, d) for d in deviations) / n_masks
        scaled = weight * covariance / temperature
        form = q[i] @ scaled @ q[i]
        positive = math.exp((q[i] @ mean + form / 2) / temperature)
        negatives = 0.0
        for j in range(len(q)):
            if j != i:
                others = [*(version[j] for version in m), q[j]]
                negatives += sum(math.exp(q[i] @ o / temperature) for o in others)
        losses.append(-math.log(positive / (positive + negatives)))
        corrections.append(form / temperature)
    return sum(losses) / len(q) + 0.5 * sum(corrections) / len(q)


@pytest.mark.parametrize("n_masks", [1, 2, 5])
@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_variance_equals_the_covariance_form(n_masks, temperature):
    generator = torch.Generator().manual_seed(0)
    options = {"generator": generator, "dtype": torch.float64}
    anchors, masked = (
        torch.randn(7, 4, **options),
        torch.randn(n_masks, 7, 4, **options),
    )
    got = info_nce_of_masks(anchors, masked, temperature, 0.6).item()
    expected = float(naive_masking(anchors, masked, temperature, 0.6))
    assert got == pytest.approx(expected, abs=1e-10, rel=1e-10)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("n_modalities", "gaps"), [(1, False), (2, False), (3, False), (3, True)]
)
def test_infmasking_equals_the_transcription(
    n_modalities, gaps, dtype, training, monkeypatch
):
    params = {"n_masks": 3, "mask_ratio": 0.5, "variance_weight": 2.0}
    params |= {"temperature": 0.3, "masking_weight": 1.5, **WEIGHTS}
    objective, network, views = make_case(
        InfMaskingObjective, n_modalities, dtype, **params
    )
    objective.epoch.fill_(1)
    objective.max_epochs.fill_(4)
    if training:
        objective.training = True  # the head still normalises by its running statistics
    rows = [range(N)] * n_modalities
    if gaps:
        views, rows = make_gaps(views)
    drawn = []
    draw = objective._draw_keep
    monkeypatch.setattr(
        objective, "_draw_keep", lambda *a: drawn.append(draw(*a)) or drawn[-1]
    )
    with torch.no_grad():
        terms = objective(network, views)
        masking = 0.0
        for v, view in enumerate(views):
            tokens = network.encode(view)
            part = slice(v * N, (v + 1) * N)
            masked = [
                objective.head(network.fuse(tokens, keep=[k[part] for k in keep]))
                for keep in drawn
            ]
            whole = objective.head(network.fuse(tokens))
            # The second of four epochs has half of the weight, in training.
            weight = 1.0 if training else 2.0
            masking += naive_masking(whole, masked, 0.3, weight)
        losses = [masking, *naive_comm(objective, network, views, rows, 0.3)]
    weights = [1.5, *[0.7] * n_modalities, 5.0]
    assert len(drawn) == 3
    assert tuple(terms) == objective.terms
    for value, weight, loss in zip(terms.values(), weights, losses, strict=True):
        expected = weight * float(loss) / (n_modalities + 3)
        assert value.item() == pytest.approx(expected, abs=10 * ATOL[dtype])


def test_weight_of_the_variance_grows_linearly_and_stops_at_the_plan():
    objective, _, _ = make_case(InfMaskingObjective, variance_weight=2.0)
    objective.max_epochs.fill_(4)
    weights = []
    for epoch in range(6):
        objective.epoch.fill_(epoch)
        weights.append(objective.train()._current_variance_weight())
        # Losses of validation can be compared between epochs.
        assert objective.eval()._current_variance_weight() == 2.0
    assert weights == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]


@pytest.mark.parametrize("ratio", [0.0, 0.2, 0.7, 0.8, 0.9, 1.0])
def test_exact_numbers_of_real_tokens_are_kept(ratio):
    n_tokens = 20
    mask = torch.arange(n_tokens) < torch.arange(n_tokens + 1)[:, None]
    values = torch.zeros(len(mask), n_tokens, 1)
    kept = _keep_exactly(values, mask, ratio, None)
    tenths = round(10 * (1 - ratio))
    expected = [t * tenths // 10 for t in range(n_tokens + 1)]
    assert kept.sum(dim=1).tolist() == expected
    assert not (kept & ~mask).any()
    full = _keep_exactly(values, None, ratio, None)
    assert full.sum(dim=1).tolist() == [n_tokens * tenths // 10] * len(mask)


def test_every_token_is_kept_as_often_as_another():
    generator = torch.Generator().manual_seed(0)
    kept = _keep_exactly(torch.zeros(4000, 5, 1), None, 0.6, generator)
    # 4,000 draws with 0.4: the standard error is 0.0077.
    assert kept.double().mean(dim=0).tolist() == pytest.approx([0.4] * 5, abs=0.035)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_gets_a_finite_gradient(kind):
    objective, network, views = make_case(kind, 3)
    sum(objective.train()(network.train(), views).values()).backward()
    for name, parameter in (*objective.named_parameters(), *network.named_parameters()):
        if name == "mask_token" and kind is CoMMObjective:
            continue
        assert parameter.grad.isfinite().all(), name


def test_order_of_rows_does_not_matter():
    objective, network, views = make_case(CoMMObjective, 3)
    first = objective(network, views)
    second = objective(network, permute(views, [3, 1, 5, 0, 2, 4]))
    for name in first:
        torch.testing.assert_close(first[name], second[name])


def test_order_of_rows_does_not_matter_to_masks():
    anchors, masked = torch.randn(5, 3).double(), torch.randn(4, 5, 3).double()
    order = [3, 1, 4, 0, 2]
    first = info_nce_of_masks(anchors, masked)
    torch.testing.assert_close(
        info_nce_of_masks(anchors[order], masked[:, order]), first
    )
    assert torch.autograd.gradcheck(
        info_nce_of_masks, (anchors.requires_grad_(), masked.requires_grad_(), 0.5)
    )


@pytest.mark.parametrize("n_modalities", [1, 2])
def test_encoders_run_once_and_fusions_as_often_as_needed(n_modalities, monkeypatch):
    objective, network, views = make_case(InfMaskingObjective, n_modalities, n_masks=4)
    calls = {"encode": 0, "fuse": 0}
    for name in calls:
        method = getattr(network, name)

        def count(*args, name=name, method=method, **kwargs):
            calls[name] += 1
            return method(*args, **kwargs)

        monkeypatch.setattr(network, name, count)
    objective(network, views)
    assert calls == {"encode": 1, "fuse": 1 + 4 + n_modalities}
