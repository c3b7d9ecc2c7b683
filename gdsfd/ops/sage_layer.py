"""A whole layer of message passing on a short list of edges, with a gradient written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.ops.bipartite import Bipartite
from gdsfd.ops.choose import FEW_EDGES
from gdsfd.ops.dropout import is_mapped, plain_float

__all__ = ["fused", "node_norm", "sage_layer"]


def fused(edge: Tensor, graph: object) -> bool:
    """Whether :func:`sage_layer` is the faster way: edges in a list, on the CPU, too few to fill a processor's cache.

    A step of training on some hundred patients spends a quarter of its time between operations. Beyond, what counts is
    that messages are not stored (:mod:`gdsfd.ops.backends.segment`).

    Args:
        edge: Values of edges, [E, d].
        graph: Where the edges are.
    """
    few = isinstance(graph, Bipartite) and graph.num_edges <= FEW_EDGES
    return few and edge.dim() == 2 and plain_float(edge) and not is_mapped(edge)


def node_norm(mask: Tensor | None, graph: Bipartite, like: Tensor) -> Tensor:
    """Sum of the masks of every node's edges, patients first, then hubs; [left + right, H].

    Args:
        mask: [E, H]; None = 1, H = 1.
        graph: The edges.
        like: Gives the type.
    """
    if mask is None:
        return torch.cat([graph.left_degree, graph.right_degree]).to(like.dtype).unsqueeze(1)
    norm: Tensor = _Norm.apply(mask, graph)
    return norm


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, mask: Tensor, graph: Bipartite) -> Tensor:
        ctx.graph = graph
        total = mask.new_zeros(graph.num_left + graph.num_right, mask.size(1))
        total[: graph.num_left].index_add_(0, graph.left, mask)
        total[graph.num_left :].index_add_(0, graph.right, mask)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        graph = ctx.graph
        of_left = above[: graph.num_left].index_select(0, graph.left)
        return of_left.add_(above[graph.num_left :].index_select(0, graph.right)), None


def sage_layer(
    left: Tensor,
    right: Tensor,
    edge: Tensor,
    mask: Tensor | None,
    norm: Tensor,
    graph: Bipartite,
    message: tuple[Tensor, Tensor, Tensor],
    update: tuple[Tensor, Tensor, Tensor],
    edges: tuple[Tensor, Tensor, Tensor, Tensor] | None = None,
    take: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""New values of both sides' nodes and of the edges; differentiable once.

    The formulas are those of :class:`gdsfd.nn.conv.EdgeSAGEConv`. Both directions read one product of the edges, both
    sides are updated in one product, and the gradient adds up in place: about ninety calls forward and backward where
    torch's own way needs some two hundred.

    Args:
        left: [L, d], or [1, d] = the same for all.
        right: [R, d].
        edge: [E, d], or rows that ``take`` names.
        mask: Weights of the messages, [E, d] or [E, 1]; None = 1.
        norm: What :func:`node_norm` gives; a message sum is 0 where it is 0.
        graph: The edges, left = patients.
        message: Weight and bias of the map of nodes, weight of that of edges.
        update: Weight and bias of the map of messages, weight of that of nodes.
        edges: Weights and bias of the edge update: of left (and bias), of right, of edges. None = the last layer, which
            has messages to the left only.
        take: Row of ``edge`` of each edge, int64 [E]; None = each has its own.

    Returns:
        Left [L, d], right [R, d] and edges [E, d]; of the last layer right and edges as they came.
    """
    fixed = (graph, take)
    if edges is None:
        found: Tensor = _LastLayer.apply(*fixed, left, right, edge, mask, norm, *message, *update)
        return found, right, edge
    outputs: tuple[Tensor, Tensor, Tensor] = _Layer.apply(
        *fixed, left, right, edge, mask, norm, *message, *update, *edges
    )
    return outputs


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        graph: Bipartite,
        take: Tensor | None,
        left: Tensor,
        right: Tensor,
        edge: Tensor,
        mask: Tensor | None,
        norm: Tensor,
        node: Tensor,
        node_bias: Tensor,
        of_edge: Tensor,
        share_map: Tensor,
        share_bias: Tensor,
        own_map: Tensor,
        end_left: Tensor,
        end_bias: Tensor,
        end_right: Tensor,
        end_edge: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        count = graph.num_left
        term = _taken(F.linear(edge, of_edge), take)
        to_left = F.linear(right, node, node_bias).index_select(0, graph.right).add_(term).relu_()
        ends = F.linear(left, node, node_bias)
        to_right = (term.add_(ends) if ends.size(0) == 1 else term.add_(ends.index_select(0, graph.left))).relu_()
        share = term.new_zeros(count + graph.num_right, term.size(1))
        counted = to_left if mask is None else to_left * mask
        share[:count].index_add_(0, graph.left, counted)
        counted = to_right if mask is None else torch.mul(to_right, mask, out=counted)
        share[count:].index_add_(0, graph.right, counted)
        divisor = _or_infinity(norm)
        share /= divisor
        new = F.linear(share, share_map, share_bias)
        _add_map(new[:count], left, own_map)
        new[count:].addmm_(right, own_map.t())
        new.relu_()
        change = F.linear(new[:count], end_left, end_bias).index_select(0, graph.left)
        change += _taken(F.linear(edge, end_edge), take)
        change += F.linear(new[count:], end_right).index_select(0, graph.right)
        change.relu_()
        ctx.graph = graph
        ctx.save_for_backward(
            take, left, right, edge, mask, to_left, to_right, share, divisor, new, change,
            node, of_edge, share_map, own_map, end_left, end_right, end_edge,
        )  # fmt: skip
        return new[:count], new[count:], change + _taken(edge, take)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_left: Tensor, of_right: Tensor, of_edges: Tensor) -> tuple[Tensor | None, ...]:
        (take, left, right, edge, mask, to_left, to_right, share, divisor, new, change,
         node, of_edge, share_map, own_map, end_left, end_right, end_edge) = ctx.saved_tensors  # fmt: skip
        graph, count = ctx.graph, ctx.graph.num_left
        # the edge update
        moved = torch.ops.aten.threshold_backward(of_edges, change, 0)
        at_ends = moved.new_zeros(new.shape)
        at_ends[:count].index_add_(0, graph.left, moved)
        at_ends[count:].index_add_(0, graph.right, moved)
        back = torch.empty_like(new)
        torch.mm(at_ends[:count], end_left, out=back[:count]).add_(of_left)
        torch.mm(at_ends[count:], end_right, out=back[count:]).add_(of_right)
        end_left_grad = at_ends[:count].t() @ new[:count]
        end_right_grad = at_ends[count:].t() @ new[count:]
        end_bias_grad = at_ends[:count].sum(0)
        moved = _given_back(moved, take, edge)
        end_edge_grad = moved.t() @ edge
        passed = _given_back(of_edges, take, edge)
        edge_grad = torch.addmm(passed, moved, end_edge)
        # the nodes' update
        _cut(back, new)
        share_map_grad, share_bias_grad = back.t() @ share, back.sum(0)
        total = torch.mm(back, share_map).div_(divisor)
        right_back = back[count:]
        own_grad, right_grad = right_back.t() @ right, right_back @ own_map
        left_back = back[:count] if left.size(0) == count else back[:count].sum(0, keepdim=True)
        own_grad.addmm_(left_back.t(), left)
        left_grad = left_back @ own_map
        # the messages
        norm_grad = None if mask is None else _of_norm(total, share, divisor)
        term, mask_grad = _of_messages(total[:count], to_left, mask, graph.left, None)
        at_right = term.new_zeros(right.shape).index_add_(0, graph.right, term)
        other, mask_grad = _of_messages(total[count:], to_right, mask, graph.right, mask_grad)
        if left.size(0) == count:
            at_left = other.new_zeros(left.shape).index_add_(0, graph.left, other)
        else:
            at_left = other.sum(0, keepdim=True)
        node_grad = (at_right.t() @ right).addmm_(at_left.t(), left)
        right_grad.addmm_(at_right, node)
        left_grad.addmm_(at_left, node)
        term = _given_back(term.add_(other), take, edge)
        edge_grad.addmm_(term, of_edge)
        return (
            None, None, left_grad, right_grad, edge_grad, mask_grad, norm_grad,
            node_grad, at_right.sum(0).add_(at_left.sum(0)), term.t() @ edge, share_map_grad, share_bias_grad, own_grad,
            end_left_grad, end_bias_grad, end_right_grad, end_edge_grad,
        )  # fmt: skip


class _LastLayer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        graph: Bipartite,
        take: Tensor | None,
        left: Tensor,
        right: Tensor,
        edge: Tensor,
        mask: Tensor | None,
        norm: Tensor,
        node: Tensor,
        node_bias: Tensor,
        of_edge: Tensor,
        share_map: Tensor,
        share_bias: Tensor,
        own_map: Tensor,
    ) -> Tensor:
        to_left = F.linear(right, node, node_bias).index_select(0, graph.right)
        to_left.add_(_taken(F.linear(edge, of_edge), take)).relu_()
        share = to_left.new_zeros(graph.num_left, to_left.size(1))
        share.index_add_(0, graph.left, to_left if mask is None else to_left * mask)
        divisor = _or_infinity(norm[: graph.num_left])
        share /= divisor
        new = F.linear(share, share_map, share_bias)
        _add_map(new, left, own_map)
        new.relu_()
        ctx.graph, ctx.nodes = graph, norm.shape
        ctx.save_for_backward(
            take, left, right, edge, mask, to_left, share, divisor, new, node, of_edge, share_map, own_map
        )
        return new

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        take, left, right, edge, mask, to_left, share, divisor, new, node, of_edge, share_map, own_map = (
            ctx.saved_tensors
        )
        graph = ctx.graph
        back = torch.ops.aten.threshold_backward(above, new, 0)
        total = torch.mm(back, share_map).div_(divisor)
        left_back = back if left.size(0) == graph.num_left else back.sum(0, keepdim=True)
        norm_grad = None
        if mask is not None:
            norm_grad = total.new_zeros(ctx.nodes)
            norm_grad[: graph.num_left] = _of_norm(total, share, divisor)
        term, mask_grad = _of_messages(total, to_left, mask, graph.left, None)
        at_right = term.new_zeros(right.shape).index_add_(0, graph.right, term)
        term = _given_back(term, take, edge)
        return (
            None, None, left_back @ own_map, at_right @ node, term @ of_edge, mask_grad, norm_grad,
            at_right.t() @ right, at_right.sum(0), term.t() @ edge,
            back.t() @ share, back.sum(0), left_back.t() @ left,
        )  # fmt: skip


def _or_infinity(norm: Tensor) -> Tensor:
    """The norm, and infinity where it is 0: what is divided by it is 0 then, and so is its gradient."""
    there = torch.empty_like(norm)
    torch.ne(norm, 0, out=there)  # into floats at once, and no branch per element
    return there.reciprocal_().sub_(1).add_(norm)


def _add_map(total: Tensor, node: Tensor, weight: Tensor) -> None:
    """Adds the nodes' own map to their rows, or one node's to all."""
    if node.size(0) == total.size(0):
        total.addmm_(node, weight.t())
    else:
        total += F.linear(node, weight)


def _of_norm(total: Tensor, share: Tensor, divisor: Tensor) -> Tensor:
    """Gradient of the norm from that of the sums which it divides."""
    found = (total * share).neg_()
    return found if divisor.size(1) == found.size(1) else found.sum(1, keepdim=True)


def _of_messages(
    total: Tensor, message: Tensor, mask: Tensor | None, ends: Tensor, other: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Gradients of the messages before their activation, and of the mask, which is added to ``other``."""
    passed = total.index_select(0, ends)
    if mask is not None:
        if mask.size(1) == passed.size(1):
            other = passed * message if other is None else other.addcmul_(passed, message)
        else:
            found = (passed * message).sum(1, keepdim=True)
            other = found if other is None else other.add_(found)
        passed *= mask
    _cut(passed, message)
    return passed, other


def _cut(gradient: Tensor, output: Tensor) -> None:
    """The gradient before a ReLU of which the output is given, in place."""
    torch.ops.aten.threshold_backward.grad_input(gradient, output, 0, grad_input=gradient)


def _taken(rows: Tensor, take: Tensor | None) -> Tensor:
    return rows if take is None else rows.index_select(0, take)


def _given_back(gradient: Tensor, take: Tensor | None, rows: Tensor) -> Tensor:
    """What :func:`_taken` took, added up at the rows that it came from."""
    return gradient if take is None else gradient.new_zeros(rows.shape).index_add_(0, take, gradient)
