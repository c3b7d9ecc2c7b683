"""Batches of patients, and which patients a split or a list of ids means."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError, cell_text, near_names, shown
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore

__all__ = ["PatientLoader", "rows_of"]


class PatientLoader:
    """Iterates over patients in batches.

    Args:
        source: A graph, or a :class:`~gdsfd.graph.patient_store.PatientStore` of it (saves indexing it again).
        rows: Rows of the graph's patients; int64 [n].
        batch_size: Patients per batch; the last batch may have fewer.
        shuffle: Whether each pass draws a new order.
        generator: Where that order comes from. Required for shuffling: the global generator is never touched.
        drop_last: Whether a last, smaller batch is left out.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> for batch in PatientLoader(graph, rows_of(graph, "train"), 64, True, generator):  # doctest: +SKIP
        ...     batch.observations["labs"]["value"]
    """

    def __init__(
        self,
        source: PatientStore | HeteroData,
        rows: Tensor,
        batch_size: int,
        shuffle: bool = False,
        generator: torch.Generator | None = None,
        drop_last: bool = False,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size: expected at least 1 patient, got {batch_size}")
        if shuffle and generator is None:
            raise InputError("shuffle=True needs generator=torch.Generator(): the global generator is never touched")
        self.store = source if isinstance(source, PatientStore) else PatientStore(source)
        self.rows = rows
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = generator
        self.drop_last = drop_last

    def __len__(self) -> int:
        whole, rest = divmod(self.rows.numel(), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[PatientBatch]:
        rows = self.rows
        if self.shuffle:
            rows = rows[torch.randperm(rows.numel(), generator=self.generator).to(rows.device)]
        for number in range(len(self)):
            yield self.store.batch(rows[number * self.batch_size : (number + 1) * self.batch_size])


def rows_of(graph: HeteroData, split: str | Sequence[str] | None = None, ids: Sequence[str] | None = None) -> Tensor:
    """Rows of the graph's patients that are meant.

    Args:
        graph: A graph.
        split: A split's name, or several; None = all.
        ids: Patient ids; the rows come in their order, repeats included. Not together with ``split``.

    Returns:
        int64 [n]; for splits (and all patients) in the order of ``graph["patient"].id``.

    Raises:
        InputError: A split or an id is not in the graph, or both arguments are given.
    """
    patient = graph["patient"]
    if split is not None and ids is not None:
        raise InputError("give split or ids, not both")
    if ids is not None:
        return _rows_of_ids(patient.id, ids)
    if split is None:
        return torch.arange(patient.num_nodes)
    wanted = [split] if isinstance(split, str) else _listed(split, "split: expected a split's name, or several")
    known = sorted(set(patient.split))
    for name in wanted:
        if name not in known:
            near = near_names(str(name), known)
            raise InputError(f"split {cell_text(name)} is not in the graph, which has {shown(known, 12)}.{near}")
    chosen = set(wanted)
    return torch.tensor([row for row, name in enumerate(patient.split) if name in chosen], dtype=torch.long)


def _listed(names: Sequence[str], expected: str) -> list[str]:
    """The names as a list; hashable ones, so that they can be looked up."""
    if not isinstance(names, Iterable) or isinstance(names, Mapping):
        raise InputError(f"{expected}, got {cell_text(names)}")
    listed = list(names)
    for name in listed:
        if not isinstance(name, Hashable):
            raise InputError(f"{expected}, got {cell_text(name)} among them")
    return listed


def _rows_of_ids(known: Sequence[str], ids: Sequence[str]) -> Tensor:
    if isinstance(ids, str):
        raise InputError(f"ids: expected a list of ids, got the text {ids!r}; write ids=[{ids!r}]")
    ids = _listed(ids, "ids: expected a list of ids")
    row_of = {name: row for row, name in enumerate(known)}
    strangers = [name for name in ids if name not in row_of]
    if strangers:
        raise InputError(
            f"ids: {len(strangers)} of {len(ids)} are not in the graph: {shown(strangers)}. "
            f"Ids are texts as in the cohort table, for example {shown(known[:2])}."
        )
    return torch.tensor([row_of[name] for name in ids], dtype=torch.long)
