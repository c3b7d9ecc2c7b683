"""Prediction: one loop over batches for every caller, and the last graph kept indexed for the next call."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.graph.check_graph import check_observed
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble

__all__ = ["BATCH_SIZE", "GraphCache", "Predictions", "batches_of", "predict"]

#: Patients at a time. The last bits of a probability can depend on it, so every caller takes the same.
BATCH_SIZE = 1024


@dataclass(frozen=True)
class Predictions:
    """What a network predicts of n patients, on the CPU.

    Args:
        probability: float64 [n, classes] (see :func:`gdsfd.nn.losses.probabilities`).
        embeddings: Stream name -> the members' patient embeddings side by side, [n, members x channels]; empty unless
            asked for.
    """

    probability: NDArray[np.float64]
    embeddings: dict[str, NDArray[np.float32]]


def batches_of(
    store: PatientStore, rows: Tensor, device: str | torch.device = "cpu", batch_size: int = BATCH_SIZE
) -> Iterator[PatientBatch]:
    """Patients in batches on a device; no rows give one empty batch, so that outputs have the right width.

    Args:
        store: The patients' observations, on the CPU.
        rows: Rows of the graph's patients; int64 [n].
        device: Where the batches go.
        batch_size: Patients at a time.
    """
    device = torch.device(device)
    for first in range(0, max(rows.numel(), 1), batch_size):
        batch = store.batch(rows[first : first + batch_size])
        yield batch if device.type == "cpu" else batch.to(device)


@torch.no_grad()
def predict(
    network: Ensemble,
    store: PatientStore,
    rows: Tensor,
    device: str | torch.device = "cpu",
    embeddings: bool = False,
) -> Predictions:
    """Predicts patients; each one's numbers do not depend on who else is asked for.

    Args:
        network: A trained network; it is put into evaluation mode and stays on ``device``.
        store: The patients' observations, on the CPU.
        rows: Rows of the graph's patients; int64 [n].
        device: Where to compute.
        embeddings: Whether patient embeddings are wanted, too.
    """
    device = torch.device(device)
    if network.training:
        network.eval()
    if next(network.parameters()).device != device:
        network.to(device)
    probability: list[Tensor] = []
    streams: dict[str, list[Tensor]] = {}
    for batch in batches_of(store, rows, device):
        outputs = network(batch)
        trees = None
        if network.start is not None:
            trees = torch.from_numpy(network.start.logits(store.flat(batch.rows.cpu())))
        probability.append(network.probability(outputs, trees).cpu())
        for name, code in network.codes(outputs).items() if embeddings else ():
            streams.setdefault(name, []).append(code.cpu())
    joined = {name: torch.cat(parts).numpy() for name, parts in streams.items()}
    return Predictions(torch.cat(probability).numpy(), joined)


class GraphCache:
    """The patient store and the rows of ids of the last graph, so that one patient is predicted in constant time.

    A graph is the last one when it is the same object and every attribute of its stores is the same object as before,
    tensors at the same version (which every operation in place raises) and lists of the same length. So edges, values
    or ids that are replaced, changed in place, added or deleted are noticed and the graph is checked and indexed again.
    An id written into a list is noticed when it is asked for: a row found is held to the list as it is now. Not noticed
    is what goes around torch's count of versions, through ``.data`` or a NumPy view: new values are then predicted
    from, as they share memory, but new ``edge_index`` values are not.

    The graph is referred to weakly: the cache keeps no graph alive. It is neither copied nor pickled with its owner.
    """

    def __init__(self) -> None:
        self._last: _IndexedGraph | None = None

    def store(self, graph: HeteroData) -> PatientStore:
        """The graph's store, made anew unless the graph is the last one, unchanged.

        Raises:
            InputError: It is no graph, its parts do not belong together, or its values are not finite.
        """
        return self._indexed(graph).store

    def rows(self, graph: HeteroData, split: str | Sequence[str] | None, ids: Sequence[str] | None) -> Tensor:
        """Rows of the patients meant, as :func:`~gdsfd.graph.loader.rows_of` gives them; ids in constant time each."""
        if split is not None or ids is None or isinstance(ids, (str, Mapping)) or not isinstance(ids, Iterable):
            return rows_of(graph, split, ids)
        names, known, indexed = list(ids), graph["patient"].id, self._indexed(graph)
        for row_of in (indexed.row_of, None):
            if row_of is None:  # never asked for ids, or another list than it was
                row_of = indexed.row_of = {name: row for row, name in enumerate(known)}
            rows = [row_of.get(name, -1) if isinstance(name, str) else -1 for name in names]
            if all(0 <= row < len(known) and known[row] == name for row, name in zip(rows, names)):
                return torch.tensor(rows, dtype=torch.long)
        return rows_of(graph, None, names)  # says which are not in the graph

    def _indexed(self, graph: HeteroData) -> _IndexedGraph:
        last = self._last
        attributes = _attributes(graph) if isinstance(graph, HeteroData) else []
        if last is None or last.graph() is not graph or not _same(attributes, last.attributes):
            self._last = None
            store = PatientStore(graph)
            check_observed(graph, single=True)
            last = self._last = _IndexedGraph(weakref.ref(graph, self._forget), attributes, store)
        return last

    def _forget(self, graph: weakref.ref[HeteroData]) -> None:
        if self._last is not None and self._last.graph is graph:
            self._last = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_last": None}


@dataclass
class _IndexedGraph:
    """A graph, what it was made of, its store, and the row of each id once ids were asked for."""

    graph: weakref.ref[HeteroData]
    attributes: list[tuple[object, int]]
    store: PatientStore
    row_of: dict[str, int] | None = None


def _attributes(graph: HeteroData) -> list[tuple[object, int]]:
    """All that a graph's stores hold, each with the number that a change in place would change."""
    found: list[tuple[object, int]] = []
    for store in graph.stores:
        found.append((store, len(store)))
        for key, value in store.items():
            found.append((key, 0))
            if isinstance(value, Tensor):  # tensors made in inference mode have no version: never the same
                found.append((object(), 0) if value.is_inference() else (value, value._version))
            else:
                found.append((value, len(value) if isinstance(value, (list, dict)) else 0))
    return found


def _same(now: list[tuple[object, int]], before: list[tuple[object, int]]) -> bool:
    return len(now) == len(before) and all(
        number == old_number and (value is old or (isinstance(value, (str, int)) and value == old))
        for (value, number), (old, old_number) in zip(now, before)
    )
