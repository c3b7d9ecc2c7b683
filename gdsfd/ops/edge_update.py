"""Edge update: new edge values from both ends and the old value."""

from __future__ import annotations

from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops.backends import backend as backend_named
from gdsfd.ops.backends import reference
from gdsfd.ops.backends.composition import Activation
from gdsfd.ops.bipartite import Bipartite
from gdsfd.ops.choose import choose_edge_update
from gdsfd.ops.grid import Grid

__all__ = ["edge_update"]


def edge_update(
    left: Tensor,
    right: Tensor,
    edge: Tensor,
    residual: Tensor | None,
    graph: Bipartite | Grid,
    activation: Activation = "relu",
    backend: str = "auto",
) -> Tensor:
    """``residual + act(left[left end] + right[right end] + edge)`` for every edge.

    Args:
        left: Term of the left nodes, [L, C], or [1, C] = the same for all.
        right: Term of the right nodes, [R, C], or [1, C].
        edge: Term of the edges in the graph's order, [E, C].
        residual: Added to the result, [E, C]; None = nothing is.
        graph: The edges.
        activation: ``relu`` or ``none``.
        backend: As in :func:`gdsfd.ops.aggregate`.

    Returns:
        [E, C].

    Raises:
        InputError: Shapes or names that do not fit.

    Example:
        >>> import torch
        >>> graph = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
        >>> edge_update(torch.tensor([[1.0], [-9.0]]), torch.tensor([[2.0]]), torch.zeros(2, 1), None, graph)
        tensor([[3.],
                [0.]])
    """
    if activation not in ("relu", "none"):
        raise InputError(f"edge_update: activation is {activation!r}; expected 'relu' or 'none'")
    if isinstance(graph, Grid):
        return graph.update(left, right, edge, residual, activation)
    shape = (graph.num_edges, edge.size(-1))
    for name, tensor in (("edge", edge), ("residual", residual)):
        if tensor is not None and tensor.shape != shape:
            raise InputError(f"edge_update: {name} has shape {list(tensor.shape)}; expected {list(shape)}")
    for name, tensor, nodes in (("left", left, graph.num_left), ("right", right, graph.num_right)):
        if tensor.dim() != 2 or tensor.size(0) not in (1, nodes) or tensor.size(1) != shape[1]:
            raise InputError(
                f"edge_update: {name} has shape {list(tensor.shape)}; expected [{nodes}, {shape[1]}] or [1, {shape[1]}]"
            )
    module = backend_named(choose_edge_update(edge) if backend == "auto" else backend)
    result: Tensor = getattr(module, "edge_update", reference.edge_update)(
        left, right, edge, residual, graph, activation
    )
    return result
