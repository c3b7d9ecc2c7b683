"""What a graph must hold of a modality of each kind, counted anew from the rows of known patients inside the window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tests.cohort.ingestion.exports import Case
from tests.cohort.ingestion.oracle_cells import NUMBER, Refused, as_number, mostly_numbers

__all__ = ["FILL", "LONGEST_KEY", "Observed"]

LONGEST_KEY = 1000
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
                raise Refused("unparsable time", "at most 512", "few rows")  # of few patients, of years apart
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
    if "split_on" in entry and any(len(code) > LONGEST_KEY for *_, code in pairs if code is not None):
        raise Refused("endless code", "expected at most 1,000 characters")
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
    values = pd.Series([value for vector in vectors for value in vector], dtype=float)
    told = [Refused(*reasons)] if values.isna().any() else []
    try:
        _check_size(values)
    except Refused as reason:
        told.append(reason)
    if told:
        raise Refused.any_of(told)
    _one_row_each(rows)
    found.kept, found.patients = len(rows), sorted(rows["patient row"])
    found.found = dict(zip(rows["patient row"], vectors))
    found.fitted = {"width": len(vectors[0]) if vectors else 0}


#: What counts a kind's rows, and enters what it finds.
FILL = {"table": _table, "events": _events, "codes": _codes, "embedding": _embedding}
