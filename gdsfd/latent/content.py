"""The content a mixture looks at: a graph's numbers, modality by modality, standardised, NaN where not measured.

Numbers are the columns of tables, the mean of each event item, and the components of vectors. Presence flags, counts
and imputed values are not among them: clusters of a flag are no practice. Codes and categories are content where they
are asked for, as components of what many of them have in common (:mod:`gdsfd.latent.coded_content`). Numbers may also
be read by their rank, as one modality (:func:`ranked_reader`): clinical numbers have long tails, of which mixtures make
classes, and what an illness does to all modalities is then a covariance instead of a class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from gdsfd.errors import InputError
from gdsfd.graph.flatten import flatten
from gdsfd.latent.coded_content import code_components, outcome_components, scaled_by_share, written_columns
from gdsfd.latent.gaussian_block import Floats, Ints

__all__ = ["MOST_COLUMNS", "ContentReader", "content_readers", "ranked_reader"]

#: Most numbers of one modality: of a table or of events the most often measured, of a vector its principal components.
MOST_COLUMNS = 24
#: A column with fewer different values is a category.
LEAST_VALUES = 8
#: The fewest training patients who have a column measured.
LEAST_MEASURED = 30
#: Standard deviations at which values are cut: one typing error must not make a class.
CUT = 4.0
#: Values of a column that ranks are read from.
KNOTS = 513


@dataclass(frozen=True)
class ContentReader:
    """Reads content as it was on the patients fitted on.

    Args:
        columns: Columns of the flattened table, modality by modality; [F].
        source: Modality of each of them, 0, 1, ..; [F].
        centre: Their means; [F].
        scale: Their standard deviations; [F].
        mixing: Makes content of them: 1 in its own row, or a modality's principal components; [F, D].
        block: Modality of each number of the content; [D].
        presence: Column that says whether a patient has each modality of codes or categories, -1 for modalities of
            numbers; [modalities].
        ranked: Ascending values of each column among the patients fitted on, by whose ranks it is read as a normal
            score; [F, Q], Q = 0 where numbers are standardised.
    """

    columns: Ints
    source: Ints
    centre: Floats
    scale: Floats
    mixing: Floats
    block: Ints
    presence: Ints
    ranked: Floats = field(default_factory=lambda: np.empty((0, 0)))

    @classmethod
    def fit(cls, graph: Any, rows: Ints) -> ContentReader:
        """Chooses columns and scales them on some patients; labels are not read.

        Args:
            graph: The graph.
            rows: Training patients.

        Raises:
            InputError: No modality has a number that varies and is measured often enough.
        """
        table, names = flatten(graph, rows)
        return cls._of(_numbers(graph, table, names), graph)

    @classmethod
    def _of(cls, found: list[_Part], graph: Any) -> ContentReader:
        if not found:
            kinds = [each.name for each in graph.schema.modalities]
            raise InputError(
                f"strata are found in numbers of tables, events and vectors, and in what codes and categories have in "
                f"common; none of the modalities {', '.join(kinds) or '(none)'} has one that varies and that at least "
                f"{LEAST_MEASURED} training patients have; leave the arms with found strata out"
            )
        width = sum(part.mixing.shape[1] for part in found)
        mixing, block, place = np.zeros((sum(len(part.columns) for part in found), width)), [], [0, 0]
        for number, part in enumerate(found):
            own, weights = part.columns, part.mixing
            mixing[place[0] : place[0] + len(own), place[1] : place[1] + weights.shape[1]] = weights
            block += [number] * weights.shape[1]
            place = [place[0] + len(own), place[1] + weights.shape[1]]
        return cls(
            np.concatenate([part.columns for part in found]),
            np.repeat(np.arange(len(found)), [len(part.columns) for part in found]),
            np.concatenate([part.centre for part in found]),
            np.concatenate([part.scale for part in found]),
            mixing,
            np.array(block, dtype=np.int64),
            np.array([part.presence for part in found], dtype=np.int64),
        )

    @property
    def numbers(self) -> NDArray[np.bool_]:
        """Which modalities of the content are numbers rather than codes or categories; [modalities]."""
        return self.presence < 0

    def __call__(self, table: NDArray[np.float32]) -> Floats:
        """Content of rows of the flattened table; [n, D], NaN where not measured."""
        out = np.empty((len(table), len(self.block)))
        for number in range(int(self.block.max()) + 1):
            own, made = self.source == number, self.block == number
            weights = self.mixing[np.ix_(own, made)]
            values = table[:, self.columns[own]].astype(np.float64)
            if self.ranked.size:
                scaled = _normal_scores(values, self.ranked)
            else:
                with np.errstate(invalid="ignore"):
                    scaled = np.clip((values - self.centre[own]) / self.scale[own], -CUT, CUT)
                scaled[~np.isfinite(scaled)] = np.nan
            if self.presence[number] >= 0:
                out[:, made] = _written(scaled, weights, table[:, self.presence[number]] > 0)
            elif weights.shape[0] == weights.shape[1] and np.array_equal(weights, np.eye(len(weights))):
                out[:, made] = scaled
            else:
                out[:, made] = scaled @ weights  # one component missing, none known
        return out

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> ContentReader:
        """The reader that :meth:`arrays` was taken from; one without ``presence`` is from before codes were content."""
        found = {each.name: arrays[each.name] for each in fields(cls) if each.name in arrays}
        found.setdefault("presence", np.full(int(arrays["source"].max()) + 1, -1, dtype=np.int64))
        return cls(**found)


@dataclass(frozen=True)
class _Part:
    """One modality's columns, and what makes content of them, as in :class:`ContentReader`."""

    columns: Ints
    centre: Floats
    scale: Floats
    mixing: Floats
    presence: int = -1


def content_readers(graph: Any, rows: Ints, y: Ints) -> Iterator[ContentReader]:
    """A reader of numbers alone, then one of numbers beside codes and categories; without either where there is none.

    The second takes time, and is made when it is asked for.

    Args:
        graph: The graph.
        rows: Labelled training patients.
        y: Their outcomes, which have a part in what of codes is content; [n].

    Raises:
        InputError: There is nothing of either to look at.
    """
    table, names = flatten(graph, rows)
    numbers = _numbers(graph, table, names)
    if numbers:
        yield ContentReader._of(numbers, graph)
    coded = _coded(graph, table, names, y)
    if coded or not numbers:
        yield ContentReader._of([*numbers, *coded], graph)


def ranked_reader(graph: Any, rows: Ints) -> ContentReader | None:
    """A reader of numbers by their rank, all of one modality: the columns most often measured; None without numbers.

    Args:
        graph: The graph.
        rows: Labelled training patients; labels are not read.
    """
    table, names = flatten(graph, rows)
    parts = [part for part in _numbers(graph, table, names) if np.array_equal(part.mixing, np.eye(len(part.columns)))]
    if not parts:
        return None
    columns = np.concatenate([part.columns for part in parts])
    measured = np.isfinite(table[:, columns]).sum(0)
    chosen = np.sort(np.argsort(-measured, kind="stable")[:MOST_COLUMNS])
    columns, width = columns[chosen], len(chosen)
    values = np.where(np.isfinite(table[:, columns]), table[:, columns], np.nan).astype(np.float64)
    return ContentReader(
        columns,
        np.zeros(width, dtype=np.int64),
        np.concatenate([part.centre for part in parts])[chosen],
        np.concatenate([part.scale for part in parts])[chosen],
        np.eye(width),
        np.zeros(width, dtype=np.int64),
        np.array([-1], dtype=np.int64),
        np.nanquantile(values, np.linspace(0.0, 1.0, KNOTS), axis=0, method="nearest").T,
    )


def _normal_scores(values: Floats, ranked: Floats) -> Floats:
    """What a normal variable has at the rank of each value; equal values have the middle of their ranks; [n, F]."""
    scores = np.full(values.shape, np.nan)
    for column, known in enumerate(ranked):
        own = np.isfinite(values[:, column])
        below, beside = (known.searchsorted(values[own, column], side) for side in ("left", "right"))
        scores[own, column] = ndtri((0.5 * (below + beside) + 0.5) / (len(known) + 1))
    return scores


def _numbers(graph: Any, table: NDArray[np.float32], names: list[str]) -> list[_Part]:
    """The modalities that have numbers."""
    found = []
    for each in graph.schema.modalities:
        chosen = _chosen(table, names, each.name, each.kind)
        if len(chosen):
            found.append(_Part(*_scaled(table[:, chosen].astype(np.float64), chosen, each.kind)))
    return found


def _coded(graph: Any, table: NDArray[np.float32], names: list[str], y: Ints) -> list[_Part]:
    """The modalities whose codes or categories have something in common."""
    found = []
    for each in graph.schema.modalities:
        columns, owner = written_columns(names, each)
        presence = names.index(f"{each.name} (present)")
        has = table[:, presence] > 0
        if not len(columns) or not has.any():
            continue
        kept, share, scale = scaled_by_share(table[np.ix_(has, columns)].astype(np.float64), owner)
        columns, owner = columns[kept], owner[kept]
        if len(columns):
            scaled = np.clip((table[np.ix_(has, columns)].astype(np.float64) - share) / scale, -CUT, CUT)
            scaled = np.nan_to_num(scaled)
            weights = code_components(scaled, owner)
            if weights.shape[1]:
                weights = np.concatenate([weights, outcome_components(scaled, weights, y[has])], axis=1)
                found.append(_Part(columns, share, scale, weights, presence))
    return found


def _written(scaled: Floats, weights: Floats, present: NDArray[np.bool_]) -> Floats:
    """Components of what is written: unmeasured categories at the mean, NaN where nothing was measured; [n, D]."""
    known = np.isfinite(scaled)
    return np.where((present & known.any(1))[:, None], np.where(known, scaled, 0.0) @ weights, np.nan)


def _chosen(table: NDArray[np.float32], names: list[str], modality: str, kind: str) -> Ints:
    """Columns of a modality that are numbers and vary, the most often measured ones."""
    ours = [
        place
        for place, name in enumerate(names)
        if name.startswith(f"{modality}.") and "=" not in name and (kind != "events" or name.endswith(".mean"))
    ]
    kept = []
    for place in ours:
        values = table[:, place]
        values = values[np.isfinite(values)]
        if len(values) >= LEAST_MEASURED and len(np.unique(values)) >= LEAST_VALUES:
            kept.append((-len(values), place))
    if kind != "embedding":
        kept = sorted(kept)[:MOST_COLUMNS]
    return np.array(sorted(place for _, place in kept), dtype=np.int64)


def _scaled(values: Floats, chosen: Ints, kind: str) -> tuple[Ints, Floats, Floats, Floats]:
    """Columns, their means, their standard deviations and what makes content of them."""
    values = np.where(np.isfinite(values), values, np.nan)
    low, high = np.nanquantile(values, [0.01, 0.99], axis=0)
    cut = np.where(high > low, np.clip(values, low, high), values)  # one typing error must not set the scale
    centre, scale = np.nanmean(cut, axis=0), np.nanstd(cut, axis=0)
    scale = np.where(scale > 1e-9 * (1.0 + np.abs(centre)), scale, 1.0)
    if kind != "embedding" or len(chosen) <= MOST_COLUMNS:
        return chosen, centre, scale, np.eye(len(chosen))
    z = np.clip((values - centre) / scale, -CUT, CUT)
    z = z[np.isfinite(z).all(1)]
    size, axes = np.linalg.eigh(z.T @ z / max(1, len(z)))
    order = np.argsort(-size)[:MOST_COLUMNS]
    return chosen, centre, scale, axes[:, order] / np.sqrt(np.maximum(size[order], 1e-6))
