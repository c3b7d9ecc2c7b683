"""Random aggregation problems, and the answer worked out edge by edge."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from torch import Tensor

from gdsfd.bench.opponents import pyg_backend  # noqa: F401  (declares itself)
from gdsfd.ops import Bipartite, aggregate
from gdsfd.ops.backends import BACKENDS, available

__all__ = [
    "COMPARED",
    "RELAXED",
    "Problem",
    "assert_close",
    "by_loop",
    "compare",
    "crowd",
    "leaf",
    "max_error",
    "needs",
    "problems",
    "random_graph",
    "results",
    "with_gradients",
]

#: Backends that are compared with the reference. The triton backend has a sweep of its own: its interpreter has to be
#: asked for before triton is imported.
COMPARED = [name for name in BACKENDS.names() if name not in ("reference", "triton")]

RELAXED = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))

DEGREES = ("any", "one hub has all", "one hub has none", "no edges", "duplicates", "complete")


@dataclass
class Problem:
    """Arguments of ``aggregate`` but for the backend; the tensors are leaves that want gradients."""

    node: Tensor
    edge: Tensor | None
    graph: Bipartite
    toward: str
    reduce: str
    activation: str
    mask: Tensor | None
    score: Tensor | None

    @property
    def leaves(self) -> dict[str, Tensor]:
        named = {"node": self.node, "edge": self.edge, "mask": self.mask, "score": self.score}
        return {name: tensor for name, tensor in named.items() if tensor is not None}

    def arguments(self) -> tuple:
        return (self.node, self.edge, self.graph, self.toward, self.reduce, self.activation, self.mask, self.score)


def random_graph(num_left: int, num_right: int, degrees: str, generator: torch.Generator) -> Bipartite:
    present = torch.rand(num_left, num_right, generator=generator) < 0.5
    if degrees == "one hub has all":
        present[:, 0] = True
    if degrees == "one hub has none":
        present[:, -1] = False
    if degrees == "no edges":
        present[:] = False
    if degrees == "complete":
        present[:] = True
    left, right = present.nonzero().unbind(1)
    if degrees == "duplicates":
        left, right = torch.cat([left, left[::2]]), torch.cat([right, right[::2]])
    return Bipartite.from_edges(left, right, num_left, num_right)[0]


def _leaf(tensor: Tensor, strided: bool) -> Tensor:
    """A leaf with the values, every second column of a wider matrix when strided."""
    if strided:
        wide = tensor.new_zeros(*tensor.shape, 2)
        wide[..., 0] = tensor
        tensor = wide[..., 0]
    return tensor.detach().requires_grad_(tensor.is_floating_point())


@st.composite
def problems(draw, dtype: torch.dtype = torch.float64) -> Problem:
    """Any aggregation: both directions, masks of 0 and 1, scores of -inf, one row of node terms, no edge term."""
    num_left, num_right = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    graph_seed = torch.Generator().manual_seed(draw(st.integers(0, 100_000)))
    graph = random_graph(num_left, num_right, draw(st.sampled_from(DEGREES)), graph_seed)
    heads = draw(st.sampled_from([1, 2, 3]))
    channels = heads * draw(st.integers(1, 2))
    toward = draw(st.sampled_from(["left", "right"]))
    reduce = draw(st.sampled_from(["sum", "mean", "max"]))
    sources = num_right if toward == "left" else num_left
    strided = draw(st.booleans())

    def values(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=dtype, generator=graph_seed)

    node = values(1 if draw(st.booleans()) else sources, channels)
    edge = values(graph.num_edges, channels) if draw(st.booleans()) else None
    if draw(st.booleans()):  # ties: few different values
        node = node.round()
        edge = edge if edge is None else edge.round()
    mask_kind = draw(st.sampled_from(["none", "edge", "channel", "hard edge", "hard channel"]))
    mask = None
    if mask_kind != "none":
        size = (graph.num_edges, channels) if "channel" in mask_kind else (graph.num_edges,)
        mask = torch.rand(*size, dtype=dtype, generator=graph_seed)
        mask = mask.round() if "hard" in mask_kind else mask
    score = None
    if reduce == "sum" and draw(st.booleans()):
        # The gradient of a mask of 0 is exp(score - peak) times a difference of near values. With scores far above the
        # peak of those that count it is nothing but amplified rounding, in any order of summation and any precision;
        # that it stays finite there is a test of its own.
        apart = [1.0] if "hard" in mask_kind else [1.0, 40.0]
        score = values(graph.num_edges, heads) * draw(st.sampled_from(apart))
        if draw(st.booleans()):
            score[torch.rand(score.shape, generator=graph_seed) < 0.3] = -torch.inf
        score = score[:, 0] if heads == 1 and draw(st.booleans()) else score
    tensors = [tensor if tensor is None else _leaf(tensor, strided) for tensor in (node, edge, mask, score)]
    activation = draw(st.sampled_from(["relu", "none"]))
    return Problem(tensors[0], tensors[1], graph, toward, reduce, activation, tensors[2], tensors[3])


def by_loop(problem: Problem) -> Tensor:
    """The definition, one destination and one channel at a time; differentiable."""
    node, graph, channels = problem.node, problem.graph, problem.node.size(1)
    source, target = graph.ends("right"), graph.ends("left")
    if problem.toward == "right":
        source, target = target, source
    rows = []
    for destination in range(graph.num_nodes(problem.toward)):
        entering = [edge for edge in range(graph.num_edges) if int(target[edge]) == destination]
        columns = []
        for channel in range(channels):
            messages, weights, logits = [], [], []
            for edge in entering:
                message = node[0 if node.size(0) == 1 else int(source[edge]), channel]
                message = message if problem.edge is None else message + problem.edge[edge, channel]
                messages.append(torch.relu(message) if problem.activation == "relu" else message)
                mask = problem.mask
                weights.append(
                    node.new_ones(()) if mask is None else mask[edge] if mask.dim() == 1 else mask[edge, channel]
                )
                score = problem.score
                if score is not None:
                    heads = 1 if score.dim() == 1 else score.size(1)
                    logits.append(score.view(-1, heads)[edge, channel * heads // channels])
            columns.append(_reduced(problem.reduce, messages, weights, logits, node))
        rows.append(torch.stack(columns))
    return torch.stack(rows)


def _reduced(reduce: str, messages: list, weights: list, logits: list, node: Tensor) -> Tensor:
    zero = node.new_zeros(())
    if reduce == "max":
        best = zero
        started = False
        for message, weight in zip(messages, weights):
            if weight > 0 and (not started or weight * message > best):
                best, started = weight * message, True
        return best
    if logits:
        live = [float(logit.detach()) for logit, weight in zip(logits, weights) if weight > 0]
        peak = max(live, default=0.0)
        peak = 0.0 if peak == -float("inf") else peak
        weights = [weight * torch.exp(torch.clamp(logit - peak, max=80)) for weight, logit in zip(weights, logits)]
    total = sum((weight * message for weight, message in zip(weights, messages)), zero)
    if reduce == "sum" and not logits:
        return total
    norm = sum(weights, zero)
    return total / norm if norm != 0 else zero


def max_error(got: Tensor, expected: Tensor) -> float:
    """Largest difference over the expected tensor's largest magnitude (at least 1)."""
    if not expected.numel():
        return 0.0
    got, expected = got.detach(), expected.detach()
    return float((got - expected).abs().max() / expected.abs().max().clamp(min=1))


def leaf(*shape: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=generator).requires_grad_()


def results(outputs: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """Values, and gradients of a weighted sum of them."""
    generator = torch.Generator().manual_seed(0)
    loss = sum((out * torch.randn(out.shape, dtype=out.dtype, generator=generator)).sum() for out in outputs)
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [*outputs, *(torch.zeros_like(one) if of is None else of for one, of in zip(leaves, gradients))]


def assert_close(got: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        assert max_error(one, other) < tolerance


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
