"""COrAL's objective against a transcription by loops (method A.1), and its schedule."""

from collections import Counter
from itertools import combinations

import pytest
import torch
from helpers import ATOL, N, Spec, cosine, lacking, naive_info_nce
from torch import nn

from skcoral.nn.network import DualPathNetwork
from skcoral.objectives import Objective, ProjectionHead
from skcoral.objectives.coral import COrALObjective, _draw_bipartition

DIM, UNIQUE = 8, 4


def make_case(n_modalities=2, dtype=torch.float64, **params):
    """Return an objective, a network and two views."""
    torch.manual_seed(0)
    names = [f"m{i}" for i in range(n_modalities)]
    network = DualPathNetwork(dict.fromkeys(names, Spec()), DIM, UNIQUE, n_heads=2)
    objective = COrALObjective(
        names, DIM, UNIQUE, head_hidden_dim=7, head_dim=5, **params
    )
    views = [
        {name: torch.randn(N, 2 + i, DIM, dtype=dtype) for i, name in enumerate(names)}
        for _ in range(2)
    ]
    return objective.to(dtype), network.to(dtype), views


def naive_overlap(components, kind):
    total = 0.0
    for a, b in combinations(components, 2):
        cosines = [float(cosine(x, y)) for x, y in zip(a, b, strict=True)]
        phi = [c**2 if kind == "squared" else max(0.0, c) for c in cosines]
        total += sum(phi) / len(phi)
    return total


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["squared", "hinge"])
@pytest.mark.parametrize("n_modalities", [1, 2, 3])
def test_terms_equal_the_transcription(n_modalities, kind, dtype):
    weights = {"shared_weight": 0.7, "unique_weight": 1.3, "ortho_weight": 2.0}
    objective, network, views = make_case(
        n_modalities, dtype, orthogonality=kind, temperature=0.3, **weights
    )
    objective.eval()
    with torch.no_grad():
        terms = objective(network, views)
        first, second = (
            [head(part) for head, part in zip(objective.heads, network(v), strict=True)]
            for v in views
        )
    expected = [
        weight * naive_info_nce(a, b, 0.3)
        for weight, a, b in zip(
            [0.7] + [1.3] * n_modalities, first, second, strict=True
        )
    ]
    overlaps = [naive_overlap(view, kind) for view in (first, second)]
    expected.append(2.0 * sum(overlaps))
    names = ["shared", *(f"unique_m{i}" for i in range(n_modalities)), "orthogonality"]
    assert list(terms) == names == list(objective.terms)
    for name, value in zip(names, expected, strict=True):
        assert terms[name].item() == pytest.approx(value, abs=10 * ATOL[dtype])


@pytest.mark.parametrize(("n_modalities", "factor"), [(1, 3), (2, 1), (3, 0.5)])
def test_mean_reduction_keeps_the_scale_of_two_modalities(n_modalities, factor):
    terms = []
    for reduction in ("sum", "mean"):
        objective, network, views = make_case(n_modalities, ortho_reduction=reduction)
        objective.eval()
        terms.append(objective(network, views)["orthogonality"].item())
    assert terms[1] == pytest.approx(factor * terms[0])


def observe_keep(objective, network, views, monkeypatch):
    """Run the objective and return what it let the fusion keep."""
    seen = []
    fuse = network.fuse

    def spy(tokens, subset=None, keep=None):
        seen.append(keep)
        return fuse(tokens, subset, keep)

    monkeypatch.setattr(network, "fuse", spy)
    objective(network, views)
    return seen[0]


def test_two_modalities_are_masked_in_complementary_views(monkeypatch):
    objective, network, views = make_case(mask_ratio=1.0)
    keep = observe_keep(objective, network, views, monkeypatch)
    # Rows of view 1 come first: it hides modality 0, and view 2 hides modality 1.
    assert [k[:N].all().item() for k in keep] == [False, True]
    assert [k[N:].all().item() for k in keep] == [True, False]
    assert not keep[0][:N].any()
    assert not keep[1][N:].any()


def test_one_modality_is_never_masked(monkeypatch):
    objective, network, views = make_case(1, mask_ratio=1.0)
    (keep,) = observe_keep(objective, network, views, monkeypatch)
    assert keep.all()


def test_more_modalities_are_split_by_every_proper_bipartition(monkeypatch):
    objective, network, views = make_case(3, mask_ratio=1.0)
    torch.manual_seed(0)
    splits = Counter()
    for _ in range(600):
        with monkeypatch.context() as patch:
            keep = observe_keep(objective, network, views, patch)
        in_first = tuple(not k[:N].any() for k in keep)
        in_second = tuple(not k[N:].any() for k in keep)
        assert in_second == tuple(not m for m in in_first)
        splits[tuple(map(bool, in_first))] += 1
    assert len(splits) == 6
    # 600 draws over 6 partitions: 100 +- 9.1 each, so 60 is more than four deviations.
    assert min(splits.values()) > 60


def test_a_hundred_modalities_are_split():
    generator = torch.Generator().manual_seed(0)
    in_first = _draw_bipartition(100, torch.device("cpu"), generator)
    assert len(in_first) == 100
    assert 0 < sum(in_first) < 100


def test_mask_ratio_is_the_share_of_hidden_tokens(monkeypatch):
    objective, network, _ = make_case(mask_ratio=0.3)
    views = [
        {f"m{i}": torch.randn(2000, 3, DIM).double() for i in range(2)}
        for _ in range(2)
    ]
    keep = observe_keep(objective, network, views, monkeypatch)
    # 6,000 tokens: the standard error is 0.006.
    assert keep[0][:2000].double().mean().item() == pytest.approx(0.7, abs=0.03)


def test_nothing_is_masked_in_evaluation(monkeypatch):
    objective, network, views = make_case(mask_ratio=1.0)
    objective.eval()
    assert observe_keep(objective, network, views, monkeypatch) is None


def test_masks_leave_the_unique_terms_alone():
    terms = []
    for ratio in (0.0, 1.0):
        objective, network, views = make_case(mask_ratio=ratio)
        terms.append({k: v.item() for k, v in objective(network, views).items()})
    assert terms[0]["unique_m0"] == pytest.approx(terms[1]["unique_m0"])
    assert terms[0]["shared"] != pytest.approx(terms[1]["shared"])


@pytest.mark.parametrize("max_epochs", [4, 40, 100])
def test_schedule_has_stages_of_equal_length(max_epochs):
    schedule = (0.05, 0.35, 0.55, 0.75)
    objective, _, _ = make_case(mask_ratio=schedule)
    objective.max_epochs.fill_(max_epochs)
    ratios = []
    for epoch in range(max_epochs):
        objective.epoch.fill_(epoch)
        ratios.append(objective._current_ratio())
    assert ratios == [r for r in schedule for _ in range(max_epochs // 4)]


def test_training_beyond_the_plan_stays_in_the_last_stage():
    objective, _, _ = make_case(mask_ratio=(0.1, 0.2))
    objective.epoch.fill_(99)
    assert objective._current_ratio() == 0.2


def test_schedule_position_is_saved_with_the_state():
    objective, _, _ = make_case()
    objective.epoch.fill_(3)
    objective.max_epochs.fill_(9)
    other, _, _ = make_case()
    other.load_state_dict(objective.state_dict())
    assert (int(other.epoch), int(other.max_epochs)) == (3, 9)


def test_heads_normalise_each_view_by_itself():
    objective, network, views = make_case(mask_ratio=0.0)
    shifted = [views[0], {k: 5 + v for k, v in views[1].items()}]
    heads = []
    objective.project = lambda parts, present: (
        heads.append([head(p) for head, p in zip(objective.heads, parts, strict=True)])
        or heads[-1]
    )
    objective(network, views)
    objective(network, shifted)
    torch.testing.assert_close(heads[0][0], heads[2][0])


def test_every_parameter_gets_a_finite_gradient():
    objective, network, views = make_case(3)
    sum(objective(network, views).values()).backward()
    for module in (objective, network):
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name


def test_views_may_carry_padding_masks():
    objective, network, views = make_case()
    objective.eval()
    plain = objective(network, views)
    real = torch.tensor([True] * 2 + [False]).expand(N, -1)
    padded = [
        {**v, "m0": (torch.cat([v["m0"], v["m0"][:, :1]], dim=1), real)} for v in views
    ]
    for name, value in objective(network, padded).items():
        torch.testing.assert_close(value, plain[name], atol=1e-10, rtol=0)


def test_projection_head_has_three_layers():
    head = ProjectionHead(4, 6, 2)
    linear = [layer for layer in head if isinstance(layer, nn.Linear)]
    assert [(x.in_features, x.out_features) for x in linear] == [(4, 6), (6, 6), (6, 2)]


def test_an_objective_must_say_what_it_minimises():
    with pytest.raises(NotImplementedError):
        Objective()(None, [])


# Missing modalities


@pytest.mark.parametrize("kind", ["squared", "hinge"])
def test_terms_leave_out_the_rows_that_lack_a_modality(kind):
    objective, network, views = make_case(3, orthogonality=kind, temperature=0.3)
    objective.eval()
    missing = {"m0": [0, 1], "m2": [1, 4, 5]}
    rows = {
        name: [i for i in range(N) if i not in missing.get(name, [])]
        for name in ("m0", "m1", "m2")
    }
    with torch.no_grad():
        terms = objective(network, lacking(views, **missing))
        heads = []
        for view in lacking(views, **missing):
            parts = network(view)
            heads.append(
                [h(part) for h, part in zip(objective.heads, parts, strict=True)]
            )
    names = ["m0", "m1", "m2"]
    for m, name in enumerate(names):
        a, b = (view[m + 1][rows[name]] for view in heads)
        expected = naive_info_nce(a, b, 0.3)
        assert terms[f"unique_{name}"].item() == pytest.approx(expected, abs=1e-8)
    expected = 0.0
    for shared, *unique in heads:
        for m, name in enumerate(names):
            pair = [shared[rows[name]], unique[m][rows[name]]]
            expected += naive_overlap(pair, kind)
        for m, n in combinations(range(3), 2):
            both = sorted(set(rows[names[m]]) & set(rows[names[n]]))
            expected += naive_overlap([unique[m][both], unique[n][both]], kind)
    assert terms["orthogonality"].item() == pytest.approx(expected, abs=1e-8)
    shared = naive_info_nce(heads[0][0], heads[1][0], 0.3)
    assert terms["shared"].item() == pytest.approx(shared, abs=1e-8)


def test_missing_rows_do_not_enter_the_batch_normalisation():
    objective, network, views = make_case(mask_ratio=0.0)
    missing = {"m0": [0, 1]}
    other = [{**view, "m0": view["m0"].clone()} for view in views]
    for view in other:
        view["m0"][[0, 1]] = 100.0
    first = objective(network, lacking(views, **missing))
    second = objective(network, lacking(other, **missing))
    for name in first:
        torch.testing.assert_close(first[name], second[name])


@pytest.mark.parametrize("n_present", [0, 1, 2])
def test_few_rows_of_a_modality_in_a_batch(n_present):
    objective, network, views = make_case()
    terms = objective(network, lacking(views, m0=list(range(n_present, N))))
    sum(terms.values()).backward()
    assert (terms["unique_m0"].item() > 0) == (n_present == 2)
    for parameter in (*objective.parameters(), *network.parameters()):
        assert parameter.grad is None or parameter.grad.isfinite().all()


def test_a_view_never_masks_the_only_modality_of_a_row(monkeypatch):
    objective, network, views = make_case(3, mask_ratio=1.0)
    masked = lacking(views, m1=[2], m2=[2, 3])
    for _ in range(5):
        with monkeypatch.context() as patch:
            keep = observe_keep(objective, network, masked, patch)
        for k in keep:
            assert k[[2, N + 2]].all()
        # Row 3 has two modalities, and one of the views hides one of them or both.
        assert not all(k[[3, N + 3]].all() for k in keep[:2])


def test_modality_dropout_hides_modalities_of_views_but_never_all(monkeypatch):
    objective, network, _ = make_case(3, modality_dropout=0.5, mask_ratio=0.0)
    views = [
        {f"m{i}": torch.randn(2000, 2, DIM).double() for i in range(3)}
        for _ in range(2)
    ]
    seen = []
    fuse = network.fuse
    monkeypatch.setattr(
        network, "fuse", lambda tokens, **k: seen.append(tokens) or fuse(tokens, **k)
    )
    terms = objective(network, views)
    present = torch.stack([mask[:, 0] for mask in seen[0].masks], dim=1)
    assert present.any(dim=1).all()
    # A row keeps all three with 1/8, and again 1/8 by losing none instead of all: of
    # 4,000 rows 0.25 +- 0.0068.
    share = present.all(dim=1).double().mean().item()
    assert share == pytest.approx(0.25, abs=0.03)
    assert terms["unique_m0"].isfinite()
    objective.eval()
    objective(network, views)
    assert seen[1].masks == [None] * 3
