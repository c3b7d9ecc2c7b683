"""Columns that would give the outcome away: known only at the end, the outcome in other words, a forecast of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from gdsfd.cohort.checks.leakage import univariate_auroc
from gdsfd.first_spec.column_facts import ColumnFacts
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.words import folded

__all__ = ["leak_by_name", "leaks_by_outcome", "table_leak"]

_THRESHOLD, _PER_CLASS = 0.95, 10
#: What a name says -> why such a column leaks; the first that fits is told.
_NAMES = (
    (
        r"death|(?<!stu)died|\bdead\d*\b|deceased|\bdod\b|mortal|\bmort\d*\b|expired?\b|expire flag|surviv|"
        r"exitus|verstorb|\btod(es)?\b|"
        r"sterb|deces\b|fallec|\bdth|muert|\balive\b|vital ?status",
        "says whether or when somebody died",
    ),
    (
        r"discharg|\bdisch|disposition|entlass|austritt|sortie|\balta\b|egreso|activeupon|\bdsch|outtime|\bout time|"
        r"separation",
        "known at discharge only",
    ),
    (r"\blos\b|los$|length of stay|stay days|duration of stay|liegedauer|verweildauer|duree (de )?sejour|\bdays "
    r"in\b|free days?\b|\b(icu|hospital|vent\w*) (days|hours)\b|duration of vent",
        "how long the stay was is known at its end"),
    (r"charge|\bcosts?\b|cst\b|billing|\bdrg|reimburs|kosten|erlos", "billed after the stay"),
    (r"readmi\w* ?\d|follow ?up|outcome|\bnach(sorge|beobachtung)|\blast\b|\bfinal\b", "recorded afterwards"),
    (r"\bdn(a)?r|\bdnacpr|hospice|palliat|end ?of ?life|\beol\b|eol(id|save|disc)|care limit|comfort",
    "a decision that follows from how somebody expects it to end"),
    (r"predict(ed|ion)|\bpred(icu|hosp|vent)|surv\d|risk score|unabridged|actual(icu|hosp|vent)|prognos", "a model's "
    "or a person's forecast, often fitted on this outcome"),
    (r"\bsaps|\bsofa|apache ?score|acutephysiologyscore|\baps\b|\bsps\b|\boasis\b|\bmews\b|\bnews2?\b", "a score "
    "made of the same measurements, often worked out afterwards: a benchmark, not an input"),
)  # fmt: skip
_TABLES = (
    (r"discharge|\bdrg|billing|\bdeath|mortality|\beol\b|plan eol|hospice|claims|abrechnung", "its rows are made at "
    "the end of the stay, or because of how it ends"),
)  # fmt: skip


def leak_by_name(name: str) -> str | None:
    """Why a column of this name would leak, or None.

    Args:
        name: The column.

    Example:
        >>> leak_by_name("unitDischargeOffset"), leak_by_name("sodium")
        ('known at discharge only', None)
    """
    plain = folded(name)
    return next((why for pattern, why in _NAMES if re.search(pattern, plain)), None)


def table_leak(table: ExportTable) -> str | None:
    """Why a whole table would leak, by its name, or None."""
    plain = folded(table.name)
    return next((why for pattern, why in _TABLES if re.search(pattern, plain)), None)


def leaks_by_outcome(table: ExportTable, id: str, labels: Mapping[str, bool], columns: Sequence[str]) -> dict[str, str]:
    """Columns of a table with one row per patient that alone tell the classes apart, by their values or their blanks.

    Args:
        table: The table.
        id: Its column of ids.
        labels: Whether the outcome is positive, of the patients that have one.
        columns: Those looked at.

    Returns:
        Column -> what was seen.
    """
    owner = table.cells(id)
    known = np.asarray([own in labels for own in owner])
    positive = np.asarray([labels.get(own or "", False) for own in owner])[known]
    if min(positive.sum(), (~positive).sum()) < _PER_CLASS:
        return {}
    found = {}
    for name in columns:
        cells = pd.Series(table.cells(name), dtype=object)[known].reset_index(drop=True)
        there = cells.notna().to_numpy()
        auroc = univariate_auroc(there.astype(float), positive)
        if _tells(auroc):
            found[name] = f"whether it is filled alone tells the classes apart (AUROC {max(auroc, 1 - auroc):.2f})"
            continue
        if min(positive[there].sum(), (~positive[there]).sum()) < _PER_CLASS:
            continue
        values = _as_numbers(cells[there], table.facts[name], positive[there])
        auroc = univariate_auroc(values, positive[there]) if values is not None else 0.5
        if _tells(auroc):
            found[name] = f"it alone tells the classes apart (AUROC {max(auroc, 1 - auroc):.2f})"
    return found


def _tells(auroc: float) -> bool:
    return not 1 - _THRESHOLD <= auroc <= _THRESHOLD


def _as_numbers(cells: pd.Series, facts: ColumnFacts, positive: np.ndarray) -> np.ndarray | None:
    """Numbers as they are, levels as the share of positives among them; None where there are too many levels."""
    if facts.is_number:
        read: np.ndarray = cells.astype(float).to_numpy()
        return np.nan_to_num(read)
    if facts.distinct > max(50, facts.filled // 20):
        return None
    shares = pd.Series(positive.astype(float)).groupby(cells.to_numpy()).transform("mean")
    return shares.to_numpy()
