"""What the declared suspects say of each patient, as a few codes fitted on training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.cohort.modality_kind import Arrays, ModalityKind, kind_of
from gdsfd.cohort.schema import ModalityFields
from gdsfd.errors import InputError
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import edge_type
from gdsfd.training.suspects.declared_suspects import FOUND

__all__ = ["SuspectCodes", "suspect_codes", "word_codes"]

#: A code that fewer training patients have is merged into another.
LEAST_PATIENTS = 20
#: Quantile bins of a suspect number.
BINS = 5
#: Clusters of a suspect modality's content.
CLUSTERS = 6

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class SuspectCodes:
    """One code per suspect and patient.

    Args:
        names: What each column is: ``environment``, ``pattern``, ``group:sex``, ``column:labs.crp`` ...
        codes: int64 [N, S]; -1 = missing, or not seen among training patients.
        sizes: Number of codes of each column.
    """

    names: tuple[str, ...]
    codes: Tensor
    sizes: tuple[int, ...]

    def without(self, names: Sequence[str]) -> SuspectCodes:
        """The codes of the other suspects."""
        kept = [place for place, name in enumerate(self.names) if name not in names]
        return SuspectCodes(
            tuple(self.names[place] for place in kept), self.codes[:, kept], tuple(self.sizes[place] for place in kept)
        )


def suspect_codes(graph: HeteroData, suspects: Sequence[str], rows: Tensor) -> SuspectCodes:
    """Codes of the declared suspects.

    Environments and groups are their own codes; rare ones are merged into one. A pattern with few training patients is
    merged into the nearest kept one. A suspect number is cut at training quintiles, not measured being a code of its
    own; a suspect category is its level; a suspect modality is absent, or one of six clusters of its content.

    Args:
        graph: The graph.
        suspects: Words as in ``Debiaser(suspects=...)``; ``found`` has no codes.
        rows: Training rows, int64; nothing is fitted on any other row and labels are not read.

    Returns:
        Codes of all the graph's patients. A suspect the graph does not have (no environment was declared) is left
        out, and so is one that has one code only.
    """
    fit = rows.numpy()
    columns: list[tuple[str, Codes]] = []
    for word in dict.fromkeys(suspects):
        kind, _, rest = word.partition(":")
        if word == "environment":
            environment = graph["patient"].get("environment")
            if environment is not None:
                columns.append((word, word_codes(np.asarray(environment, dtype=object), fit)))
        elif word == "groups":
            groups = graph["patient"].groups
            columns.extend(
                (f"group:{name}", word_codes(np.asarray(groups[name], dtype=object), fit)) for name in groups
            )
        elif word == FOUND:
            continue  # known by responsibilities only, which labels enter
        elif word == "pattern":
            columns.append((word, _patterns(presence_of(graph).numpy(), fit)))
        elif kind == "modality":
            columns.append((word, _modality(graph, rest, fit)))
        else:
            name, _, column = rest.partition(".")
            columns.append((word, _column(graph, name, column, fit)))
    told = [(name, codes) for name, codes in columns if np.unique(codes[fit]).size > 1]
    if not told:
        return SuspectCodes((), torch.zeros(len(graph["patient"].id), 0, dtype=torch.long), ())
    stacked = np.stack([codes for _, codes in told], axis=1)
    sizes = tuple(int(column.max()) + 1 for column in stacked[fit].T)
    return SuspectCodes(tuple(name for name, _ in told), torch.from_numpy(stacked), sizes)


def word_codes(words: NDArray[Any], fit: Codes, least: int = LEAST_PATIENTS) -> Codes:
    """Codes of words; rare ones share the last code, words no training patient has are -1."""
    seen, counts = np.unique(words[fit].astype(str), return_counts=True)
    kept = seen[counts >= least]
    code = {word: number for number, word in enumerate(kept)}
    code.update({word: len(kept) for word in seen if word not in code})
    return np.array([code.get(str(word), -1) for word in words], dtype=np.int64)


def _patterns(presence: NDArray[np.bool_], fit: Codes) -> Codes:
    """Codes of patterns: those with enough training patients, every other at its nearest (ties: the more frequent)."""
    seen, counts = np.unique(presence[fit], axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    kept = seen[order][counts[order] >= LEAST_PATIENTS]
    if not len(kept):
        kept = seen[order][:1]
    distance = (presence[:, None, :] != kept[None, :, :]).sum(-1) if len(presence) * len(kept) < 10**7 else None
    if distance is not None:
        return distance.argmin(1).astype(np.int64)
    return np.concatenate([(part[:, None, :] != kept[None]).sum(-1).argmin(1) for part in np.array_split(presence, 64)])


def _column(graph: HeteroData, name: str, column: str, fit: Codes) -> Codes:

    fields = next(modality for modality in graph.schema.modalities if modality.name == name)
    kind, arrays, owner = _observed(graph, fields)
    if kind.column is None:
        raise InputError(
            f"suspect 'column:{name}.{column}': modalities of kind {kind.name!r} have no columns to suspect"
        )
    cells = kind.column(fields, arrays, column)
    total = len(graph["patient"].id)
    if cells.dtype.kind != "f":
        levels = np.zeros(total, dtype=np.int64)  # 0 = absent or missing
        levels[owner] = cells
        return word_codes(levels.astype(object), fit)
    value = np.full(total, np.nan)
    value[owner] = cells
    return _bins(value, fit)


def _observed(graph: HeteroData, fields: ModalityFields) -> tuple[ModalityKind, Arrays, Codes]:
    """A modality's kind, its arrays, and the patient of each observation."""
    kind, edges = kind_of(fields), graph[edge_type(fields.name)]
    return kind, {key: edges[key].numpy() for key in kind.keys}, edges.edge_index[0].numpy()


def _bins(value: NDArray[np.float64], fit: Codes) -> Codes:
    known = value[fit][~np.isnan(value[fit])]
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else np.zeros(0)
    return np.where(np.isnan(value), 0, 1 + np.searchsorted(cuts, value, side="right")).astype(np.int64)


def _modality(graph: HeteroData, name: str, fit: Codes) -> Codes:
    from sklearn.cluster import KMeans  # slow to import

    fields = next(modality for modality in graph.schema.modalities if modality.name == name)
    kind, arrays, owner = _observed(graph, fields)
    codes = np.zeros(len(graph["patient"].id), dtype=np.int64)  # 0 = absent
    if not owner.size:
        return codes
    content = kind.numbers(fields, arrays, owner.size)
    mine = np.isin(owner, fit)
    center, spread = np.nanmean(content[mine], 0), np.nanstd(content[mine], 0)
    scaled = np.nan_to_num((content - center) / np.where(spread > 0, spread, 1.0)).clip(-5, 5)
    clusters = min(CLUSTERS, max(int(mine.sum()) // LEAST_PATIENTS, 1))
    found = KMeans(clusters, n_init=4, random_state=0).fit(scaled[mine])
    codes[owner] = 1 + found.predict(scaled)
    return codes
