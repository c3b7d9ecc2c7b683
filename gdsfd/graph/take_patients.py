"""A graph of some of the patients of another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError, shown
from gdsfd.graph.check_graph import check_graph
from gdsfd.graph.loader import rows_of

__all__ = ["take_patients"]


def take_patients(
    graph: HeteroData,
    *,
    rows: Tensor | Sequence[int] | None = None,
    split: str | Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
) -> HeteroData:
    """Takes some patients of a graph with all that belongs to them.

    The same as ``graph.subgraph({"patient": rows})``, with the patients named in the ways of this package. Schema,
    receipt and spec stay those of the whole.

    Args:
        graph: A graph of this package; it is not changed.
        rows: Rows of the graph's patients, in the order wanted; int64 [n].
        split: A split's name, or several.
        ids: Patient ids, in the order wanted.

    Returns:
        The graph of these patients, in the order of ``rows`` or ``ids`` (of the graph, for splits).

    Raises:
        InputError: None or several of ``rows``, ``split`` and ``ids`` are given; an unknown or repeated patient.
    """
    if sum(given is not None for given in (rows, split, ids)) != 1:
        raise InputError("take_patients: expected one of rows, split and ids")
    check_graph(graph)
    total = int(graph["patient"].num_nodes)
    chosen = rows_of(graph, split, ids) if rows is None else torch.as_tensor(rows, dtype=torch.long)
    outside = [row for row in chosen.tolist() if not 0 <= row < total]
    if outside:
        raise InputError(f"rows: expected patients between 0 and {total - 1}, got {shown(outside)}")
    if chosen.unique().numel() < chosen.numel():
        raise InputError("take_patients: a patient is named more than once")
    return graph.subgraph({"patient": chosen})
