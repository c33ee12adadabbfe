"""Losses against double loops, closed values and limits."""

import math

import numpy as np
import pytest
import torch

from skcoral.losses import (
    club_bound,
    cross_correlation_norm,
    cross_product_norm,
    info_nce,
    info_nce_of_masks,
    nce_bound,
    orthogonality,
    reconstruction_loss,
)

OF_TWO = [info_nce, orthogonality, cross_correlation_norm, reconstruction_loss]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def draw(n_samples=7, n_features=5, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (2, n_samples, n_features)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def naive_info_nce(a, b, temperature):
    """Method A.0.1, written out per anchor, in float64 Python."""
    views = [
        [np.array(row) / np.linalg.norm(row) for row in x.tolist()] for x in (a, b)
    ]
    total, n_samples = 0.0, len(a)
    for own, other in ((views[0], views[1]), (views[1], views[0])):
        for i in range(n_samples):
            positive = math.exp(own[i] @ other[i] / temperature)
            below = sum(math.exp(own[i] @ row / temperature) for row in other)
            for j in range(n_samples):
                if j != i:
                    below += math.exp(own[i] @ own[j] / temperature)
            total -= math.log(positive / below)
    return total / (2 * n_samples)


def naive_orthogonality(a, b, kind):
    total = 0.0
    for p, q in zip(a.tolist(), b.tolist(), strict=True):
        cosine = np.dot(p, q) / (np.linalg.norm(p) * np.linalg.norm(q))
        total += cosine**2 if kind == "squared" else max(0.0, cosine)
    return total / len(a)


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_info_nce_equals_the_double_loop(dtype, temperature):
    a, b = draw(dtype=dtype)
    expected = naive_info_nce(a, b, temperature)
    got = info_nce(a, b, temperature).item()
    assert got == pytest.approx(expected, rel=TOLERANCE[dtype], abs=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize("kind", ["squared", "hinge"])
def test_orthogonality_equals_the_loop(dtype, kind):
    a, b = draw(dtype=dtype)
    expected = naive_orthogonality(a, b, kind)
    got = orthogonality(a, b, kind=kind).item()
    assert got == pytest.approx(expected, rel=TOLERANCE[dtype], abs=TOLERANCE[dtype])


@pytest.mark.parametrize("loss", [info_nce, orthogonality])
def test_views_are_symmetric(loss):
    a, b = draw()
    torch.testing.assert_close(loss(a, b), loss(b, a))


@pytest.mark.parametrize("loss", [info_nce, orthogonality])
def test_order_of_samples_does_not_matter(loss):
    a, b = draw()
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    torch.testing.assert_close(loss(a[order], b[order]), loss(a, b))


@pytest.mark.parametrize("loss", [info_nce, orthogonality])
def test_lengths_of_rows_do_not_matter(loss):
    a, b = draw()
    lengths = torch.linspace(0.5, 5, len(a), dtype=a.dtype)[:, None]
    torch.testing.assert_close(loss(a * lengths, b), loss(a, b))


@pytest.mark.parametrize("n_samples", [2, 3, 8])
def test_equal_orthonormal_views_have_a_closed_value(n_samples):
    a = torch.eye(n_samples, dtype=torch.float64)
    expected = math.log(math.e + 2 * (n_samples - 1)) - 1
    assert info_nce(a, a, 1.0).item() == pytest.approx(expected, abs=1e-12)


def test_high_temperature_makes_all_rows_alike():
    a, b = draw()
    expected = math.log(2 * len(a) - 1)
    assert info_nce(a, b, 1e9).item() == pytest.approx(expected, abs=1e-6)


def test_low_temperature_tells_equal_views_apart_at_no_loss():
    a = torch.eye(4, dtype=torch.float64)
    assert info_nce(a, a, 1e-2).item() == pytest.approx(0.0, abs=1e-12)


def test_one_sample_has_no_loss_and_finite_gradients():
    a, b = (x[:1].clone().requires_grad_() for x in draw())
    loss = info_nce(a, b)
    loss.backward()
    assert loss.item() == 0.0
    assert a.grad.isfinite().all()


@pytest.mark.parametrize("row", [[1.0, 2.0], [0.0, 0.0]], ids=["equal", "zero"])
@pytest.mark.parametrize("loss", [info_nce, orthogonality])
def test_gradients_are_finite_at_collapse(loss, row):
    a = torch.tensor([row] * 4, requires_grad=True)
    b = torch.tensor([row] * 4, requires_grad=True)
    loss(a, b).backward()
    assert a.grad.isfinite().all()
    assert b.grad.isfinite().all()


@pytest.mark.parametrize(
    "loss", [info_nce, orthogonality, lambda a, b: orthogonality(a, b, kind="hinge")]
)
def test_gradients_equal_finite_differences(loss):
    a, b = (x.clone().requires_grad_() for x in draw(n_samples=4, n_features=3))
    assert torch.autograd.gradcheck(loss, (a, b))


def test_half_precision_of_cosines_does_not_overflow():
    a, b = draw(dtype=torch.bfloat16)
    assert info_nce(a, b, 0.01).isfinite()


def test_hinge_spares_opposite_rows_and_the_square_does_not():
    a = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    b = torch.tensor([[-1.0, 0.0], [0.0, 1.0]])
    assert orthogonality(a, b, kind="hinge").item() == 0.0
    assert orthogonality(a, b, kind="squared").item() == 0.5


@pytest.mark.parametrize("loss", OF_TWO)
@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (2,)])
def test_other_shapes_are_refused(loss, shape):
    with pytest.raises(ValueError, match=r"equal shape .* Got \(2, 2\) and"):
        loss(torch.ones(2, 2), torch.ones(shape))


def test_unknown_kind_is_named():
    message = "The 'kind' parameter of orthogonality must be .* Got 'cubed' instead."
    with pytest.raises(ValueError, match=message):
        orthogonality(*draw(), kind="cubed")


@pytest.mark.parametrize("loss", OF_TWO)
def test_losses_are_float32_inside_autocast(loss):
    a, b = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = loss(a, b)
        from_bfloat16 = loss(a.bfloat16(), b.bfloat16())
    assert inside.dtype == from_bfloat16.dtype == torch.float32
    assert torch.equal(inside, loss(a, b))


# Without negatives of the same view


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_info_nce_of_the_other_view_equals_the_double_loop(dtype):
    a, b = draw(dtype=dtype)
    unit = [[np.array(r) / np.linalg.norm(r) for r in x.tolist()] for x in (a, b)]
    total = 0.0
    for own, other in (unit, unit[::-1]):
        for i, row in enumerate(own):
            scores = [math.exp(row @ candidate / 0.2) for candidate in other]
            total -= math.log(scores[i] / sum(scores))
    expected = total / (2 * len(a))
    got = info_nce(a, b, 0.2, intra_negatives=False).item()
    assert got == pytest.approx(expected, rel=TOLERANCE[dtype], abs=TOLERANCE[dtype])


def test_temperature_may_be_learnt():
    a, b = draw()
    temperature = torch.tensor(0.3, dtype=a.dtype, requires_grad=True)
    options = {"intra_negatives": False}
    loss = info_nce(a, b, temperature, **options)
    assert loss.item() == pytest.approx(info_nce(a, b, 0.3, **options).item())
    (slope,) = torch.autograd.grad(loss, temperature)
    above, below = (info_nce(a, b, 0.3 + h, **options) for h in (1e-6, -1e-6))
    assert slope.item() == pytest.approx((above - below).item() / 2e-6, rel=1e-5)


# Norm of the cross product


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_cross_product_norm_equals_the_loop(dtype):
    a, _ = draw(dtype=dtype)
    b = draw(n_features=3, dtype=dtype, seed=1)[0]
    product = np.zeros((5, 3))
    for p, q in zip(a.tolist(), b.tolist(), strict=True):
        product += np.outer(p, q) / (np.linalg.norm(p) * np.linalg.norm(q))
    expected = np.sqrt((product**2).sum())
    got = cross_product_norm(a, b).item()
    assert got == pytest.approx(expected, rel=TOLERANCE[dtype], abs=TOLERANCE[dtype])


def test_cross_product_norm_has_finite_gradients_at_zero():
    a = torch.tensor([[1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    b = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    loss = cross_product_norm(a, b)
    loss.backward()
    assert loss.item() == 0.0
    assert a.grad.isfinite().all()


# Norm of the correlations


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_cross_correlation_norm_equals_the_loop(dtype):
    a, b = draw(dtype=dtype)
    columns = []
    for x in (a, b):
        unit = [np.array(row) / np.linalg.norm(row) for row in x.tolist()]
        columns.append([np.array(column) for column in zip(*unit, strict=True)])
    n_rows, total = len(a), 0.0
    for p in columns[0]:
        for q in columns[1]:
            spread = np.std(p, ddof=1) * np.std(q, ddof=1)
            total += (((p - p.mean()) @ (q - q.mean())) / (n_rows * spread)) ** 2
    expected = np.sqrt(total) / len(columns[0])
    got = cross_correlation_norm(a, b).item()
    assert got == pytest.approx(expected, rel=TOLERANCE[dtype], abs=TOLERANCE[dtype])


def test_cross_correlation_norm_of_constant_columns_is_zero_with_finite_gradients():
    a = torch.ones(4, 3, requires_grad=True)
    b, _ = draw(4, 3, dtype=torch.float32)
    loss = cross_correlation_norm(a, b)
    loss.backward()
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    assert a.grad.isfinite().all()


# Reconstruction


@pytest.mark.parametrize("dtype", list(TOLERANCE))
def test_reconstruction_loss_equals_the_loop(dtype):
    made, target = draw(dtype=dtype)
    error = square = 0.0
    for p, t in zip(made.tolist(), target.tolist(), strict=True):
        error += sum((x - y) ** 2 for x, y in zip(p, t, strict=True)) / len(made)
        square += sum(y**2 for y in t) / len(made)
    got = reconstruction_loss(made, target).item()
    assert got == pytest.approx(error / (2 * square), rel=TOLERANCE[dtype])


def test_reconstruction_of_nothing_is_finite():
    zeros, made = torch.zeros(2, 3), torch.ones(2, 3)
    assert reconstruction_loss(made, zeros).item() == 3.0
    assert reconstruction_loss(zeros, zeros).item() == 0.0
    assert reconstruction_loss(zeros[:0], zeros[:0]).item() == 0.0


@pytest.mark.parametrize("loss", [nce_bound, club_bound])
def test_bounds_are_float32_inside_autocast_and_differentiable(loss):
    scores, _ = draw(5, 5)
    assert torch.autograd.gradcheck(loss, (scores.clone().requires_grad_(),))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert loss(scores.bfloat16()).dtype == torch.float32


def test_loss_of_masks_is_float32_inside_autocast():
    a, b = draw(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = info_nce_of_masks(a.bfloat16(), b[None].bfloat16())
        same = info_nce_of_masks(a, b[None])
    assert inside.dtype == torch.float32
    assert torch.equal(same, info_nce_of_masks(a, b[None]))


def test_a_single_mask_has_no_variance():
    a, b = draw()
    weights = [info_nce_of_masks(a, b[None], 0.3, weight) for weight in (0.0, 9.0)]
    torch.testing.assert_close(*weights)
