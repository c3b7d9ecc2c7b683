"""What holds for every backend: infinities, ties, weights of single edges, scores far apart, integers."""

from __future__ import annotations

import pytest
import torch
from ops.problems import COMPARED, needs

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, aggregate
from gdsfd.ops.backends.composition import weighted, where_positive


@pytest.mark.parametrize("backend", [*COMPARED, "reference"])
def test_infinities_and_nan_stay_within_their_group(backend: str) -> None:
    needs(backend)
    graph = Bipartite(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 1]), torch.tensor([0, 2, 4]), 4, 2)
    edge = torch.tensor([[torch.inf], [1.0], [2.0], [torch.nan]])
    for reduce in ("sum", "mean", "max"):
        left = aggregate(torch.zeros(2, 1), edge, graph, "left", reduce, backend=backend)
        assert left[0] == torch.inf
        assert torch.isfinite(left[1])
        assert torch.isnan(left[2])
        assert left[3] == 0
    hubs = torch.tensor([[torch.inf], [1.0]])
    left = aggregate(hubs, None, graph, "left", "sum", backend=backend)
    assert left.flatten().tolist() == [torch.inf, torch.inf, 1.0, 0.0]
    lowest = torch.full((4, 1), -torch.inf)
    left = aggregate(torch.zeros(2, 1), lowest, graph, "left", "max", "none", backend=backend)
    assert left.flatten().tolist() == [-torch.inf] * 3 + [0.0]


@pytest.mark.parametrize("backend", [*COMPARED, "reference"])
def test_ties_give_the_gradient_to_the_first_edge(backend: str) -> None:
    needs(backend)
    graph = Bipartite(torch.tensor([0, 0, 0]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3]), 1, 2)
    edge = torch.tensor([[1.0, 0.0], [2.0, 0.0], [2.0, 0.0]], requires_grad=True)
    aggregate(torch.zeros(2, 2), edge, graph, "left", "max", "none", backend=backend).sum().backward()
    assert edge.grad.tolist() == [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("backend", [*COMPARED, "reference"])
@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("kind", ["edge", "channel", "score"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_of_a_single_edge_have_no_gradient(backend: str, toward: str, kind: str, dtype: torch.dtype) -> None:
    """A mean over one edge is its message, whatever the weight; in half precision too."""
    count, channels = 40, 6
    every = torch.arange(count)
    graph = Bipartite.from_edges(every, every, count, count)[0]
    draw = torch.Generator().manual_seed(0)
    node, edge = (torch.randn(count, channels, generator=draw).to(dtype) for _ in range(2))
    shape = {"edge": (count,), "channel": (count, channels), "score": (count, 2)}[kind]
    weight = torch.rand(shape, generator=draw).to(dtype).requires_grad_()
    given = {"score": weight, "reduce": "sum"} if kind == "score" else {"mask": weight, "reduce": "mean"}
    out = aggregate(node, edge, graph, toward, activation="none", backend=needs(backend), **given)
    assert out.dtype == dtype
    above = torch.randn(out.shape, generator=draw).to(dtype)
    (gradient,) = torch.autograd.grad(out, weight, above)
    assert gradient.dtype == dtype
    assert gradient.abs().max() < 1e-4  # 1 / weight is up to some hundred


@pytest.mark.parametrize("backend", [*COMPARED, "reference"])
def test_scores_far_apart_and_masked_ones(backend: str) -> None:
    needs(backend)
    graph = Bipartite(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 0, 0]), torch.tensor([0, 4]), 3, 1)
    edge = torch.tensor([[1.0], [5.0], [2.0], [3.0]])
    score = torch.tensor([1000.0, -1000.0, -torch.inf, -torch.inf], requires_grad=True)
    mask = torch.tensor([0.0, 1.0, 1.0, 1.0], requires_grad=True)
    out = aggregate(torch.zeros(1, 1), edge, graph, "left", "sum", mask=mask, score=score, backend=backend)
    assert out.flatten().tolist() == [5.0, 0.0, 0.0]  # 1000 is masked; a group of -inf is 0
    out.sum().backward()
    assert torch.isfinite(mask.grad).all()
    assert torch.isfinite(score.grad[:2]).all()


@pytest.mark.parametrize("backend", ["reference", "segment"])
def test_integers(backend: str) -> None:
    graph = Bipartite(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3]), 3, 2)
    node, edge = torch.tensor([[10], [20]]), torch.tensor([[1], [-2], [-33]])
    total = aggregate(node, edge, graph, "left", "sum", "none", backend=backend)
    assert total.flatten().tolist() == [11, -5, 0]
    assert total.dtype == torch.int64
    assert aggregate(node, edge, graph, "left", "max", "none", backend=backend).flatten().tolist() == [11, 8, 0]
    with pytest.raises(InputError, match="a mean or a softmax needs floats"):
        aggregate(node, edge, graph, "left", "mean", "none", backend=backend)


def test_weights_of_heads_hold_for_adjacent_channels() -> None:
    message, weight = torch.arange(1.0, 5.0).view(1, 4), torch.tensor([[2.0, 10.0]])
    assert weighted(message, weight).tolist() == [[2.0, 4.0, 30.0, 40.0]]
    assert weighted(message, weight[:, :1]).tolist() == [[2.0, 4.0, 6.0, 8.0]]
    assert weighted(message, None) is message


def test_where_positive_is_where() -> None:
    """Whatever stands in the places left out, in value and gradient."""
    values = torch.tensor([[torch.inf, 1.0], [torch.nan, -2.0]], requires_grad=True)
    flags = torch.tensor([[0.0], [1.0]])
    out = where_positive(values, flags)
    torch.testing.assert_close(out, torch.where(flags > 0, values, 0.0), equal_nan=True)
    (gradient,) = torch.autograd.grad(out.sum(), values)
    assert gradient.tolist() == [[0.0, 0.0], [1.0, 1.0]]
