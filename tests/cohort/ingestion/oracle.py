"""What ingestion must make of a case, counted anew with pandas alone: nothing of the package is used here.

Slow and obvious, from what the documentation says: either what the graph holds, or why the case is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tests.cohort.ingestion.exports import Case, Table
from tests.cohort.ingestion.oracle_cells import (
    NUMBER,
    Refused,
    cleaned,
    plain_key,
    texts_of,
    times_of,
)
from tests.cohort.ingestion.oracle_kinds import FILL, LONGEST_KEY, Observed
from tests.cohort.ingestion.oracle_splits import split_of

__all__ = ["Expected", "expected_of"]


@dataclass
class Expected:
    """What the graph must hold, or the reasons for which the case is refused.

    Args:
        refused: Reasons; any of them may be the one that is told.
    """

    refused: list[Refused] = field(default_factory=list)
    id: list[str] = field(default_factory=list)
    subject: list[str] = field(default_factory=list)
    environment: list[str] = field(default_factory=list)
    sex: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    y: Any = None
    read: int = 0
    modalities: list[Observed] = field(default_factory=list)


def expected_of(case: Case) -> Expected:
    """Works it out."""
    found = Expected(read=len(case.cohort.frame))
    try:
        cohort = _cohort(case, found)
        for entry, table in zip(case.spec["modality"], case.modalities):
            try:
                found.modalities.append(_modality(entry, table, cohort, case))
            except Refused as reason:
                found.refused.append(reason)
    except Refused as reason:
        found.refused.append(reason)
    return found


def _opened(table: Table) -> pd.DataFrame:
    """The table with names and cells as they are meant: blanks around them taken off, blank = None."""
    names = [cleaned(str(name)) for name in table.frame.columns]
    if table.foreign:
        raise Refused("foreign encoding", "is not UTF-8")
    if len({str(name).lower() for name in names}) < len(names):
        raise Refused("names alike", "column names must differ")
    if any(str(name).lower().startswith("__gdsfd_") for name in names):
        raise Refused("internal name", "are the package's own")
    frame = table.frame.reset_index(drop=True)
    return pd.DataFrame({name: texts_of(frame.iloc[:, place]) for place, name in enumerate(names)}, dtype=object)


def _kept(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    return frame if table.keep is None else frame[frame[table.keep[0]] == table.keep[1]]


def _check_keys(*columns: pd.Series) -> None:
    if any((column.dropna().str.len() > LONGEST_KEY).any() for column in columns):
        raise Refused("endless id", "names things, but has cells of more than", "endless code")


# The cohort


def _cohort(case: Case, found: Expected) -> pd.DataFrame:
    """Fills in the patients; returns their table: id, origins, train, row."""
    spec, frame = case.spec["cohort"], _kept(_opened(case.cohort), case.cohort)
    origins = [entry["origin"] for entry in case.spec["modality"] if "origin" in entry]
    frame = frame[frame[spec["id"]].notna()].reset_index(drop=True)
    if frame.empty:
        raise Refused("nobody left", "no patient left")
    _check_keys(frame[spec["id"]])
    if frame[spec["id"]].duplicated().any():
        raise Refused("repeated id", "patient ids must be unique")
    persons = frame[spec.get("subject", spec["id"])]
    subject = [f"id {own}" if who is None else who for who, own in zip(persons, frame[spec["id"]])]
    classes = [_labels(frame[entry["column"]], entry) for entry in case.spec["outcome"]]
    sites = [spec["environment"]] if isinstance(spec["environment"], str) else spec["environment"]
    environment = frame[sites].fillna("Unknown").agg("+".join, axis=1)
    column = frame[case.spec["split"]["column"]] if "column" in case.spec["split"] else None
    split = split_of(case.spec["split"], subject, list(zip(*classes)), environment, column)
    stay = np.array([name is not None for name in split])
    frame, split = frame[stay].reset_index(drop=True), [name for name in split if name is not None]
    train = np.array([name == "train" for name in split])
    for entry, codes in zip(case.spec["outcome"], classes):
        codes = np.array([-1 if code is None else code for code in codes])[stay]
        for wanted in range(len(entry.get("classes", "01"))):
            if not (codes == wanted).any() or not (codes[train] == wanted).any():
                raise Refused("absent class", "expected each of")
    found.id, found.split = list(frame[spec["id"]]), split
    found.subject = [who for who, stays in zip(subject, stay) if stays]
    found.environment, found.sex = list(environment[stay]), list(frame[spec["groups"][0]].fillna("Unknown"))
    if "classes" in case.spec["outcome"][0]:
        found.y = np.array([-1 if code is None else code for code in classes[0]])[stay]
    else:
        found.y = np.array([[np.nan if code is None else code for code in row] for row in zip(*classes)])[stay]
    table = frame[list(dict.fromkeys(origins))].rename(columns=lambda name: f"origin {name}")
    return table.assign(id=frame[spec["id"]], train=train, row=np.arange(len(frame)))


def _labels(cells: pd.Series, entry: dict[str, Any]) -> list[int | None]:
    """The class of each patient, None = unlabelled."""
    parts = [[value] for value in entry.get("classes", ())] or [entry.get("negative"), entry["positive"]]
    listed = [[] if part is None else part if isinstance(part, list) else [part] for part in parts]
    declared = [*entry.get("missing", ()), *(value for part in listed for value in part)]
    found: list[int | None] = []
    for cell in cells:
        code = next((k for k, part in enumerate(listed) if any(_equal(cell, value) for value in part)), None)
        known = cell is None or any(_equal(cell, value) for value in declared)
        if not known and any(_alike(cell) == _alike(str(value)) for value in declared):
            raise Refused("outcome spelled otherwise", "differ from a declared one only in how they are written")
        if not known and listed[0] == []:
            if cell.lower() in ("n/a", "na"):
                raise Refused("outcome that reads as missing", "reads like a missing value")
            code = 0
        found.append(code)
    return found


def _equal(cell: str | None, value: Any) -> bool:
    if cell is None:
        return False
    if isinstance(value, bool):
        return cell == str(value).lower()
    numbers = NUMBER.fullmatch(cell) and NUMBER.fullmatch(str(value))
    return cell == str(value) or bool(numbers and float(cell) == float(value))


def _alike(text: str) -> str:
    return {"1,0": "1"}.get(text, text.lower().rstrip("."))


# Modalities


def _modality(entry: dict[str, Any], table: Table, cohort: pd.DataFrame, case: Case) -> Observed:
    frame = _opened(table)
    found = Observed(read=len(frame))
    rows = _kept(frame, table)
    _check_keys(rows[entry["id"]])
    keys = {"events": entry.get("item"), "codes": None if "split_on" in entry else entry.get("code")}.get(entry["kind"])
    if keys is not None:
        _check_keys(rows[keys])
    rows = rows[rows[entry["id"]].notna()]
    known = rows[entry["id"]].isin(cohort.id)
    found.foreign = int((~known).sum())
    forms = {plain_key(own) for own in cohort.id}
    reasons = []
    if any(plain_key(own) in forms for own in rows[entry["id"]][~known]):
        reasons.append(Refused("near id", "differ only in their spelling"))
    # column names of the two tables may be the same: the patients' go under names of their own
    beside = cohort.set_index("id").add_prefix("patient ")
    rows = rows[known].join(beside, on=entry["id"])
    try:
        rows = _within_times(rows, entry, found)
        FILL[entry["kind"]](rows, entry, found, case, list(frame.columns))
    except Refused as reason:
        reasons.append(reason)
    if not reasons and not found.patients:
        reasons.append(
            Refused("foreign rows only", "is empty: of|no column of", "rare items only", "date in digits", "few rows")
        )
    if reasons:
        raise Refused.any_of(reasons)
    return found


def _within_times(rows: pd.DataFrame, entry: dict[str, Any], found: Observed) -> pd.DataFrame:
    """The rows with a time in the window, and their minutes; rows without a time are dropped."""
    if "time" not in entry:
        return rows.assign(**{"patient minutes": 0.0})
    origin = f"patient origin {entry['origin']}" if "origin" in entry else None
    minutes = times_of(rows[entry["time"]], None if origin is None else rows[origin])
    rows = rows.assign(**{"patient minutes": minutes})[minutes.notna()]
    if "window" in entry:
        inside = rows["patient minutes"].between(*entry["window"], inclusive="left")
        found.outside = int((~inside).sum())
        rows = rows[inside]
    return rows
