"""The PyG view: a plain ``HeteroData`` with ``x`` on every node, for stock hetero models, loaders and explainers."""

from __future__ import annotations

import numpy as np
import torch
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.check_graph import check_graph
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import edge_type

__all__ = ["to_pyg_view"]

_MASKS = {"train": "train_mask", "tuning": "val_mask", "test": "test_mask"}


def to_pyg_view(graph: HeteroData, like: HeteroData | None = None) -> HeteroData:
    """A graph of this package as PyG's own tools expect one.

    Node types are ``patient`` and ``modality``. Each modality has an edge type ``("patient", <name>, "modality")`` and
    its reverse ``("modality", "rev_<name>", "patient")``, so that messages run both ways. Every value is a tensor with
    one row per node or edge: ``HeteroConv``, ``to_hetero``, ``subgraph``, ``edge_subgraph``, ``NeighborLoader`` (which
    itself needs pyg-lib or torch-sparse) and the explainers of ``torch_geometric.explain`` work on it. Debiasing,
    evaluation and saving work on the graph, not on the view.

    Args:
        graph: A graph of this package; it is not changed.
        like: A view whose centre and spread are used instead of those of this graph's training patients: the view that
            a model was trained on.

    Returns:
        The view:

        - ``patient.x``: the flat table (:func:`~gdsfd.graph.flatten.flatten`) with presence flags, each column centred
          and scaled by what training patients have, 0 where nothing was measured; float32 [N, F];
        - ``modality.x``: the identity; float32 [K, K];
        - ``edge_attr`` of both directions: the columns of that modality; float32 [E, F_k];
        - ``patient.y``, ``patient.train_mask``, ``val_mask`` (tuning), ``test_mask`` (bool [N]) and ``patient.row``,
          the rows in the graph; and ``centre``, ``spread`` and ``columns`` of the flat table.

    Raises:
        InputError: There is no training patient and no ``like``, or ``like`` has other columns.

    Example:
        >>> from torch_geometric.nn import HeteroConv, SAGEConv
        >>> view = to_pyg_view(graph)  # doctest: +SKIP
        >>> conv = HeteroConv({edge: SAGEConv((-1, -1), 16) for edge in view.edge_types})  # doctest: +SKIP
        >>> conv(view.x_dict, view.edge_index_dict)["patient"].shape  # doctest: +SKIP
        torch.Size([1000, 16])
    """
    check_graph(graph)
    patient, names = graph["patient"], graph.schema.names
    table, columns = flatten(graph)
    split = np.asarray(patient.split, dtype=object)
    centre, spread = _scales(table[split == "train"]) if like is None else _scales_of(like, columns)
    x = torch.from_numpy(np.nan_to_num((table - centre) / spread).astype(np.float32))
    view = HeteroData()
    view["patient"].x = x
    view["patient"].y = patient.y.clone()
    view["patient"].row = torch.arange(len(split))
    for name, mask in _MASKS.items():
        view["patient"][mask] = torch.from_numpy(np.asarray(split == name, dtype=bool))
    view["modality"].x = torch.eye(len(names))
    blocks = _blocks(columns, names)
    for name in names:
        index = graph[edge_type(name)].edge_index
        attributes = x[index[0]][:, blocks[name]]
        view[edge_type(name)].edge_index = index.clone()
        view[edge_type(name)].edge_attr = attributes
        reverse = view["modality", f"rev_{name}", "patient"]
        reverse.edge_index, reverse.edge_attr = index.flip(0), attributes.clone()
    view.centre, view.spread, view.columns = torch.from_numpy(centre), torch.from_numpy(spread), columns
    return view


def _scales(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column; 0 and 1 where nothing was measured, 1 where nothing varies."""
    if not len(table):
        raise InputError("to_pyg_view: the graph has no training patient; give like=, the view of the graph with them")
    measured = ~np.isnan(table)
    count = np.maximum(measured.sum(0), 1)
    filled = np.where(measured, table, 0).astype(np.float64)
    centre = filled.sum(0) / count
    spread = np.sqrt((np.where(measured, filled - centre, 0) ** 2).sum(0) / count)
    return centre.astype(np.float32), np.where(spread > 0, spread, 1).astype(np.float32)


def _scales_of(like: HeteroData, columns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    if like.get("columns") != columns:
        raise InputError("to_pyg_view: like has other columns; build the graph with build_graph(spec, like=graph)")
    return like.centre.numpy(), like.spread.numpy()


def _blocks(columns: list[str], names: tuple[str, ...]) -> dict[str, slice]:
    """Places of each modality's columns in the flat table, without its presence flag."""
    starts = [columns.index(f"{name} (present)") for name in names]
    ends = [*starts[1:], len(columns)]
    return {name: slice(start + 1, end) for name, start, end in zip(names, starts, ends)}
