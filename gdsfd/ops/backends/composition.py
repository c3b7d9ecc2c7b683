"""What an aggregation is, put together from two reductions that a backend brings.

Everything about empty groups, ties, masks and infinities is decided in this file, once for all backends that use it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import torch
from torch import Tensor

from gdsfd.ops.bipartite import Bipartite, Side

__all__ = [
    "Activation",
    "Gathered",
    "Reduce",
    "Reductions",
    "compose",
    "gather",
    "other",
    "softmax_weight",
    "weighted",
    "where_positive",
]

Reduce = Literal["sum", "mean", "max"]
Activation = Literal["relu", "none"]

# An edge of mask 0 has no part in the softmax, but its mask has a gradient, which must stay finite: exp(80) < 2^128.
_LARGEST_EXPONENT = 80.0

_HALF = (torch.bfloat16, torch.float16)


class Reductions(Protocol):
    """The two sums a backend brings; both differentiable."""

    def weighted_total(
        self,
        node: Tensor,
        edge: Tensor | None,
        weight: Tensor | None,
        graph: Bipartite,
        toward: Side,
        activation: Activation,
    ) -> Tensor:
        """``sum_e w_e act(node[source(e)] + edge_e)`` per destination; weight [E, H], H dividing C, or None for 1."""

    def total(self, values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
        """``sum_e values_e`` per destination; values [E, H]."""


def other(side: Side) -> Side:
    """The opposite side."""
    return "right" if side == "left" else "left"


def gather(node: Tensor, graph: Bipartite, side: Side) -> Tensor:
    """The node terms of the edges' ends on ``side``; [E, C]. One row stands for all nodes."""
    if node.size(0) == 1 and graph.num_nodes(side) != 1:
        return node.expand(graph.num_edges, -1)
    return node.index_select(0, graph.ends(side))


def weighted(message: Tensor, weight: Tensor | None) -> Tensor:
    """``weight * message`` where weight [E, H] holds for H groups of adjacent channels of message [E, C]."""
    if weight is None:
        return message
    if weight.size(1) in (1, message.size(1)):
        return message * weight
    return (message.unflatten(1, (weight.size(1), -1)) * weight.unsqueeze(-1)).flatten(1)


class Gathered:
    """The weighted sum of a backend that gathers the node terms and has a ``total`` of its own."""

    def weighted_total(
        self: Reductions,
        node: Tensor,
        edge: Tensor | None,
        weight: Tensor | None,
        graph: Bipartite,
        toward: Side,
        activation: Activation,
    ) -> Tensor:
        """See :class:`Reductions`."""
        message = gather(node, graph, other(toward))
        if edge is not None:
            message = message + edge
        if activation == "relu":
            message = torch.relu(message)
        return self.total(weighted(message, weight), graph, toward)


def compose(
    reductions: Reductions,
    node: Tensor,
    edge: Tensor | None,
    graph: Bipartite,
    toward: Side,
    reduce: Reduce,
    activation: Activation,
    mask: Tensor | None,
    score: Tensor | None,
) -> Tensor:
    """An aggregation from a backend's two sums; the arguments as in :func:`gdsfd.ops.aggregate`."""
    if mask is not None or score is not None:
        narrow = node.dtype if edge is None else torch.promote_types(node.dtype, edge.dtype)
        if narrow in _HALF and (score is not None or reduce == "mean"):
            # The gradient of a weight is the message minus the mean: rounded to half precision before they are taken
            # from each other, they leave noise where it is 0 (a destination of one edge).
            edge, mask, score = (None if each is None else each.float() for each in (edge, mask, score))
            out = compose(reductions, node.float(), edge, graph, toward, reduce, activation, mask, score)
            return out.to(narrow)
    mask = mask.unsqueeze(1) if mask is not None and mask.dim() == 1 else mask
    if reduce == "max":
        message = gather(node, graph, other(toward))
        message = message if edge is None else message + edge
        return _first_max(torch.relu(message) if activation == "relu" else message, mask, graph, toward)
    weight = mask if score is None else softmax_weight(score, mask, graph, toward, _peaks)
    total = reductions.weighted_total(node, edge, weight, graph, toward, activation)
    if score is None and reduce == "sum":
        return total
    if weight is None:
        return total / graph.degree(toward).clamp(min=1).unsqueeze(1)
    norm = reductions.total(weight, graph, toward)
    empty = norm == 0
    share = weighted(total, norm.masked_fill(empty, 1).reciprocal())
    return where_positive(share, _spread((~empty).to(share.dtype), share.size(1)))


def where_positive(values: Tensor, flags: Tensor) -> Tensor:
    """``values`` where ``flags`` (of the same dtype) is positive, else 0, whatever stands there.

    What ``torch.where`` and ``masked_fill`` also do, which take 40 times as long on a CPU: they branch on each element.
    """
    return torch.ops.aten.threshold_backward(values, flags.expand_as(values), 0)


def _spread(flags: Tensor, channels: int) -> Tensor:
    """[D, H] to [D, C], each column for its group of adjacent channels."""
    return flags if flags.size(1) in (1, channels) else flags.repeat_interleave(channels // flags.size(1), dim=1)


def softmax_weight(
    score: Tensor,
    mask: Tensor | None,
    graph: Bipartite,
    toward: Side,
    peaks: Callable[[Tensor, Bipartite, Side], Tensor],
) -> Tensor:
    """Numerators of the softmax, ``a_e exp(s_e - peak)``, in float32 at least; [E, H], or [E, C] with a mask of [E, C].

    The peak is the largest score of the destination's edges with a > 0. The softmax does not depend on it, so it has no
    gradient; it only keeps the exponentials in range.

    Args:
        score: [E] or [E, H].
        mask: [E, 1] or [E, C], or None.
        graph: The edges.
        toward: The side of the destinations.
        peaks: Largest value per destination of values [E, W]; anything where there is none.
    """
    score = score.unsqueeze(1) if score.dim() == 1 else score
    score = score.to(torch.promote_types(score.dtype, torch.float32))
    if mask is not None:
        mask = mask.to(score.dtype)
        if mask.size(1) > score.size(1):
            score = score.repeat_interleave(mask.size(1) // score.size(1), dim=1)
    with torch.no_grad():
        peak = peaks(score if mask is None else score.masked_fill(mask <= 0, -torch.inf), graph, toward)
        peak = peak.masked_fill(peak == -torch.inf, 0)  # nothing but -inf: exp gives 0 for all
    weight = (score - peak.index_select(0, graph.ends(toward))).clamp(max=_LARGEST_EXPONENT).exp()
    return weight if mask is None else weight * mask


def _peaks(values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
    out = values.new_full((graph.num_nodes(toward), values.size(1)), -torch.inf)
    return out.scatter_reduce_(0, graph.ends(toward).unsqueeze(1).expand_as(values), values, reduce="amax")


def _first_max(message: Tensor, mask: Tensor | None, graph: Bipartite, toward: Side) -> Tensor:
    """Largest value per destination among edges with mask > 0; of equal ones the graph's first is taken."""
    value = message if mask is None else message * mask
    target = graph.ends(toward).unsqueeze(1).expand_as(value)
    size = (graph.num_nodes(toward), value.size(1))
    with torch.no_grad():
        lowest = -torch.inf if value.is_floating_point() else torch.iinfo(value.dtype).min
        taken = value if mask is None else value.masked_fill(mask <= 0, lowest)
        peak = taken.new_full(size, lowest).scatter_reduce_(0, target, taken, reduce="amax")
        at_peak = peak.gather(0, target)
        hit = (taken == at_peak) | (at_peak != at_peak)  # a NaN makes its group NaN
        if mask is not None:
            hit &= mask > 0
        number = torch.arange(graph.num_edges, device=value.device).unsqueeze(1).expand_as(value)
        number = number.masked_fill(~hit, graph.num_edges)
        first = number.new_full(size, graph.num_edges).scatter_reduce_(0, target, number, reduce="amin")
        empty = first == graph.num_edges
        first = first.masked_fill_(empty, 0)
    if not graph.num_edges:
        return value.new_zeros(size)
    best = value.gather(0, first)
    if value.is_floating_point():
        best = torch.where(peak != peak, peak, best)
    return best.masked_fill(empty, 0)
