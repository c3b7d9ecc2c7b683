"""Whether a graph's parts belong together: pointers to their edges, texts to their patients, numbers to the schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.modality_kind import Values, kind_of
from gdsfd.cohort.patients.hazard_labels import hazard_labels
from gdsfd.cohort.patients.split_kind import LEFT_OUT, TAKES_NO_PART
from gdsfd.cohort.schema import CohortSchema, ModalityFields, SurvivalFields
from gdsfd.errors import InputError, cell_text, shown
from gdsfd.graph.from_cohort import FOLLOW_UP, edge_type
from gdsfd.graph.patient_graph import ROW

__all__ = ["check_graph", "check_observed", "check_subjects", "check_values"]

_FLOAT = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
_VALUES = (torch.float32, torch.float64)  #: in double precision networks are compared with each other
_WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
_TEXTS = ("id", "subject", "split", "environment")
_PIECE = 1 << 22  #: values that are looked at together, so that no array as long as all of them is made


def check_graph(graph: HeteroData) -> None:
    """Refuses a graph whose tensors would give a patient another patient's values, or none that the schema knows.

    Costs a few passes over the graph's tensors, in pieces.

    Args:
        graph: A graph of this package, or a part of one that PyG took.

    Raises:
        InputError: The graph is a batch of graphs, lacks a tensor, or has one of another length, type or range than its
            schema and its edges say.
    """
    if not isinstance(graph, HeteroData):
        raise InputError(f"expected a graph (gdsfd.build_graph or gdsfd.load_graph), got {type(graph).__name__}")
    if "batch" in graph["patient"]:
        raise InputError("expected one graph, got a batch of graphs: take it apart first, batch.to_data_list()")
    schema = graph.get("schema") if "schema" in graph else None
    if not isinstance(schema, CohortSchema):
        raise InputError("the graph has no schema: expected one made by gdsfd.build_graph or gdsfd.load_graph")
    patients = _check_patients(graph["patient"])
    names = list(graph["modality"].get("name", schema.names))
    if names != list(schema.names) or graph["modality"].num_nodes != len(names):
        raise InputError(
            f"the graph has the modality nodes {shown(names)}, its schema {shown(schema.names)}: modalities cannot be "
            "taken out as nodes; use gdsfd.graph.keep_modalities"
        )
    for number, fields in enumerate(schema.modalities):
        if edge_type(fields.name) not in graph.edge_types:
            raise InputError(f"the graph has no edge type {edge_type(fields.name)}, which its schema names")
        edges = graph[edge_type(fields.name)]
        count = _check_edges(edges, number, fields.name, patients)
        _content(edges, fields, count)


def check_values(graph: HeteroData) -> None:
    """Refuses labels that no outcome has, and what :func:`check_observed` refuses, as a damaged file may hold them, or
    a graph that was changed by hand.

    Raises:
        InputError: Names the outcome or the modality.
    """
    y, schema, patients = graph["patient"].get("y"), graph.schema, int(graph["patient"].num_nodes)
    expected = [patients] if schema.multiclass else [patients, len(schema.outcomes)]
    asked = "whole numbers (int64), -1 where" if schema.multiclass else "floats (float32), NaN where"
    if (
        not isinstance(y, Tensor)
        or [*y.shape] != expected
        or y.dtype not in ((torch.long,) if schema.multiclass else _FLOAT)
    ):
        found = f"{y.dtype} {[*y.shape]}" if isinstance(y, Tensor) else type(y).__name__
        raise InputError(
            f"labels (y of the patients): expected a tensor of {asked} nobody knows the outcome, "
            f"{expected}, got {found}"
        )
    if schema.multiclass:
        wrong = (y < -1) | (y >= len(schema.outcomes[0].classes))
    else:
        wrong = ~(y.isnan() | (y == 0) | (y == 1))
    if wrong.any():
        raise InputError(
            f"labels: {int(wrong.sum())} are of no class of the outcome, such as {y[wrong][0].item():g}; expected "
            f"{asked} nobody knows the outcome"
        )
    if schema.survival is not None:
        _check_follow_up(graph["patient"], schema.survival, patients)
    check_observed(graph)


def check_subjects(graph: HeteroData) -> None:
    """Refuses persons who stand in several splits, as they may once splits were written by hand.

    Who takes no part is in no split.

    Raises:
        InputError: Says how many persons, and names some.
    """
    patient = graph["patient"]
    split_of: dict[str, str] = {}
    again = [
        subject
        for subject, split in zip(patient.get("subject", patient.id), patient.split)
        if split not in (LEFT_OUT, TAKES_NO_PART) and split_of.setdefault(subject, split) != split
    ]
    if again:
        told = [*dict.fromkeys(again)]
        raise InputError(
            f"{len(told):,} subjects have patients in several splits, such as {shown(told)}: what is learned of a "
            "person would be judged on the same person. Give all patients of a subject one split"
        )


def check_observed(graph: HeteroData, single: bool = False) -> None:
    """Refuses values that are infinite, or missing where a kind has only measured ones, and ids that several patients
    have: all that a prediction needs, which reads no label.

    Costs one pass over the values, in pieces.

    Args:
        graph: A graph that :func:`check_graph` let pass.
        single: Whether values in double precision are refused, too: a trained network reads none.

    Raises:
        InputError: Names the modality, or the ids.
    """
    _check_ids(graph["patient"].id)
    for fields in graph.schema.modalities:
        kind = kind_of(fields)
        layout = {**kind.rows, **{key: values for packed in kind.runs.values() for key, values in packed.items()}}
        for key, values in layout.items():
            tensor = graph[edge_type(fields.name)][key]
            if values.floating and single and tensor.dtype != torch.float32:
                raise InputError(f"modality {fields.name!r}: expected {key} as floats (float32), got {tensor.dtype}")
            if values.floating and any(_not_finite(piece, values.may_miss) for piece in _pieces(tensor)):
                raise InputError(f"modality {fields.name!r}: {key} holds values that are not finite")


def _check_ids(ids: Sequence[str]) -> None:
    if len(set(ids)) != len(ids):
        again = [name for name, count in Counter(ids).items() if count > 1]
        raise InputError(f"ids: {len(again):,} stand for several patients: {shown(again)}; expected one id per patient")


def _not_finite(tensor: Tensor, may_miss: bool) -> bool:
    return bool(tensor.isinf().any() if may_miss else not tensor.isfinite().all())


def _pieces(tensor: Tensor) -> Iterator[Tensor]:
    """The rows of a tensor, some at a time."""
    rows = max(1, _PIECE // max(1, tensor[:1].numel()))
    return iter(tensor.split(rows))


def _check_follow_up(patient: Any, fields: SurvivalFields, patients: int) -> None:
    """Refuses times and events that the labels of the intervals are not made of."""
    time, event = (patient.get(key) for key in FOLLOW_UP)
    for key, tensor in zip(FOLLOW_UP, (time, event)):
        if not isinstance(tensor, Tensor) or tuple(tensor.shape) != (patients,) or tensor.dtype not in _FLOAT:
            raise InputError(f"outcome {fields.name!r}: expected {key} as floats [{patients}], one per patient")
    labels = torch.from_numpy(hazard_labels(fields, time.cpu().numpy(), event.cpu().numpy()))
    y = patient.y.float().cpu()
    if not torch.equal(labels.isnan(), y.isnan()) or not torch.equal(labels.nan_to_num(), y.nan_to_num()):
        raise InputError(f"outcome {fields.name!r}: the labels of its intervals are not those of its times and events")


def _check_patients(patient: Any) -> int:
    count = int(patient.num_nodes)
    columns = {key: patient[key] for key in _TEXTS if key in patient}
    columns |= {f"group {name!r}": values for name, values in (patient.get("groups") or {}).items()}
    for name, values in columns.items():
        if len(values) != count:
            raise InputError(f"the graph has {count} patients but {len(values)} values of {name}")
        if isinstance(values, (str, Mapping)) or not isinstance(values, (Sequence, np.ndarray)):
            raise InputError(f"{name} of the patients: expected a list of texts, got {type(values).__name__}")
        wrong = next((row for row, text in enumerate(values) if not isinstance(text, str)), None)
        if wrong is not None:
            raise InputError(
                f"{name} of the patients: expected texts, got {cell_text(values[wrong])} for patient {wrong}"
            )
    _check_row(patient, count, "patients")
    return count


def _check_edges(edges: Any, number: int, name: str, patients: int) -> int:
    index = edges.get("edge_index")
    if not isinstance(index, Tensor) or index.dim() != 2 or index.size(0) != 2 or index.dtype != torch.long:
        raise InputError(f"modality {name!r}: expected edge_index as int64 [2, observations]")
    owner, target = index
    if owner.numel() and (int(owner.min()) < 0 or int(owner.max()) >= patients):
        wrong = int(owner.max()) if int(owner.max()) >= patients else int(owner.min())
        raise InputError(f"modality {name!r} has an edge of patient {wrong}, of {patients}")
    if (target != number).any():
        raise InputError(f"modality {name!r} has an edge to another modality's node; expected node {number}")
    if torch.bincount(owner, minlength=1).max() > 1:
        twice = int(torch.bincount(owner).argmax())
        raise InputError(f"modality {name!r}: patient {twice} has more than one observation")
    _check_row(edges, owner.numel(), f"modality {name!r}")
    return owner.numel()


def _check_row(store: Any, count: int, what: str) -> None:
    row = store.get(ROW)
    if row is not None and (row.numel() != count or not torch.equal(row, torch.arange(count, device=row.device))):
        raise InputError(
            f"{what}: the graph was sliced by something that took its edges or patients and left their ids or values "
            "behind; slice the graph that gdsfd.build_graph or gdsfd.load_graph returned, with graph.subgraph, "
            "graph.edge_subgraph or gdsfd.take_patients"
        )


def _tensor(edges: Any, name: str, key: str, size: tuple[int | None, ...], floating: bool) -> Tensor:
    """A tensor of the store, once its shape and type are known to be right; None in ``size`` = any length."""
    tensor = edges.get(key)
    fits = (
        isinstance(tensor, Tensor)
        and tensor.dim() == len(size)
        and all(wanted is None or wanted == got for wanted, got in zip(size, tensor.shape))
        and tensor.dtype in (_VALUES if floating else _WHOLE)
    )
    if not fits:
        halves = isinstance(tensor, Tensor) and tensor.dtype in set(_FLOAT) - set(_VALUES)
        words = "whole numbers" if not floating else "floats (float32 or float64)" if halves else "floats"
        shape = [("any" if wanted is None else wanted) for wanted in size]
        found = f"{tensor.dtype} {list(tensor.shape)}" if isinstance(tensor, Tensor) else "none"
        raise InputError(f"modality {name!r}: expected {key} as {words} {shape}, got {found}")
    return tensor


def _within(tensor: Tensor, below: Tensor, name: str, key: str) -> None:
    if any((piece < 0).any() or (piece >= below).any() for piece in _pieces(tensor) if piece.numel()):
        raise InputError(f"modality {name!r}: {key} holds numbers that its schema does not know")


def _runs(edges: Any, name: str, key: str, count: int, packed: tuple[str, ...]) -> int:
    """Checks that pointers belong to ``count`` edges and to the packed tensors; returns their length."""
    pointer = _tensor(edges, name, key, (count + 1,), floating=False)
    lengths = {len(edges[one]) for one in packed if isinstance(edges.get(one), Tensor) and edges[one].dim()}
    ends = {int(pointer[-1])}
    if int(pointer[0]) != 0 or (pointer.diff() < 0).any() or lengths != ends:
        raise InputError(
            f"modality {name!r}: {key} does not belong to the graph's edges (it ends at {int(pointer[-1])}, the packed "
            f"values have the lengths {sorted(lengths)}); the values of one patient would be given to another"
        )
    return int(pointer[-1])


def _content(edges: Any, fields: ModalityFields, count: int) -> None:
    """Checks a modality's tensors against the layout of its kind."""
    kind = kind_of(fields)
    for key, values in kind.rows.items():
        _values(edges, fields, key, values, count)
    for pointer, packed in kind.runs.items():
        cells = _runs(edges, fields.name, pointer, count, tuple(packed))
        for key, values in packed.items():
            _values(edges, fields, key, values, cells)


def _values(edges: Any, fields: ModalityFields, key: str, values: Values, count: int) -> None:
    tensor = _tensor(edges, fields.name, key, (count, *values.sizes(fields)), values.floating)
    if values.below is not None:
        below = torch.as_tensor(values.below(fields), dtype=torch.long, device=tensor.device)
        _within(tensor, below, fields.name, key)
