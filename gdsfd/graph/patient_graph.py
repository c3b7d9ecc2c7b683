"""The graph's container: a ``HeteroData`` whose texts and packed values follow when PyG takes a part of it.

PyG slices tensors that have one row per node or edge and leaves everything else whole. Two things of a patient graph
are not of that form: the texts of a node (ids, splits, groups: lists) and the packed values of an edge (all events of a
patient, found by pointers). Left whole beside a sliced edge list they would belong to other patients. Both kinds of
store therefore carry ``row``, the numbers ``0 .. n-1``, which PyG does slice; writing it takes the same rows of the
rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import HeteroData
from torch_geometric.data.storage import EdgeStorage, NodeStorage

from gdsfd.cohort.modality_kind import packed_runs
from gdsfd.errors import InputError, shown
from gdsfd.notebook_table import notebook_table

__all__ = ["ROW", "ObservationStorage", "PatientGraph", "TextStorage", "take_runs"]

ROW = "row"  #: key of the row numbers of a store

#: Texts, one per node: lists, or a mapping of lists.
_TEXT_KEYS = frozenset(("id", "subject", "split", "environment", "groups", "name"))


class TextStorage(NodeStorage):
    """The nodes of one type, with their texts as plain lists that follow :data:`ROW`."""

    def is_node_attr(self, key: str) -> bool:
        """Whether PyG may slice a value itself; not the texts."""
        return key not in _TEXT_KEYS and super().is_node_attr(key)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == ROW and _changes(self._mapping, value):
            rows = value.tolist()
            _refuse_repeats(self._mapping.get("id"), rows)
            for name in _TEXT_KEYS & self._mapping.keys():
                self._mapping[name] = _texts_of(self._mapping[name], rows)
            value = torch.arange(len(rows), device=value.device)
        super().__setitem__(key, value)
        _row_last(self._mapping)


class ObservationStorage(EdgeStorage):
    """The observations of one modality, with packed runs that follow :data:`ROW`."""

    def is_edge_attr(self, key: str) -> bool:
        """Whether PyG may slice a value itself; not packed ones, even where there happen to be as many as edges."""
        packed = packed_runs()
        if key in packed or any(key in keys for keys in packed.values()):
            return False
        return super().is_edge_attr(key)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == ROW and _changes(self._mapping, value):
            packed_by = packed_runs()
            for pointer in packed_by.keys() & self._mapping.keys():
                runs, places = take_runs(self._mapping[pointer], value.to(self._mapping[pointer].device))
                self._mapping[pointer] = runs
                for packed in set(packed_by[pointer]) & self._mapping.keys():
                    self._mapping[packed] = self._mapping[packed].index_select(0, places)
            value = torch.arange(value.numel(), device=value.device)
        super().__setitem__(key, value)
        _row_last(self._mapping)


class PatientGraph(HeteroData):
    """A patient-modality graph: PyG's container, safe under PyG's ways of taking a part.

    ``subgraph``, ``edge_subgraph``, the slicing step of PyG's neighbour loaders and ``Batch`` keep ids, splits, groups
    and packed values with the patients they belong to; who is taken twice is refused. To read a batch of graphs with
    this package take it apart with ``to_data_list()`` first.

    Example:
        >>> graph = PatientGraph()
        >>> graph["patient"].num_nodes, graph["patient"].id = 3, ["001", "002", "003"]
        >>> graph["patient"].row = torch.arange(3)
        >>> graph.subgraph({"patient": torch.tensor([2, 0])})["patient"].id
        ['003', '001']
    """

    def _repr_html_(self) -> str:
        """What a notebook shows; :func:`gdsfd.summary` says more."""
        patient = self["patient"]
        total = patient.num_nodes or 0
        facts: dict[str, object] = {"patients": f"{total:,}"}
        if patient.get("split"):
            facts["splits"] = ", ".join(f"{name} {count:,}" for name, count in Counter(patient.split).items())
        for _, modality, _ in self.edge_types:
            having = self["patient", modality, "modality"].num_edges
            facts[f"modality {modality}"] = f"{having:,} patients ({having / max(total, 1):.0%})"
        return notebook_table("Patient-modality graph", facts)

    @property
    def spec(self) -> Any:
        """The spec that the graph was built from, a JSON-able dict; of a batch, one per graph."""
        held = self._global_store.get("spec")
        if held is None:
            raise AttributeError("the graph has no spec")
        return [one.spec for one in held] if isinstance(held, list) else held.spec

    @spec.setter
    def spec(self, value: Mapping[str, Any]) -> None:
        self._global_store["spec"] = _Described(dict(value))

    def __setattr__(self, key: str, value: Any) -> None:
        if key == "spec":  # HeteroData passes properties over
            type(self).spec.fset(self, value)  # type: ignore[attr-defined]
        else:
            super().__setattr__(key, value)

    def get_node_store(self, key: str) -> NodeStorage:
        """The store of a node type; made where it does not exist."""
        if key not in self._node_store_dict:
            self._check_type_name(key)
            self._node_store_dict[key] = TextStorage(_parent=self, _key=key)
        return self._node_store_dict[key]

    def get_edge_store(self, src: str, rel: str, dst: str) -> EdgeStorage:
        """The store of an edge type; made where it does not exist."""
        key = (src, rel, dst)
        if key not in self._edge_store_dict:
            self._check_type_name(rel)
            self._edge_store_dict[key] = ObservationStorage(_parent=self, _key=key)
        return self._edge_store_dict[key]


@dataclass(frozen=True)
class _Described:
    """Keeps ``Batch`` from turning the numbers of a nested dict into tensors."""

    spec: dict[str, Any]

    def __repr__(self) -> str:  # what print(graph) shows
        return "<spec>"


def take_runs(pointer: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Places of the packed runs ``pointer[e]:pointer[e + 1]`` for each ``e`` in ``rows``, one after the other.

    Args:
        pointer: Where runs begin and end; int64 [E + 1].
        rows: Runs wanted, in any order; int64 [Q].

    Returns:
        The runs' own pointers, int64 [Q + 1], and the places, int64 [sum of their lengths].

    Example:
        >>> take_runs(torch.tensor([0, 2, 5]), torch.tensor([1, 0]))
        (tensor([0, 3, 5]), tensor([2, 3, 4, 0, 1]))
    """
    start = pointer[rows]
    length = pointer[rows + 1] - start
    taken = torch.cat([length.new_zeros(1), length.cumsum(0)])
    # Place m of the result, in run e, comes from start[e] + (m - taken[e]).
    shift = torch.repeat_interleave(start - taken[:-1], length)
    return taken, torch.arange(shift.numel(), device=shift.device) + shift


def _changes(mapping: Mapping[str, Any], value: Any) -> bool:
    """Whether a value for :data:`ROW` takes other rows than there are."""
    before = mapping.get(ROW)
    if before is None or not isinstance(value, Tensor) or torch.equal(before.cpu(), value.cpu()):
        return False
    if not torch.equal(before.cpu(), torch.arange(before.numel())):
        raise InputError(
            "a part of a batch of graphs cannot be taken: take the batch apart first, batch.to_data_list()"
        )
    return True


def _refuse_repeats(ids: Sequence[str] | None, rows: Sequence[int]) -> None:
    """Refuses rows of patients that are named twice: PyG gives the observations to one of the copies alone."""
    if ids is None or len(set(rows)) == len(rows):
        return
    again = [ids[row] for row, count in Counter(rows).items() if count > 1]
    raise InputError(
        f"{len(again):,} patients are taken more than once: {shown(again)}; only one copy of each would have "
        "observations. Name every patient once"
    )


def _texts_of(texts: Any, rows: Sequence[int]) -> Any:
    if isinstance(texts, Mapping):
        return {name: _texts_of(values, rows) for name, values in texts.items()}
    return [texts[row] for row in rows]


def _row_last(mapping: dict[str, Any]) -> None:
    """Keeps :data:`ROW` at the end: PyG copies stores key by key, and rows must be written after what follows them."""
    if ROW in mapping and next(reversed(mapping)) != ROW:
        mapping[ROW] = mapping.pop(ROW)
