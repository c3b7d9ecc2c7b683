"""A layer as one function: its values edge by edge, its gradients by autograd of the slow formula."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.ops import Bipartite
from gdsfd.ops.sage_layer import fused, node_norm, sage_layer

LEFT, RIGHT, WIDTH = 5, 3, 4
#: The last patient has no edge; one pair stands there twice.
EDGES = [(0, 0), (2, 0), (1, 1), (2, 1), (2, 1), (0, 2), (3, 2)]


def graph_of(edges: list[tuple[int, int]]) -> Bipartite:
    left, right = (torch.tensor([pair[side] for pair in edges]) for side in (0, 1))
    return Bipartite.from_edges(left, right, LEFT, RIGHT)[0]  # in the order given: by modality, then patient


def leaf(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def by_loop(
    left: Tensor, right: Tensor, edge: Tensor, mask: Tensor | None, maps: list[Tensor], ends: list[Tensor] | None
) -> list[Tensor]:
    """The formulas of ``EdgeSAGEConv``, one edge after another."""
    node, node_bias, of_edge, share_map, share_bias, own_map = maps
    left = left.expand(LEFT, WIDTH)
    sums = {side: [torch.zeros(WIDTH, dtype=torch.float64) for _ in range(n)] for side, n in ((0, LEFT), (1, RIGHT))}
    total = {side: [torch.zeros(WIDTH, dtype=torch.float64) for _ in range(n)] for side, n in ((0, LEFT), (1, RIGHT))}
    for number, pair in enumerate(EDGES):
        weight = torch.ones(WIDTH, dtype=torch.float64) if mask is None else mask[number].expand(WIDTH)
        for side, other in ((0, right[pair[1]]), (1, left[pair[0]])):
            message = (node @ other + node_bias + of_edge @ edge[number]).relu()
            sums[side][pair[side]] = sums[side][pair[side]] + weight * message
            total[side][pair[side]] = total[side][pair[side]] + weight

    def updated(side: int, nodes: Tensor) -> Tensor:
        rows = []
        for own, found, norm in zip(nodes, sums[side], total[side]):
            share = torch.where(norm != 0, found / torch.where(norm != 0, norm, 1.0), 0.0)
            rows.append((share_map @ share + share_bias + own_map @ own).relu())
        return torch.stack(rows)

    new_left = updated(0, left)
    if ends is None:
        return [new_left]
    new_right, (end_left, end_bias, end_right, end_edge) = updated(1, right), ends
    changed = [
        edge[number] + (end_left @ new_left[i] + end_bias + end_right @ new_right[k] + end_edge @ edge[number]).relu()
        for number, (i, k) in enumerate(EDGES)
    ]
    return [new_left, new_right, torch.stack(changed)]


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("width", [None, 1, WIDTH])
@pytest.mark.parametrize("patients", [1, LEFT])
def test_values_and_gradients_are_those_of_the_formula(last: bool, width: int | None, patients: int) -> None:
    torch.manual_seed(0)
    graph = graph_of(EDGES)
    left, right, edge = leaf(patients, WIDTH), leaf(RIGHT, WIDTH), leaf(len(EDGES), WIDTH)
    mask = None
    if width is not None:
        mask = torch.rand(len(EDGES), width, dtype=torch.float64)
        mask[EDGES.index((3, 2))] = 0.0  # a patient whose masks add up to 0
        mask.requires_grad_()
    maps = [leaf(*((WIDTH,) if number in (1, 4) else (WIDTH, WIDTH))) for number in range(6)]
    ends = None if last else [leaf(*((WIDTH,) if number == 1 else (WIDTH, WIDTH))) for number in range(4)]
    inputs = [left, right, edge, *([] if mask is None else [mask]), *maps, *(ends or [])]

    expected = by_loop(left, right, edge, mask, maps, ends)
    norm = node_norm(mask, graph, edge)
    found = sage_layer(
        left, right, edge, mask, norm, graph, tuple(maps[:3]), tuple(maps[3:]), None if ends is None else tuple(ends)
    )[: len(expected)]
    weights = [torch.randn_like(each) for each in expected]
    gradients = [
        torch.autograd.grad(
            sum((each * weight).sum() for each, weight in zip(outputs, weights)), inputs, allow_unused=True
        )
        for outputs in (expected, found)
    ]
    for one, other in zip(expected, found):
        torch.testing.assert_close(other, one, rtol=1e-12, atol=1e-12)
    for one, other in zip(*gradients):
        torch.testing.assert_close(other, one, rtol=1e-10, atol=1e-12)


def test_edges_may_share_rows() -> None:
    torch.manual_seed(1)
    graph, take = graph_of(EDGES), torch.tensor([0, 1, 1, 2, 0, 3, 3])
    left, right, rows = leaf(LEFT, WIDTH), leaf(RIGHT, WIDTH), leaf(4, WIDTH)
    maps = [leaf(*((WIDTH,) if number in (1, 4) else (WIDTH, WIDTH))) for number in range(6)]
    ends = tuple(leaf(*((WIDTH,) if number == 1 else (WIDTH, WIDTH))) for number in range(4))
    norm = node_norm(None, graph, rows)
    shared = sage_layer(left, right, rows, None, norm, graph, tuple(maps[:3]), tuple(maps[3:]), ends, take)
    each = sage_layer(left, right, rows[take], None, norm, graph, tuple(maps[:3]), tuple(maps[3:]), ends)
    for one, other in zip(each, shared):
        torch.testing.assert_close(other, one, rtol=1e-12, atol=1e-12)
    of_each, of_shared = (torch.autograd.grad(sum(part.sum() for part in out), rows)[0] for out in (each, shared))
    torch.testing.assert_close(of_shared, of_each, rtol=1e-10, atol=1e-12)


def test_norms_are_sums_of_masks_patients_first() -> None:
    graph = graph_of(EDGES)
    like = torch.zeros(1, dtype=torch.float64)
    assert node_norm(None, graph, like).squeeze(1).tolist() == [2, 1, 3, 1, 0, 2, 3, 2]
    mask = torch.arange(1.0, 8.0).unsqueeze(1)
    assert node_norm(mask, graph, like).squeeze(1).tolist() == [7, 3, 11, 7, 0, 3, 12, 13]


def test_long_lists_grids_and_other_types_go_the_ordinary_way() -> None:
    edge = torch.zeros(len(EDGES), WIDTH)
    assert fused(edge, graph_of(EDGES))
    assert not fused(edge.unsqueeze(0), graph_of(EDGES))
    assert not fused(edge, graph_of(EDGES * 1000))
    assert not fused(edge, object())
