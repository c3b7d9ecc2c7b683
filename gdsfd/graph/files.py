"""A graph on disk: tensors in safetensors, everything else in JSON.

A folder holds ``tensors.safetensors``, ``graph.json`` (ids, splits, schema, spec, format version) and ``receipt.json``.
It is written beside its final place, flushed to the disk and renamed, so a save that is killed leaves the old folder or
none, never half of one. Reading runs no code from the files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.audit import Receipt
from gdsfd.cohort.fields import CohortSchema
from gdsfd.errors import InputError, SchemaError, shown
from gdsfd.graph.from_cohort import edge_type
from gdsfd.whole_folder import whole_folder

__all__ = ["FORMAT_VERSION", "load_graph", "save_graph"]

FORMAT = "gdsfd graph"
FORMAT_VERSION = 1
_TENSORS, _GRAPH, _RECEIPT = "tensors.safetensors", "graph.json", "receipt.json"
_LISTS = ("id", "subject", "split", "environment")


def save_graph(graph: HeteroData, folder: str | Path) -> None:
    """Saves a graph as a folder, whole or not at all.

    Args:
        graph: The graph.
        folder: Where to. An existing graph there is replaced; its parents are created.

    Raises:
        InputError: ``folder`` exists and is not a graph's folder.
    """
    patient = graph["patient"]
    stored: dict[str, Any] = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "patient": {key: list(patient[key]) for key in _LISTS if key in patient},
        "groups": patient.groups,
        "schema": graph.schema.to_dict(),
        "spec": graph.spec,
    }
    tensors = {"y": patient.y}
    for number, name in enumerate(graph.schema.names):
        # Numbers, not names: a modality's name may hold any character.
        for key, value in graph[edge_type(name)].items():
            tensors[f"{number}.{key}"] = value
    with whole_folder(Path(folder), marker=_GRAPH, holds=FORMAT) as temporary:
        save_file(_apart(tensors), temporary / _TENSORS)
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
        InputError: The folder or a file in it is missing or damaged, or a newer version of gdsfd wrote it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected a graph made by `gdsfd build` or save_graph()")
    stored = _read_json(folder / _GRAPH)
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise InputError(f"{folder / _GRAPH}: this is not a gdsfd graph; expected a folder made by `gdsfd build`")
    if stored.get("version") != FORMAT_VERSION:
        raise InputError(
            f"{folder}: the graph has format version {stored.get('version')!r}, this gdsfd reads {FORMAT_VERSION}. "
            "Build the graph again, or use the gdsfd that wrote it."
        )
    try:
        tensors = load_file(folder / _TENSORS)
    except FileNotFoundError:
        raise _damaged(folder / _TENSORS, "the file is missing") from None
    except SafetensorError as error:
        raise _damaged(folder / _TENSORS, str(error)) from error
    receipt = _read_json(folder / _RECEIPT)
    try:
        graph = _assemble(stored, receipt, tensors)
    except (KeyError, TypeError, AttributeError, SchemaError) as error:
        raise _damaged(folder / _GRAPH, f"{type(error).__name__}: {error}") from error
    _check_sizes(graph, folder / _TENSORS)
    return graph


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, each contiguous and alone in its memory, as safetensors wants them."""
    seen: set[int] = set()
    apart = {}
    for key, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        memory = tensor.untyped_storage()
        if memory.data_ptr() in seen or memory.nbytes() != tensor.numel() * tensor.element_size():
            tensor = tensor.clone()
        seen.add(memory.data_ptr())
        apart[key] = tensor
    return apart


def _assemble(stored: dict[str, Any], receipt: dict[str, Any], tensors: dict[str, Tensor]) -> HeteroData:
    schema = CohortSchema.from_dict(stored["schema"])
    graph = HeteroData()
    patient = graph["patient"]
    patient.num_nodes = len(stored["patient"]["id"])
    for key in _LISTS:
        if key in stored["patient"]:
            patient[key] = stored["patient"][key]
    patient.groups = stored["groups"]
    patient.y = tensors["y"]
    graph["modality"].num_nodes = len(schema.names)
    graph["modality"].name = list(schema.names)
    for number, name in enumerate(schema.names):
        store = graph[edge_type(name)]
        prefix = f"{number}."
        store.edge_index = tensors[f"{prefix}edge_index"]
        for key, value in tensors.items():
            if key.startswith(prefix):
                store[key.removeprefix(prefix)] = value
    graph.schema = schema
    graph.receipt = Receipt.from_dict(receipt)
    graph.spec = stored["spec"]
    return graph


def _check_sizes(graph: HeteroData, path: Path) -> None:
    """Refuses tensors that belong to another ``graph.json``: edges would point at the wrong patients."""
    patients = graph["patient"].num_nodes
    if len(graph["patient"].y) != patients:
        raise _damaged(path, f"{len(graph['patient'].y)} labels for {patients} patients")
    for name in graph.schema.names:
        owner = graph[edge_type(name)].edge_index[0]
        if owner.numel() and int(owner.max()) >= patients:
            raise _damaged(path, f"modality {name!r} has an edge of patient {int(owner.max())}, of {patients}")


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
