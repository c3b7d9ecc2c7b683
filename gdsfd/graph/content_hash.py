"""What a graph holds, as a few short hashes: two graphs with the same ones train the same model."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.from_cohort import FOLLOW_UP, edge_type

__all__ = ["content_hash"]

_TEXTS = {"id": "ids", "subject": "subjects", "split": "splits", "environment": "environments", "groups": "groups"}


def content_hash(graph: HeteroData) -> dict[str, str]:
    """Hashes of a graph's parts (BLAKE2b, 128 bits): of the texts of its patients, labels, schema and each modality.

    Every value counts, with its type, its shape and the order of patients; the receipt and the spec do not.

    Args:
        graph: A graph made by this package.

    Returns:
        Part -> hash, hexadecimal. The parts are called as messages name them: ``"labels"``, ``"modality 'labs'"``.
    """
    patient, parts = graph["patient"], {}
    for key, name in _TEXTS.items():
        parts[name] = _of_json(patient.get(key))
    parts["labels"] = _of_tensors({key: patient[key] for key in ("y", *FOLLOW_UP) if key in patient})
    schema = graph.schema.plain()
    for fields in schema["modalities"]:
        fields.pop("level_counts", None)  # earlier versions do not know it, and no training looks at it
    parts["schema"] = _of_json(schema)  # of a graph of earlier versions the hash of then
    for name in graph.schema.names:
        edges = graph[edge_type(name)]
        tensors = {key: value for key, value in edges.items() if isinstance(value, Tensor)}
        parts[f"modality {name!r}"] = _of_tensors(tensors)
    return parts


def _of_json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=list)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _of_tensors(tensors: dict[str, Tensor]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for key, tensor in sorted(tensors.items()):
        array = tensor.detach().cpu().contiguous().numpy()
        found.update(f"{key} {array.dtype} {array.shape} ".encode())
        found.update(array.data)
    return found.hexdigest()
