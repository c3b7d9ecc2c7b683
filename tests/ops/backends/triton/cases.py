"""Aggregations for the fused kernels, and the comparison with the reference."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

from gdsfd.ops import aggregate
from gdsfd.ops.bipartite import Bipartite

__all__ = ["CASES", "SOME", "Case", "check", "compare", "gradients"]


@dataclass(frozen=True)
class Case:
    """An aggregation, drawn from a seed."""

    left: int = 5
    right: int = 3
    edges: int = 12
    channels: int = 4
    toward: str = "left"
    reduce: str = "mean"
    activation: str = "relu"
    mask: str = "none"  # none | edge | channel; a third of its values is 0, a third 1
    heads: int = 0  # 0: no score, -1: a score of one dimension
    one_node: bool = False
    edge: bool = True
    tied: bool = False  # values are small whole numbers, so that many are equal
    seed: int = 0
    dtype: torch.dtype = torch.float64

    def graph(self) -> Bipartite:
        draw = torch.Generator().manual_seed(self.seed)
        edges = self.edges if self.left and self.right else 0
        left = torch.randint(max(self.left, 1), (edges,), generator=draw)
        right = torch.randint(max(self.right, 1), (edges,), generator=draw)
        return Bipartite.from_edges(left, right, self.left, self.right)[0]

    def inputs(self, graph: Bipartite) -> dict[str, Tensor]:
        draw = torch.Generator().manual_seed(self.seed + 1)

        def values(*shape: int) -> Tensor:
            drawn = torch.randn(shape, generator=draw, dtype=torch.float64)
            return (drawn.round() if self.tied else drawn).to(self.dtype).requires_grad_()

        sources = 1 if self.one_node else graph.num_nodes("right" if self.toward == "left" else "left")
        found = {"node": values(sources, self.channels)}
        if self.edge:
            found["edge"] = values(graph.num_edges, self.channels)
        if self.mask != "none":
            shape = (graph.num_edges, self.channels) if self.mask == "channel" else (graph.num_edges,)
            third = torch.randint(3, shape, generator=draw)
            drawn = torch.rand(shape, generator=draw, dtype=torch.float64).to(self.dtype)
            found["mask"] = torch.where(third == 0, 0, torch.where(third == 1, 1, drawn)).requires_grad_()
        if self.heads:
            found["score"] = values(graph.num_edges, *([self.heads] if self.heads > 0 else []))
        return found

    def run(self, backend: str, inputs: dict[str, Tensor], graph: Bipartite) -> dict[str, Tensor]:
        """The result and the gradients of all inputs."""
        out = aggregate(
            inputs["node"],
            inputs.get("edge"),
            graph,
            toward=self.toward,
            reduce="sum" if self.heads else self.reduce,
            activation=self.activation,
            mask=inputs.get("mask"),
            score=inputs.get("score"),
            backend=backend,
        )
        return {"out": out.detach()} | gradients(out, inputs)


def gradients(out: Tensor, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(7)
    grad = torch.randn(out.shape, generator=draw, dtype=torch.float64).to(out.dtype)
    if not out.requires_grad:  # the reference's maximum over no edges at all
        return {name: torch.zeros_like(x) for name, x in inputs.items()}
    return dict(zip(inputs, torch.autograd.grad(out, list(inputs.values()), grad, materialize_grads=True)))


def compare(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    """Relative to the largest value, as sums of different order differ in their rounding by that."""
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        scale = max(1.0, value.abs().max().item() if value.numel() else 0.0)
        far = (found[name] - value).abs().max().item() if value.numel() else 0.0
        assert found[name].shape == value.shape
        assert far <= tolerance * scale, f"{name} is off by {far:.3g}, at values of up to {scale:.3g}"


def check(case: Case, tolerance: float = 1e-10) -> None:
    graph = case.graph()
    inputs = case.inputs(graph)
    compare(case.run("triton", inputs, graph), case.run("reference", inputs, graph), tolerance)


CASES = st.builds(
    Case,
    left=st.integers(0, 7),
    right=st.integers(0, 5),
    edges=st.integers(0, 24),
    channels=st.sampled_from([1, 2, 3, 6]),
    toward=st.sampled_from(["left", "right"]),
    reduce=st.sampled_from(["sum", "mean", "max"]),
    activation=st.sampled_from(["relu", "none"]),
    mask=st.sampled_from(["none", "edge", "channel"]),
    heads=st.sampled_from([0, 0, 0, -1, 1]),
    one_node=st.booleans(),
    edge=st.booleans(),
    tied=st.booleans(),
    seed=st.integers(0, 10_000),
)


SOME = [
    Case(left=8, right=3, edges=36, channels=5, toward=toward, reduce=reduce, mask=mask, heads=heads)
    for toward in ("left", "right")
    for reduce, mask, heads in (("sum", "edge", 0), ("mean", "channel", 0), ("max", "edge", 0), ("sum", "none", 5))
]
