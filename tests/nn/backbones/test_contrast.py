"""The contrastive loss and its gradient against the formula written term by term."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.backbones.contrast import contrastive_loss, unit_tanh


def formula(first: Tensor, second: Tensor, y: Tensor, temperature: float) -> Tensor:
    labels = y.unsqueeze(-1) if y.dim() == 1 else y
    known = ~torch.isnan(labels).any(-1) if labels.is_floating_point() else (labels >= 0).all(-1)
    cosine, target = first @ second.t() / temperature, torch.arange(first.size(0))
    found = (F.cross_entropy(cosine, target) + F.cross_entropy(cosine.t(), target)) / 2
    if int(known.sum()) < 2:
        return found / 2
    alike = (first @ first.t() / temperature)[known][:, known]
    same = (labels[known].unsqueeze(0) == labels[known].unsqueeze(1)).all(-1).to(first.dtype)
    others = 1 - torch.eye(len(same), dtype=first.dtype)
    terms = [
        F.binary_cross_entropy_with_logits(each, same, weight=others, reduction="sum")
        for each in (alike, cosine[known][:, known])
    ]
    return (found + sum(terms) / (2 * others.sum())) / 2


def labels_of(kind: str, patients: int) -> Tensor:
    y = (torch.rand(patients, 1) < 0.3).double()
    if kind == "some":
        y[::3] = torch.nan
    elif kind == "several":
        y = (torch.rand(patients, 3) < 0.3).double()
        y[4, 1] = torch.nan
    elif kind == "classes":
        y = torch.randint(-1, 4, (patients,))
    elif kind == "one":
        y[1:] = torch.nan
    elif kind == "none":
        y[:] = torch.nan
    return y


@pytest.mark.parametrize("kind", ["all", "some", "several", "classes", "one", "none"])
@pytest.mark.parametrize("temperature", [0.07, 0.005])  # at the second a sigmoid rounds to 0 in float32
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_value_and_gradients(kind: str, temperature: float, dtype: torch.dtype, tolerance: float) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        y = labels_of(kind, 33)
        first, second = (F.normalize(torch.randn(33, 16, dtype=torch.double), dim=-1) for _ in range(2))
    leaves = [each.to(dtype).requires_grad_() for each in (first, second)]
    exact = [each.clone().requires_grad_() for each in (first, second)]
    loss = contrastive_loss(*leaves, y if y.dim() == 1 else y.to(dtype), temperature)
    expected = formula(*exact, y, temperature)
    assert abs(loss.item() - expected.item()) <= tolerance * (1 + abs(expected.item()))
    for got, right in zip(torch.autograd.grad(3 * loss, leaves), torch.autograd.grad(3 * expected, exact)):
        assert float((got - right).abs().max()) <= tolerance * (1 + float(right.abs().max()))


def test_only_one_view_has_a_gradient() -> None:
    vectors = F.normalize(torch.randn(5, 4, dtype=torch.double, generator=torch.Generator().manual_seed(0)), dim=-1)
    y = torch.tensor([[0.0], [1.0], [0.0], [1.0], [1.0]], dtype=torch.double)
    first = vectors.clone().requires_grad_()
    (got,) = torch.autograd.grad(contrastive_loss(first, vectors, y, 0.1), first)
    other = vectors.clone().requires_grad_()
    (expected,) = torch.autograd.grad(formula(other, vectors, y, 0.1), other)
    torch.testing.assert_close(got, expected)


def test_unit_tanh() -> None:
    values = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
    values[2] = 0
    found = unit_tanh(values)
    assert found.dtype == torch.float32  # cosines of vectors in half precision would have two digits
    torch.testing.assert_close(torch.linalg.vector_norm(found, dim=1), torch.tensor([1.0, 1, 0, 1, 1, 1]))


@pytest.mark.parametrize("labels", ["binary", "multiclass"])
def test_contrastive_loss_handles_unlabelled_and_tiny_batches(labels: str) -> None:
    vectors = torch.nn.functional.normalize(torch.randn(4, 5, generator=torch.Generator().manual_seed(0)), dim=-1)
    nothing = torch.full((4, 1), float("nan")) if labels == "binary" else torch.full((4,), -1)
    some = torch.tensor([[1.0], [float("nan")], [0.0], [1.0]]) if labels == "binary" else torch.tensor([1, -1, 0, 1])
    unsupervised = contrastive_loss(vectors, vectors, nothing, 0.1)
    both = contrastive_loss(vectors, vectors, some, 0.1)
    assert torch.isfinite(unsupervised)
    assert torch.isfinite(both)
    assert both > unsupervised
    assert contrastive_loss(vectors[:1], vectors[:1], some[:1], 0.1) == 0
