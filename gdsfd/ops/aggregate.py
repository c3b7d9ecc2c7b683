"""Aggregation of edge messages at their destinations: sum, mean, max or softmax-weighted."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops.backends import backend as backend_named
from gdsfd.ops.backends.composition import Activation, Reduce, other, where_positive
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.choose import choose
from gdsfd.ops.grid import Grid

__all__ = ["aggregate", "mask_total", "normalised"]


def aggregate(
    node: Tensor,
    edge: Tensor | None,
    graph: Bipartite | Grid,
    toward: Side,
    reduce: Reduce = "mean",
    activation: Activation = "relu",
    mask: Tensor | None = None,
    score: Tensor | None = None,
    backend: str = "auto",
) -> Tensor:
    r"""Reduces the messages of each destination's edges.

    With :math:`m_e = \operatorname{act}(\mathrm{node}_{src(e)} + \mathrm{edge}_e)`, mask :math:`a_e` (1 where None) and
    the sums over the edges that enter a destination:

    ========= ===========================================================================
    sum       :math:`\sum_e a_e m_e`
    mean      :math:`\sum_e a_e m_e / \sum_e a_e`, per channel; 0 where the mask adds up to 0
    max       largest :math:`a_e m_e` of the edges with :math:`a_e > 0`; of equal ones the graph's first counts
    score     :math:`\sum_e a_e e^{s_e} m_e / \sum_e a_e e^{s_e}`; 0 for a destination of nothing but :math:`-\infty`
    ========= ===========================================================================

    A destination without an edge receives 0. An infinity or NaN stays within its destination. Differentiable in node,
    edge, mask and score; a second time with the backend ``reference``. Integers: sum and max without activation, with
    ``reference`` and ``segment``.

    Args:
        node: The sources' term W x + b; [S, C], or [1, C] = the same for every source.
        edge: The edges' term W e in the graph's order, [E, C]; None = the messages have none.
        graph: The edges. On a :class:`~gdsfd.ops.grid.Grid` values of edges are [R, L, C] and masks [R, L] or
            [R, L, C]; it has sums and means, and no backends.
        toward: The side of the destinations.
        reduce: ``sum``, ``mean`` or ``max``.
        activation: ``relu`` or ``none``.
        mask: Weights >= 0 of the edges, [E], or of every channel, [E, C].
        score: Attention logits, [E] or [E, H] with H dividing C (head h has the h-th C/H channels); only with ``sum``.
        backend: ``auto`` (see :mod:`gdsfd.ops.choose`) or a name of :data:`gdsfd.ops.backends.BACKENDS`.

    Returns:
        One row per destination; [D, C].

    Raises:
        InputError: Shapes, dtypes or names that do not fit.

    Example:
        >>> import torch
        >>> graph = Bipartite(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3]), 3, 2)
        >>> aggregate(torch.tensor([[1.0], [5.0]]), torch.tensor([[1.0], [2.0], [3.0]]), graph, toward="left")
        tensor([[2.0000],
                [5.5000],
                [0.0000]])
    """
    if isinstance(graph, Grid):
        if reduce == "max" or score is not None:
            raise InputError("aggregate: a grid has sums and means only; expected reduce 'sum' or 'mean' and no score")
        total = graph.weighted_total(node, edge, mask, toward, activation)
        return total if reduce == "sum" else normalised(total, graph.degree(mask, toward))
    _check(node, edge, graph, toward, reduce, activation, mask, score)
    name = choose(node, graph) if backend == "auto" else backend
    result: Tensor = backend_named(name).aggregate(node, edge, graph, toward, reduce, activation, mask, score)
    return result


def mask_total(mask: Tensor | None, graph: Bipartite | Grid, side: Side) -> Tensor:
    """What the messages of each node on one side are divided by: the sum of its edges' mask.

    Args:
        mask: [E] or [E, C]; None = 1 everywhere.
        graph: The edges.
        side: Which nodes.

    Returns:
        [nodes, 1] or [nodes, C]; without a mask the degree, as the default float type.
    """
    if isinstance(graph, Grid):
        return graph.degree(mask, side)
    if mask is None:
        return graph.degree(side).to(torch.get_default_dtype()).unsqueeze(1)
    column = mask.unsqueeze(1) if mask.dim() == 1 else mask
    return aggregate(column.new_zeros(1, column.size(1)), column, graph, side, "sum", "none")


def normalised(total: Tensor, norm: Tensor) -> Tensor:
    """``total / norm``, and 0 without a gradient where the norm is 0: a mean from what two passes have added up.

    Args:
        total: Sum of the messages of each node, [N, C].
        norm: What it is divided by, as :func:`mask_total` gives it; [N, 1] or [N, C].

    Example:
        >>> normalised(torch.tensor([[6.0], [0.0]]), torch.tensor([[2.0], [0.0]])).tolist()
        [[3.0], [0.0]]
    """
    empty = norm == 0
    # Divided and not multiplied by the reciprocal, whose gradient has the square of a norm that may be tiny.
    share = total / norm.to(total.dtype).masked_fill(empty, 1)
    return where_positive(share, (~empty).to(share.dtype))


def _check(
    node: Tensor,
    edge: Tensor | None,
    graph: Bipartite,
    toward: Side,
    reduce: Reduce,
    activation: Activation,
    mask: Tensor | None,
    score: Tensor | None,
) -> None:
    for name, value, known in (
        ("toward", toward, ("left", "right")),
        ("reduce", reduce, ("sum", "mean", "max")),
        ("activation", activation, ("relu", "none")),
    ):
        if value not in known:
            raise InputError(f"aggregate: {name} is {value!r}; expected one of {', '.join(map(repr, known))}")
    sources, edges = graph.num_nodes(other(toward)), graph.num_edges
    if node.dim() != 2 or node.size(0) not in (1, sources):
        raise InputError(f"aggregate: node has shape {list(node.shape)}; expected [{sources}, C] or [1, C]")
    channels = node.size(1)
    if edge is not None and edge.shape != (edges, channels):
        raise InputError(f"aggregate: edge has shape {list(edge.shape)}; expected [{edges}, {channels}] or None")
    if mask is not None and mask.shape not in ((edges,), (edges, channels)):
        raise InputError(f"aggregate: mask has shape {list(mask.shape)}; expected [{edges}] or [{edges}, {channels}]")
    if score is not None:
        if reduce != "sum":
            raise InputError(f"aggregate: score goes with reduce='sum', not {reduce!r}")
        heads = score.size(1) if score.dim() == 2 else 1
        if score.dim() not in (1, 2) or score.size(0) != edges or heads < 1 or channels % heads:
            raise InputError(
                f"aggregate: score has shape {list(score.shape)}; expected [{edges}] or [{edges}, H], "
                f"H dividing {channels}"
            )
    if not node.is_floating_point() and (reduce == "mean" or score is not None):
        raise InputError(f"aggregate: {node.dtype} can be summed or compared; a mean or a softmax needs floats")
    for name, tensor in (("edge", edge), ("mask", mask), ("score", score)):
        if tensor is not None and tensor.dtype != node.dtype:
            raise InputError(f"aggregate: {name} is {tensor.dtype}, node is {node.dtype}; expected the same")
