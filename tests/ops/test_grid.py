"""A grid with room for what is absent, against the list of its edges."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, Grid, aggregate, edge_update, mask_total

LEFT, RIGHT, CHANNELS = 7, 4, 3


def problem(seed: int = 0):
    """The same edges as a list and as a grid, and where they are; one hub and one left node have none."""
    generator = torch.Generator().manual_seed(seed)
    there = torch.rand(RIGHT, LEFT, generator=generator) < 0.6
    there[2], there[:, 5] = False, False
    right, left = there.nonzero(as_tuple=True)
    ptr = torch.cat([torch.zeros(1, dtype=torch.long), there.sum(1).cumsum(0)])
    return Bipartite(left, right, ptr, LEFT, RIGHT), Grid(there.double()), there, generator


def draw(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("activation", ["relu", "none"])
@pytest.mark.parametrize("reduce", ["sum", "mean"])
@pytest.mark.parametrize("mask", [None, "edge", "channel"])
@pytest.mark.parametrize("sources", ["each", "one"])
@pytest.mark.parametrize("toward", ["left", "right"])
def test_aggregation_is_that_of_the_edge_list(toward, sources, mask, reduce, activation) -> None:
    graph, grid, there, generator = problem()
    node = draw(generator, 1 if sources == "one" else (RIGHT if toward == "left" else LEFT), CHANNELS)
    edge = draw(generator, RIGHT, LEFT, CHANNELS)
    weight = None
    if mask is not None:
        shape = (RIGHT, LEFT) if mask == "edge" else (RIGHT, LEFT, CHANNELS)
        weight = torch.rand(*shape, generator=generator, dtype=torch.float64).requires_grad_()
    inputs = [node, edge] + ([weight] if weight is not None else [])
    found = aggregate(node, edge, grid, toward, reduce, activation, weight)
    expected = aggregate(
        node, edge[there], graph, toward, reduce, activation, None if weight is None else weight[there]
    )
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    above = torch.randn(found.shape, generator=generator, dtype=torch.float64)
    for mine, theirs in zip(torch.autograd.grad(found, inputs, above), torch.autograd.grad(expected, inputs, above)):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("side", ["left", "right"])
def test_what_messages_are_divided_by(side) -> None:
    graph, grid, there, generator = problem(1)
    torch.testing.assert_close(mask_total(None, grid, side), mask_total(None, graph, side).double())
    mask = torch.rand(RIGHT, LEFT, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(mask_total(mask, grid, side), mask_total(mask[there], graph, side))


@pytest.mark.parametrize("residual", [False, True])
def test_edge_update_is_that_of_the_edge_list(residual: bool) -> None:
    graph, grid, there, generator = problem(2)
    left, right, edge = (draw(generator, *shape) for shape in ((LEFT, 3), (RIGHT, 3), (RIGHT, LEFT, 3)))
    old = draw(generator, RIGHT, LEFT, 3) if residual else None
    found = edge_update(left, right, edge, old, grid)[there]
    expected = edge_update(left, right, edge[there], None if old is None else old[there], graph)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


def test_what_stands_at_an_absent_edge_takes_no_part() -> None:
    _, grid, there, generator = problem(3)
    node, edge = draw(generator, LEFT, CHANNELS), draw(generator, RIGHT, LEFT, CHANNELS)
    other = torch.where(there.unsqueeze(2), edge, 1e6)
    for toward, source in (("right", node), ("left", node[:RIGHT])):
        torch.testing.assert_close(
            aggregate(source, edge, grid, toward), aggregate(source, other, grid, toward), rtol=0, atol=1e-9
        )
    (gradient,) = torch.autograd.grad(aggregate(node, edge, grid, "right").sum(), edge)
    assert (gradient[~there] == 0).all()


def test_a_grid_has_no_maximum() -> None:
    _, grid, _, generator = problem()
    with pytest.raises(InputError, match="sums and means only"):
        aggregate(draw(generator, LEFT, 2), None, grid, "right", "max")
