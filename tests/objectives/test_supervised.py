"""The supervised term against loops, and that the other terms are left alone."""

import math

import pytest
import torch
from helpers import (
    DIM,
    UNIQUE,
    N,
    draw_views,
    make_gaps,
    make_network,
    name_modalities,
    shake,
)

from skcoral.objectives.coral import COrALObjective
from skcoral.objectives.supervised import SupervisedObjective

SIZES = {"embed_dim": DIM, "unique_dim": UNIQUE, "head_hidden_dim": 7, "head_dim": 5}
CODES = torch.tensor([0, 2, 1, 1, 0, 2], dtype=torch.float64)
VALUES = torch.tensor([0.5, -1.0, 2.0, 0.0, -0.5, 1.5], dtype=torch.float64)


def make_case(n_modalities=2, n_outputs=3, mask_ratio=0.75, **params):
    """Return an objective, its contrast alone, a network and two views."""
    names = name_modalities(n_modalities)
    inner = {"names": names, "mask_ratio": mask_ratio, **SIZES}
    torch.manual_seed(1)
    objective = shake(SupervisedObjective(COrALObjective, inner, **params).double())
    contrast = COrALObjective(**inner).double()
    contrast.load_state_dict(objective.contrast.state_dict())
    network = make_network(n_modalities, head_start=[0.1] * n_outputs)
    return objective, contrast, network, draw_views(n_modalities)


@torch.no_grad()
def naive_outputs(network, view):
    """Return the outputs of the head row by row."""
    return apply_head(network.head, torch.cat(network(view), dim=1))


@torch.no_grad()
def apply_head(head, rows):
    """Return linear functions of rows that are standardised over the batch."""
    mean = sum(rows) / len(rows)
    deviation = (sum((row - mean) ** 2 for row in rows) / len(rows) + 1e-5).sqrt()
    units = list(zip(head.linear.weight, head.linear.bias, strict=True))
    rows = [(row - mean) / deviation for row in rows]
    return [[float(w @ row + b) for w, b in units] for row in rows]


def naive_cross_entropy(outputs, codes, weights):
    total = 0.0
    for row, code in zip(outputs, codes, strict=True):
        probability = math.exp(row[code]) / sum(math.exp(value) for value in row)
        total -= weights[code] * math.log(probability)
    return total / sum(weights[code] for code in codes)


@pytest.mark.parametrize("class_weight", [None, [0.25, 3.0, 1.0]])
@pytest.mark.parametrize("n_modalities", [1, 2, 3])
def test_cross_entropy_equals_the_transcription(n_modalities, class_weight):
    objective, _, network, views = make_case(
        n_modalities, loss="cross_entropy", weight=0.7, class_weight=class_weight
    )
    (labelled,) = draw_views(n_modalities, 1)
    terms = objective(network, views, None, [labelled], CODES)
    codes = CODES.long().tolist()
    outputs = naive_outputs(network, labelled)
    expected = 0.7 * naive_cross_entropy(outputs, codes, class_weight or [1, 1, 1])
    assert terms["supervised"].item() == pytest.approx(expected, abs=1e-10)


def test_squared_error_equals_the_transcription():
    objective, _, network, views = make_case(
        n_outputs=1, loss="squared_error", weight=2.0
    )
    (labelled,) = draw_views(2, 1)
    terms = objective(network, views, None, [labelled], VALUES)
    pairs = zip(naive_outputs(network, labelled), VALUES.tolist(), strict=True)
    errors = [(output - y) ** 2 for (output,), y in pairs]
    expected = 2.0 * sum(errors) / len(errors)
    assert terms["supervised"].item() == pytest.approx(expected, abs=1e-10)


def test_several_labelled_views_are_rows_of_one_batch():
    objective, _, network, views = make_case(loss="cross_entropy")
    labelled = draw_views(2)
    rows = torch.cat([torch.cat(network(view), dim=1) for view in labelled])
    codes = CODES.long().tolist() * 2
    expected = naive_cross_entropy(apply_head(network.head, rows), codes, [1, 1, 1])
    terms = objective(network, views, None, labelled, CODES)
    assert terms["supervised"].item() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("mask_ratio", [0.0, 0.5, (0.1, 0.9)])
def test_the_other_terms_are_those_of_the_contrast(mask_ratio):
    objective, contrast, network, views = make_case(
        loss="cross_entropy", mask_ratio=mask_ratio
    )
    for part in (objective, contrast):
        part.epoch.fill_(1)
        part.max_epochs.fill_(2)
    torch.manual_seed(3)
    terms = objective(network, views, None, views[:1], CODES)
    torch.manual_seed(3)
    expected = contrast(network, views)
    assert list(terms) == [*expected, "supervised"] == list(objective.terms)
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=0, atol=0)


def test_the_schedule_of_the_contrast_follows_the_epoch():
    objective, _, network, views = make_case(
        loss="cross_entropy", mask_ratio=(0.1, 0.9)
    )
    objective.epoch.fill_(3)
    objective.max_epochs.fill_(4)
    objective(network, views)
    assert objective.contrast._current_ratio() == 0.9


def test_without_labels_the_term_is_zero():
    objective, _, network, views = make_case(loss="cross_entropy")
    assert objective(network, views)["supervised"].item() == 0.0


def test_the_mean_of_the_others_stands_for_a_modality_that_a_row_lacks():
    objective, _, network, views = make_case(3, loss="cross_entropy")
    labelled, rows = make_gaps(draw_views(3, 1))
    tokens = network.encode(labelled[0])
    components = [network.fuse(tokens)]
    for values, present in zip(network.unique(tokens), rows, strict=True):
        mean = sum(values[i] for i in present) / len(present)
        components.append(
            torch.stack([values[i] if i in present else mean for i in range(N)])
        )
    outputs = apply_head(network.head, torch.cat(components, dim=1))
    expected = naive_cross_entropy(outputs, CODES.long().tolist(), [1, 1, 1])
    terms = objective(network, views, None, labelled, CODES)
    assert terms["supervised"].item() == pytest.approx(expected, abs=1e-10)


def test_a_modality_that_no_labelled_row_has_leaves_a_finite_loss():
    objective, _, network, views = make_case(loss="cross_entropy")
    labelled = draw_views(2, 1)[0]
    mask = torch.zeros(labelled["m1"].shape[:2], dtype=torch.bool)
    labelled["m1"] = (labelled["m1"], mask)
    terms = objective(network, views, None, [labelled], CODES)
    assert terms["supervised"].isfinite()


def test_every_parameter_gets_a_finite_gradient():
    objective, _, network, views = make_case(3, loss="cross_entropy")
    sum(objective(network, views, None, views[:1], CODES).values()).backward()
    for module in (objective, network):
        for name, parameter in module.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.isfinite().all(), name
