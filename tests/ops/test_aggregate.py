"""Every backend against the reference, the reference against a loop; the corner cases by name."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from ops.problems import COMPARED, Problem, by_loop, max_error, problems
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, aggregate, mask_total, normalised
from gdsfd.ops.backends import available
from gdsfd.ops.chunks import chunks

RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def needs(backend: str) -> str:
    if backend not in available():
        pytest.skip(f"the backend {backend} cannot run here (torch-scatter is optional: make test-scatter)")
    return backend


def with_gradients(problem: Problem, backend: str | None) -> dict[str, Tensor]:
    """Value and gradients of a weighted sum of it; ``None`` = by the loop."""
    value = by_loop(problem) if backend is None else aggregate(*problem.arguments(), backend=backend)
    weight = torch.randn(value.shape, dtype=value.dtype, generator=torch.Generator().manual_seed(0))
    loss = (value * weight).sum()
    found = {"value": value.detach()}
    if loss.requires_grad:
        gradients = torch.autograd.grad(loss, list(problem.leaves.values()), allow_unused=True)
        for (name, leaf), gradient in zip(problem.leaves.items(), gradients):
            found[name] = torch.zeros_like(leaf) if gradient is None else gradient
    return found


def compare(problem: Problem, backend: str, expected: dict[str, Tensor], tolerance: float) -> None:
    got = with_gradients(problem, backend)
    for name, tensor in expected.items():
        assert got[name].shape == tensor.shape
        assert got[name].dtype == tensor.dtype
        assert max_error(got[name], tensor) < tolerance, name


@RELAXED
@given(problem=problems())
def test_reference_is_the_loop(problem: Problem) -> None:
    compare(problem, "reference", with_gradients(problem, None), 1e-12)


@pytest.mark.parametrize("backend", COMPARED)
@RELAXED
@given(problem=problems())
def test_float64(backend: str, problem: Problem) -> None:
    compare(problem, needs(backend), with_gradients(problem, "reference"), 1e-10)


@pytest.mark.parametrize("backend", COMPARED)
@RELAXED
@given(problem=problems(dtype=torch.float32))
def test_float32(backend: str, problem: Problem) -> None:
    compare(problem, needs(backend), with_gradients(problem, "reference"), 1e-5)


def crowd(
    num_left: int = 6000, channels: int = 5, hubs: int = 3, seed: int = 0
) -> tuple[Bipartite, Tensor, Tensor, Tensor]:
    """Few hubs with more edges than a chunk has, or many that share chunks; the last has no edge."""
    generator = torch.Generator().manual_seed(seed)
    present = torch.rand(num_left, hubs, generator=generator) < torch.linspace(1, 0, hubs)
    left, right = present.nonzero().unbind(1)
    graph, _ = Bipartite.from_edges(left, right, num_left, hubs)
    edge = torch.randn(graph.num_edges, channels, dtype=torch.float64, generator=generator)
    nodes = torch.randn(num_left, channels, dtype=torch.float64, generator=generator)
    return graph, edge, nodes, torch.rand(graph.num_edges, dtype=torch.float64, generator=generator)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("backend", COMPARED)
@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(("patients", "hubs"), [(6000, 3), (600, 40)])
def test_several_chunks(backend: str, toward: str, masked: bool, patients: int, hubs: int) -> None:
    graph, edge, nodes, mask = crowd(patients, hubs=hubs)
    assert len(chunks(graph)) > 2
    node = nodes[:hubs] if toward == "left" else nodes
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        leaves = [tensor.to(dtype).requires_grad_() for tensor in (node, edge, mask)]
        problem = Problem(leaves[0], leaves[1], graph, toward, "mean", "relu", leaves[2] if masked else None, None)
        compare(problem, needs(backend), with_gradients(problem, "reference"), tolerance)


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


def test_second_derivatives_of_the_reference() -> None:
    graph, edge, nodes, mask = crowd(num_left=4, channels=2)
    score = torch.randn(graph.num_edges, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    inputs = [tensor.clone().requires_grad_() for tensor in (nodes, edge, mask + 0.1, score)]

    def mean(node: Tensor, edge: Tensor, mask: Tensor, score: Tensor) -> Tensor:
        return aggregate(node, edge, graph, "right", "mean", mask=mask, backend="reference") ** 2

    def softmax(node: Tensor, edge: Tensor, mask: Tensor, score: Tensor) -> Tensor:
        return aggregate(node, edge, graph, "right", "sum", "none", mask=mask, score=score, backend="reference") ** 2

    for function in (mean, softmax):
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("toward", ["left", "right"])
def test_segment_gives_the_same_bits_every_time(toward: str) -> None:
    """Two runs, and one thread against two."""
    graph, edge, nodes, mask = crowd(num_left=6000, channels=32)
    node = nodes[:3] if toward == "left" else nodes
    threads, results = torch.get_num_threads(), []
    try:
        for count in (1, 1, 2):
            torch.set_num_threads(count)
            leaves = [tensor.float().requires_grad_() for tensor in (node, edge, mask)]
            problem = Problem(leaves[0], leaves[1], graph, toward, "mean", "relu", leaves[2], None)
            results.append(with_gradients(problem, "segment"))
    finally:
        torch.set_num_threads(threads)
    for other in results[1:]:
        for name, tensor in results[0].items():
            assert torch.equal(tensor, other[name]), name


GRAPH = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
NODE, EDGE = torch.zeros(1, 4), torch.zeros(2, 4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"node": torch.zeros(3, 4)}, r"node has shape \[3, 4\]; expected \[1, C\] or \[1, C\]"),
        ({"edge": torch.zeros(2, 3)}, r"edge has shape \[2, 3\]; expected \[2, 4\] or None"),
        ({"mask": torch.ones(2, 2)}, r"mask has shape \[2, 2\]; expected \[2\] or \[2, 4\]"),
        ({"mask": torch.ones(2).double()}, "mask is torch.float64, node is torch.float32"),
        ({"score": torch.ones(2)}, "score goes with reduce='sum', not 'mean'"),
        ({"score": torch.ones(2, 3), "reduce": "sum"}, r"score has shape \[2, 3\]; .* H dividing 4"),
        ({"reduce": "median"}, "reduce is 'median'; expected one of 'sum', 'mean', 'max'"),
        ({"toward": "up"}, "toward is 'up'"),
        ({"activation": "gelu"}, "activation is 'gelu'"),
        ({"backend": "segmnt"}, r"unknown backend 'segmnt'. Did you mean 'segment'\?"),
    ],
)
def test_what_is_wrong_is_named(changed: dict, message: str) -> None:
    arguments = {"node": NODE, "edge": EDGE, "graph": GRAPH, "toward": "left"} | changed
    with pytest.raises(InputError, match=message):
        aggregate(**arguments)


def test_totals_of_masks() -> None:
    graph = Bipartite(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3]), 3, 2)
    assert mask_total(None, graph, "left").tolist() == [[1.0], [2.0], [0.0]]
    assert mask_total(torch.tensor([0.5, 1.0, 0.25]), graph, "left").tolist() == [[0.5], [1.25], [0.0]]
    assert mask_total(torch.tensor([[1.0, 0.0], [1.0, 0.5], [0.0, 1.0]]), graph, "right").tolist() == [
        [2.0, 0.5],
        [0.0, 1.0],
    ]


@pytest.mark.parametrize("rows", [0, 1, 5000])
@pytest.mark.parametrize("width", [1, 4])
def test_normalised(rows: int, width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    total = torch.randn(rows, 4, dtype=torch.double, generator=generator).requires_grad_()
    norm = (torch.rand(rows, width, dtype=torch.double, generator=generator) + 0.1).requires_grad_()
    found, plain = normalised(total, norm), total / norm
    assert max_error(found, plain) < 1e-12
    above = torch.randn(rows, 4, dtype=torch.double, generator=generator)
    ways = [torch.autograd.grad(out, (total, norm), above) for out in (found, plain)]
    for got, expected in zip(*ways):
        assert max_error(got, expected) < 1e-10


def test_a_norm_of_zero_is_a_mean_of_zero() -> None:
    total = torch.tensor([[6.0], [0.0]], requires_grad=True)
    norm = torch.tensor([[2.0], [0.0]], requires_grad=True)
    out = normalised(total, norm)
    assert out.tolist() == [[3.0], [0.0]]
    out.sum().backward()
    assert total.grad.tolist() == [[0.5], [0.0]]
    assert norm.grad.tolist() == [[-1.5], [0.0]]


def test_a_tiny_norm_has_a_finite_gradient() -> None:
    """Its square is 0 in float32. The mean is 3 and falls by 3 per share of the norm."""
    norm = torch.tensor([[1e-25]], requires_grad=True)
    normalised(torch.tensor([[3e-25]]), norm).sum().backward()
    assert float(norm.grad) * 1e-25 == pytest.approx(-3.0, rel=1e-5)
