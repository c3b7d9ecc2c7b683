"""A graph on disk: tensors in safetensors, everything else in JSON.

A folder holds ``tensors.safetensors``, ``graph.json`` (ids, splits, schema, spec, format version) and ``receipt.json``.
It is written beside its final place, flushed to the disk and renamed, so a save that is killed leaves the old folder or
none, never half of one. Reading runs no code from the files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NotRequired

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch_geometric.data import HeteroData
from typing_extensions import TypedDict

from gdsfd.atomic_write import atomic_directory
from gdsfd.cohort.receipt.receipt import Receipt
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, shown
from gdsfd.graph.check_graph import check_graph, check_values
from gdsfd.graph.from_cohort import FOLLOW_UP, edge_type
from gdsfd.graph.patient_graph import ROW, PatientGraph
from gdsfd.graph.tensor_file import write_tensors
from gdsfd.plugins import plugin_needs, require_plugins

__all__ = ["FORMAT_VERSION", "load_graph", "save_graph"]

FORMAT = "gdsfd graph"
FORMAT_VERSION = 2
#: Names of tensors that an earlier version of the format had.
_RENAMED = {1: {"ptr": "run_ptr"}}
_TENSORS, _GRAPH, _RECEIPT = "tensors.safetensors", "graph.json", "receipt.json"
_LISTS = ("id", "subject", "split", "environment")


class _Patients(TypedDict):
    id: list[str]
    subject: list[str]
    split: list[str]
    environment: NotRequired[list[str]]


class _Stored(TypedDict):
    """Layout of ``graph.json``."""

    format: str
    version: int
    patient: _Patients
    groups: dict[str, list[str]]
    schema: dict[str, Any]
    spec: dict[str, Any]
    plugins: NotRequired[list[dict[str, str]]]


def save_graph(graph: HeteroData, folder: str | Path) -> None:
    """Saves a graph as a folder, whole or not at all.

    Args:
        graph: The graph.
        folder: Where to. An existing graph there is replaced; its parents are created.

    Raises:
        InputError: ``folder`` exists and is not a graph's folder, or the graph's parts do not belong together.
    """
    check_graph(graph)
    patient = graph["patient"]
    stored: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "patient": {key: list(patient[key]) for key in _LISTS if key in patient},
        "groups": patient.groups,
        "schema": graph.schema.to_dict(),
        "spec": graph.spec,
    }
    needs = plugin_needs(("modality kind", fields.kind) for fields in graph.schema.modalities)
    if needs:
        stored["plugins"] = needs
    tensors = {"y": patient.y, **{key: patient[key] for key in FOLLOW_UP if key in patient}}
    for number, name in enumerate(graph.schema.names):
        # Numbers, not names: a modality's name may hold any character.
        for key, value in graph[edge_type(name)].items():
            if key != ROW:
                tensors[f"{number}.{key}"] = value
    with atomic_directory(Path(folder), marker=_GRAPH, holds=FORMAT) as temporary:
        write_tensors(tensors, temporary / _TENSORS)
        (temporary / _GRAPH).write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        receipt = json.dumps(graph.receipt.to_dict(), ensure_ascii=False, indent=1)
        (temporary / _RECEIPT).write_text(receipt, encoding="utf-8")


def load_graph(folder: str | Path) -> HeteroData:
    """Loads what :func:`save_graph` wrote.

    Args:
        folder: The graph's folder.

    Returns:
        The graph, equal in every value and dtype.

    Raises:
        InputError: The folder or a file in it is missing or damaged, a newer version of gdsfd wrote it, or it needs a
            plug-in that is not loaded.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected a graph made by `gdsfd build` or save_graph()")
    stored = _read_json(folder / _GRAPH)
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise InputError(f"{folder / _GRAPH}: this is not a gdsfd graph; expected a folder made by `gdsfd build`")
    version = stored.get("version")
    if version != FORMAT_VERSION and (type(version) is not int or version not in _RENAMED):
        raise InputError(
            f"{folder}: the graph has format version {shown([version])}, this gdsfd reads {FORMAT_VERSION}. "
            "Build the graph again, or use the gdsfd that wrote it."
        )
    try:
        tensors = load_file(folder / _TENSORS)
    except FileNotFoundError:
        raise _damaged(folder / _TENSORS, "the file is missing") from None
    except SafetensorError as error:
        raise _damaged(folder / _TENSORS, str(error)) from error
    try:
        described = TypeAdapter(_Stored).validate_python(stored)
    except ValidationError as error:
        raise _damaged(folder / _GRAPH, _first(error)) from None
    require_plugins(described.get("plugins", []), f"{folder}: the graph")
    try:
        graph = _assemble(described, _renamed(tensors, version))
    except (ValidationError, InputError) as error:
        raise _damaged(folder / _GRAPH, _first(error)) from None
    try:
        graph.receipt = Receipt.from_dict(_read_json(folder / _RECEIPT))
    except InputError as error:
        raise error if str(error).startswith(str(folder)) else _damaged(folder / _RECEIPT, str(error)) from None
    try:
        check_graph(graph)
        check_values(graph)
    except InputError as error:
        raise _damaged(folder / _TENSORS, str(error)) from None
    return graph


def _renamed(tensors: dict[str, Tensor], version: int) -> dict[str, Tensor]:
    """The tensors under the names of this version."""
    names = _RENAMED.get(version, {})
    renamed = {}
    for key, tensor in tensors.items():
        number, dot, name = key.partition(".")
        renamed[number + dot + names.get(name, name)] = tensor
    return renamed


def _assemble(stored: _Stored, tensors: dict[str, Tensor]) -> PatientGraph:
    schema = CohortSchema.from_dict(stored["schema"])
    graph = PatientGraph()
    patient = graph["patient"]
    patient.num_nodes = len(stored["patient"]["id"])
    patient.update({key: values for key, values in stored["patient"].items() if key in _LISTS})
    patient.groups = stored["groups"]
    patient.y = tensors.get("y")
    patient.update({key: tensors[key] for key in FOLLOW_UP if key in tensors})
    patient.row = torch.arange(patient.num_nodes)
    graph["modality"].num_nodes = len(schema.names)
    graph["modality"].name = list(schema.names)
    graph["modality"].row = torch.arange(len(schema.names))
    for number, name in enumerate(schema.names):
        store = graph[edge_type(name)]
        prefix = f"{number}."
        if f"{prefix}edge_index" not in tensors:
            raise InputError(f"the tensors have no edges of modality {name!r}")
        store.edge_index = tensors[f"{prefix}edge_index"]
        for key, value in tensors.items():
            if key.startswith(prefix):
                store[key.removeprefix(prefix)] = value
        store.row = torch.arange(store.edge_index.size(-1))
    graph.schema = schema
    graph.spec = stored["spec"]
    return graph


def _first(error: Exception) -> str:
    """What is wrong, in one line: of many errors of a file's layout the first, with its place."""
    if not isinstance(error, ValidationError):
        return str(error)
    one = error.errors()[0]
    return f"{'.'.join(map(str, one['loc']))}: {one['msg']}"


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = sorted(entry.name for entry in path.parent.iterdir())
        has = f"the folder has {shown(found)}" if found else "the folder is empty"
        raise InputError(f"{path}: the file is missing ({has}); expected a graph made by `gdsfd build`") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f"{path}: the graph's file is missing or damaged ({why}); build the graph again")
