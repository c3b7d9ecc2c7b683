"""Whom a model was trained on, by what was measured of them: known under other ids, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.cohort.value_hashes import (
    FEWEST_DIFFERENT,
    FEWEST_NUMBERS,
    MANY,
    Hashes,
    different_in_events,
    different_in_table,
    hashes_of_events,
    hashes_of_table,
    mixed,
)
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import edge_type
from gdsfd.training.run_record.training_patients import ROLES, hashed

__all__ = ["TrainingValues"]


@dataclass(frozen=True)
class TrainingValues:
    """Salted hashes of all numbers that a run's training and tuning patients have in tables and events.

    An export under new pseudonyms has other ids and the same values. Patients of whom little was measured, and values
    that many have, are left out: with eight numbers, five of them different, equality is no chance.

    Args:
        salt: The key, hexadecimal: the run's.
        hashes: Role -> sorted hashes.
    """

    salt: str
    hashes: Mapping[str, Hashes]

    @classmethod
    def of(cls, graph: HeteroData, salt: str) -> TrainingValues:
        """Those of a graph's splits ``train`` and ``tuning``; costs one pass over its values.

        Args:
            graph: The graph trained on.
            salt: The run's salt.
        """
        content, numbers = _contents(graph)
        split = np.asarray(graph["patient"].split, dtype=str)
        known = {role: _rare(content[(split == role) & (numbers >= FEWEST_NUMBERS)]) for role in ROLES}
        return cls(salt, {role: np.unique(_salted(own, salt)) for role, own in known.items()})

    def seen(self, graph: HeteroData) -> NDArray[np.bool_]:
        """Which of a graph's patients have the very same numbers as one of these; [N].

        Args:
            graph: A graph with the model's schema.
        """
        content, numbers = _contents(graph)
        rows = np.flatnonzero(np.isin(content, _rare(content)) & (numbers >= FEWEST_NUMBERS))
        own = _salted(content[rows], self.salt)
        found = np.zeros(len(content), bool)
        alike = rows[np.logical_or.reduce([np.isin(own, each, kind="sort") for each in self.hashes.values()])]
        found[alike] = _different(graph, alike) >= FEWEST_DIFFERENT
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored beside the salt."""
        return {f"values.{role}": own for role, own in self.hashes.items()}

    @classmethod
    def from_arrays(cls, salt: Any, arrays: Mapping[str, NDArray[Any]], where: str) -> TrainingValues | None:
        """Reads what was stored; None where a run of an earlier version stored none.

        Raises:
            InputError: One of the arrays is missing or of another kind.
        """
        found = {role: arrays.get(f"values.{role}") for role in ROLES}
        if all(each is None for each in found.values()):
            return None
        hashes = {role: each for role, each in found.items() if each is not None}
        if len(hashes) < len(ROLES) or any(each.dtype != np.uint64 or each.ndim != 1 for each in hashes.values()):
            raise InputError(f"{where}: damaged (hashes of values of training patients); copy the folder again")
        return cls(str(salt), hashes)


def _contents(graph: HeteroData) -> tuple[Hashes, NDArray[np.int64]]:
    """Of each patient a hash of the numbers in all tables and events, and how many they are."""
    patients = int(graph["patient"].num_nodes)
    total, numbers = np.zeros(patients, np.uint64), np.zeros(patients, np.int64)
    for place, fields in enumerate(graph.schema.modalities):
        arrays = {key: graph[edge_type(fields.name)][key].cpu().numpy() for key in _KEYS.get(fields.kind, ())}
        if fields.kind == "table":
            content, count = hashes_of_table(arrays["numeric"], arrays["categorical"])
        elif fields.kind == "events":
            content, count = hashes_of_events(arrays["run_ptr"], arrays["step"], arrays["item"], arrays["value"])
        else:
            continue
        owner = graph[edge_type(fields.name)].edge_index[0].cpu().numpy()
        total[owner] += mixed(content + np.uint64(place + 1))
        numbers[owner] += count
    return total, numbers


_KEYS = {"table": ("numeric", "categorical"), "events": ("run_ptr", "step", "item", "value")}


def _different(graph: HeteroData, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many different numbers some patients have in the modality that has the most; [len(rows)]."""
    place = np.full(int(graph["patient"].num_nodes), -1, np.int64)
    place[rows] = np.arange(len(rows))
    most = np.zeros(len(rows), np.int64)
    for fields in graph.schema.modalities:
        if fields.kind not in _KEYS:
            continue
        edges = graph[edge_type(fields.name)]
        own = place[edges.edge_index[0].cpu().numpy()]
        of = np.flatnonzero(own >= 0)
        if fields.kind == "table":
            counts = different_in_table(edges.numeric.cpu().numpy()[of])
        else:
            counts = different_in_events(edges.run_ptr.cpu().numpy(), edges.value.cpu().numpy(), of)
        most[own[of]] = np.maximum(most[own[of]], counts)
    return most


def _rare(content: Hashes) -> Hashes:
    """The hashes that only a few have."""
    different, counts = np.unique(content, return_counts=True)
    return different[counts <= MANY]


def _salted(content: Hashes, salt: str) -> Hashes:
    return hashed([f"{number:x}" for number in content.tolist()], salt, "values")
