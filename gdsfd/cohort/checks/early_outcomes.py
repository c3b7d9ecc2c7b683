"""Warnings of outcomes that had come before they are predicted: a death within the hours that a model reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.spec import CohortSpec
from gdsfd.cohort.spec.row_expression import RAW_SUFFIX, row_expression

__all__ = ["columns_behind", "find_early_outcomes"]

_FEWEST, _SHARE = 5, 0.01  #: patients with the outcome who had it before, and their share
_OF_OTHERS = 0.5  #: share of those without the outcome who have a time, too: then it need not be the outcome's
_ANOTHER_TIME = 0.9  #: share of known times that then lie before, as times of birth or of an earlier stay do
_TIMED = ("string", "timestamp", "date")  #: types of columns, by how their names begin


def columns_behind(spec: CohortSpec, types: Mapping[str, str]) -> dict[str, list[str]]:
    """The columns that the SQL of each outcome reads and that may hold its time; origins are none.

    Args:
        spec: The spec.
        types: The cohort table's columns, and their types in Ibis' words.
    """
    origins = {modality.origin for modality in spec.modality}
    derive = spec.cohort.derive
    found: dict[str, list[str]] = {}
    for outcome in spec.outcome:
        waiting, read = [*outcome.columns], dict.fromkeys(outcome.columns)
        while waiting:
            name = waiting.pop()
            if name not in derive:
                continue
            below = [each for each in row_expression(derive[name]).columns if each not in read]
            below = [each.removesuffix(RAW_SUFFIX) if each not in types else each for each in below]
            read |= dict.fromkeys(below)
            waiting += below
        found[outcome.name] = [
            name for name in read if name not in origins and types.get(name, "").lower().startswith(_TIMED)
        ]
    return found


def find_early_outcomes(
    spec: CohortSpec, cells: Mapping[str, Sequence[str | None]], positive: Mapping[str, NDArray[np.bool_]]
) -> list[Finding]:
    """A finding where patients have a time behind their outcome that lies before the end of what a model reads.

    Args:
        spec: The spec.
        cells: As text, of the origins and of :func:`columns_behind`; each [N].
        positive: By outcome who has it; bool [N].
    """
    ends: dict[str, float] = {}
    for modality in spec.modality:
        if modality.origin is not None and modality.origin in cells and modality.window is not None:
            ends[modality.origin] = max(ends.get(modality.origin, -np.inf), modality.window[1])
    begins = {origin: times for origin in ends if (times := _times(cells[origin])) is not None}
    return [
        finding
        for outcome, columns in columns_behind(spec, dict.fromkeys(cells, "string")).items()
        if outcome in positive
        for finding in _of_outcome(outcome, columns, cells, positive[outcome], begins, ends)
    ]


def _of_outcome(
    outcome: str,
    columns: Sequence[str],
    cells: Mapping[str, Sequence[str | None]],
    positive: NDArray[np.bool_],
    begins: Mapping[str, pd.Series],
    ends: Mapping[str, float],
) -> Iterator[Finding]:
    for column in columns:
        times = _times(cells[column])
        if times is None:
            continue
        for origin, begin in begins.items():
            away = ((times - begin).dt.total_seconds() / 60).to_numpy(dtype=np.float64)
            known = np.isfinite(away)
            before = known & (away < ends[origin])
            early, having = int((before & positive).sum()), int(positive.sum())
            others = known[~positive].sum() >= _OF_OTHERS * (~positive).sum()
            if early < max(_FEWEST, _SHARE * having) or (others and before.sum() >= _ANOTHER_TIME * known.sum()):
                continue
            yield Finding(
                "leakage",
                outcome,
                f"{early:,} of {having:,} patients with the outcome have {column!r} before the end of the window, "
                f"{ends[origin]:g} minutes after {origin!r}: it had come before it is predicted, and what was recorded "
                "of them in the window may say so. Leave these patients out with cohort.where, or end the window "
                "earlier",
                early / having,
            )
            return


def _times(cells: Sequence[str | None]) -> pd.Series | None:
    """Timestamps; None where most cells are none."""
    texts = pd.Series(list(cells), dtype="string")
    if not texts.str.match(r"\s*\d{4}-\d\d?-\d\d?").sum() >= max(texts.notna().sum() / 2, 1):
        return None
    return pd.to_datetime(texts, errors="coerce", utc=True, format="ISO8601")
