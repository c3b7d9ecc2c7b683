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
    as_number,
    cleaned,
    mostly_numbers,
    plain_key,
    texts_of,
    times_of,
)
from tests.cohort.ingestion.oracle_splits import split_of

__all__ = ["Expected", "Observed", "expected_of"]

_LONGEST_KEY = 1000
_LARGEST = float(np.finfo(np.float32).max)


@dataclass
class Observed:
    """What one modality must hold.

    Args:
        read, kept: Rows.
        foreign: Rows of ids that no patient has.
        outside: Rows outside the window.
        patients: Rows of the cohort with an observation.
        found: The observations by patient, in the form of the kind (:mod:`~tests.cohort.ingestion.comparison`).
        fitted: What must have been fitted on train.
    """

    read: int
    kept: int = 0
    foreign: int = 0
    outside: int = 0
    patients: list[int] = field(default_factory=list)
    found: dict[int, Any] = field(default_factory=dict)
    fitted: dict[str, Any] = field(default_factory=dict)


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
    if any((column.dropna().str.len() > _LONGEST_KEY).any() for column in columns):
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
        fill = {"table": _table, "events": _events, "codes": _codes, "embedding": _embedding}[entry["kind"]]
        fill(rows, entry, found, case, list(frame.columns))
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


def _is_missing(cells: pd.Series, entry: dict[str, Any]) -> pd.Series:
    """Whether cells are declared missing, as text or as a number."""
    numbers = [float(value) for value in entry["missing"] if NUMBER.fullmatch(str(value))]
    return cells.isin([str(value) for value in entry["missing"]]) | cells.map(as_number).isin(numbers)


def _numbers(cells: pd.Series, entry: dict[str, Any]) -> pd.Series:
    """Cells as numbers, NaN where blank or declared missing.

    Raises:
        Refused: Other text among them.
    """
    measured = cells.where(cells.notna() & ~_is_missing(cells, entry))
    values = measured.map(as_number, na_action="ignore").astype(float)
    odd = measured[measured.notna() & values.isna()]
    if len(odd) and entry.get("invalid") != "missing":
        raise Refused("odd number", "not numbers|looks numeric")
    return values


def _check_size(values: pd.Series) -> None:
    if (values.abs() > _LARGEST).any():
        raise Refused("too large", "too large for single precision")


def _one_row_each(rows: pd.DataFrame) -> None:
    if rows["patient row"].duplicated().any():
        raise Refused("repeated row", "have more than one row")


def _table(rows: pd.DataFrame, entry: dict[str, Any], found: Observed, case: Case, names: list[str]) -> None:
    spec = case.spec["cohort"]
    sites = [spec["environment"]] if isinstance(spec["environment"], str) else spec["environment"]
    own = {spec["id"], spec.get("subject"), *sites, *spec["groups"], case.spec["split"].get("column")}
    own |= {outcome["column"] for outcome in case.spec["outcome"]}
    own |= {other["origin"] for other in case.spec["modality"] if "origin" in other}
    if isinstance(entry.get("columns"), list):
        taken = [*entry["columns"], *entry["categorical"]]
    else:
        taken = [name for name in names if name not in own | {entry["id"], entry.get("time")}]
        taken = [*taken, *(name for name in entry["categorical"] if name not in taken)]
        taken = [name for name in taken if name not in entry.get("exclude", ())]
    numeric, categorical = {}, {}
    for name in taken:
        cells = rows[name].where(rows[name].notna() & ~_is_missing(rows[name], entry))
        truths = cells.str.lower().map({"true": 1.0, "false": 0.0})
        values = cells.map(as_number, na_action="ignore").astype(float).fillna(truths)
        if name in entry["categorical"] or (not mostly_numbers(cells, values) and cells.notna().any()):
            categorical[name] = cells
        elif values.notna().any():
            if values.isna().sum() > cells.isna().sum() and entry.get("invalid") != "missing":
                raise Refused("odd number", "looks numeric but")
            _check_size(values)
            numeric[name] = values
        elif cells.notna().any() and entry.get("invalid") != "missing":
            raise Refused("odd number", "looks numeric but")
    measured = pd.DataFrame({**numeric, **categorical}, index=rows.index).notna().any(axis=1)
    rows = rows[measured]
    _one_row_each(rows)
    levels = {}
    for name, cells in categorical.items():
        counts = cells[cells.index.isin(rows.index[rows["patient train"]])].value_counts()
        levels[name] = {level for level, count in counts.items() if count >= entry["min_level_count"]}
    found.kept, found.patients = len(rows), sorted(rows["patient row"])
    found.fitted = {"numeric": list(numeric), "levels": levels}
    for index, patient in rows["patient row"].items():
        numbers = [numeric[name][index] for name in numeric]
        words = [_level(cells[index], levels[name]) for name, cells in categorical.items()]
        found.found[patient] = numbers, words


def _level(cell: Any, levels: set[str]) -> str:
    return "[missing]" if cell is None or cell != cell else cell if cell in levels else "[unseen]"


def _events(rows: pd.DataFrame, entry: dict[str, Any], found: Observed, case: Case, names: list[str]) -> None:
    rows = rows.assign(**{"patient source": np.arange(len(rows))})
    if "values" in entry:
        pattern = entry["values"][0].removesuffix("*")
        wide = entry["values"] if len(entry["values"]) > 1 else [name for name in names if name.startswith(pattern)]
        parts = [rows.assign(item=name, number=_numbers(rows[name], entry)) for name in wide]
        long = pd.concat(parts)[["patient source", "patient row", "patient train", "patient minutes", "item", "number"]]
    else:
        long = rows.assign(item=rows[entry["item"]], number=1.0)
        long = long[long["item"].notna()]
        if "value" in entry:
            long = long.assign(number=_numbers(long[entry["value"]], entry))
    long = long[long.number.notna()].assign(minutes=lambda table: table["patient minutes"])
    start, steps = 0.0, 1
    if "time" in entry:
        width = entry["bin"]
        if "window" in entry:
            start, end = (float(edge) for edge in entry["window"])
            steps = int(np.ceil((end - start) / width))
        else:
            of_train = long.minutes[long["patient train"].astype(bool)]
            if of_train.empty:
                return
            start = np.floor(of_train.min() / width) * width
            steps = int(np.floor((of_train.max() - start) / width)) + 1
            if steps > 512:
                raise Refused("unparsable time", "at most 512")
            long = long[(long.minutes >= start) & (long.minutes < start + steps * width)]
        long = long.assign(step=np.minimum((long.minutes - start) // width, steps - 1).astype(int))
    else:
        long = long.assign(step=0)
    counts = long[long["patient train"].astype(bool)]["item"].value_counts()
    order = wide if "values" in entry else sorted(set(counts.index))
    items = [name for name in order if counts.get(name, 0) >= entry["min_count"]]
    long = long[long["item"].isin(items)]
    _check_size(long.number)
    found.kept, found.patients = long["patient source"].nunique(), sorted(set(long["patient row"]))
    found.fitted = {"items": items, "steps": steps, "start": start}
    for patient, own in long.groupby("patient row"):
        cells = {
            (int(step), items.index(item)): part.number.mean() for (step, item), part in own.groupby(["step", "item"])
        }
        summary = {}
        for item, part in own.sort_values(["minutes", "number"]).groupby("item"):
            values = part.number
            ends = values.iloc[0], values.iloc[-1]
            summary[items.index(item)] = [len(values), values.mean(), values.min(), values.max(), *ends]
        found.found[patient] = cells, summary


def _codes(rows: pd.DataFrame, entry: dict[str, Any], found: Observed, case: Case, names: list[str]) -> None:
    rows = rows[~_is_missing(rows[entry["code"]], entry)]
    pairs = []
    for patient, train, cell in zip(rows["patient row"], rows["patient train"], rows[entry["code"]]):
        pairs += [(patient, train, code) for code in _codes_of(cell, entry)]
    codes = pd.DataFrame(pairs, columns=["patient", "train", "code"], dtype=object).drop_duplicates()
    named = codes[codes.train.astype(bool) & codes.code.notna()].code.value_counts()
    ranked = sorted((-count, code) for code, count in named.items() if count >= entry["min_count"])
    vocabulary = [code for _, code in ranked][: entry.get("max_codes")]
    found.kept, found.patients = len(rows), sorted(set(rows["patient row"]))
    found.fitted = {"codes": vocabulary, "counts": [int(named[code]) for code in vocabulary]}
    for patient, part in codes.groupby("patient"):
        names_of = {"[blank]" if code is None or code != code else code for code in part.code}
        known = {"[blank]", *vocabulary}
        found.found[patient] = {code if code in known else "[rare]" for code in names_of}


def _codes_of(cell: str | None, entry: dict[str, Any]) -> list[str | None]:
    if cell is None or cell != cell:
        return [None]
    parts = [part.strip() for part in cell.split(entry["split_on"])] if "split_on" in entry else [cell]
    found: list[str | None] = []
    for part in filter(None, parts):
        levels = [level.strip() for level in part.split(entry["separator"])] if "separator" in entry else [part]
        found += [entry.get("separator", "").join(levels[: depth + 1]) for depth in range(len(levels))]
    return list(dict.fromkeys(found)) or [None]


def _embedding(rows: pd.DataFrame, entry: dict[str, Any], found: Observed, case: Case, names: list[str]) -> None:
    chosen = entry["columns"]
    if isinstance(chosen, str):
        chosen = [name for name in names if name.startswith(chosen.removesuffix("*"))]
    reasons = ("gap", "hold NaN, infinity, blanks", "odd number")
    vectors: list[list[float]] = []
    if len(chosen) == 1:
        rows = rows[rows[chosen[0]].notna()]
        for cell in rows[chosen[0]]:
            inner = cell if isinstance(cell, list) else cell.strip("[]").split(",")
            vectors.append([as_number(str(part).strip()) if part is not None else np.nan for part in inner])
        lengths = {len(vector) for vector in vectors}
        if len(lengths) > 1:
            raise Refused("another length", "must all have one length", "odd number")
        reasons = ("gap", "hold NaN, infinity, blanks|must all have one length", "odd number")
    else:
        filled = rows[chosen].notna().any(axis=1)
        missing = rows[chosen].apply(lambda column: _is_missing(column, entry) | column.isna()).all(axis=1)
        rows = rows[filled & ~missing]
        vectors = rows[chosen].map(as_number, na_action="ignore").astype(float).to_numpy().tolist()
    if any(value != value for vector in vectors for value in vector):
        raise Refused(*reasons)
    _check_size(pd.Series([value for vector in vectors for value in vector], dtype=float))
    _one_row_each(rows)
    found.kept, found.patients = len(rows), sorted(rows["patient row"])
    found.found = dict(zip(rows["patient row"], vectors))
    found.fitted = {"width": len(vectors[0]) if vectors else 0}
