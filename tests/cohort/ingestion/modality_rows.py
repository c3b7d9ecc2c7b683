"""The table of one modality of a plan: its rows, with dirt, and its entry of the spec."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tests.cohort.ingestion.patients import CohortColumns, quoted_sql
from tests.cohort.ingestion.plans import ModalityPlan
from tests.cohort.ingestion.tokens import (
    AMBIGUOUS_TIMES,
    ODD_NUMBERS,
    TOO_LARGE,
    UNPARSABLE_TIMES,
    number_text,
    time_text,
)

__all__ = ["modality_table"]

_NAMES = {
    "plain": "pid time item value code use wbc sodium unit ward fever e_",
    "reserved": "rowid train number minutes patient select row rows order step value number_",
    "odd": "Patient-ID|it's|a\"b|x;y|Glucose [m/v]|in use|näme|heart rate|a,b|50%|{x}|e[",
}
_KEYS = ("id", "time", "item", "value", "code", "use", "a", "b", "c", "d", "f", "e")
_ITEMS = ("hr", "Glucose [mg/dl]", 'so-called "k"', "a,b", "Fieber °")
_CODES = ("I10", "042", "42", "E11.9", "250.0", "a b", "NULL", "ümlaut")
_LEVELS = ("ICU", "ward, east", "Stage 3", "None", "0-10", "Ä")


def modality_table(
    plan: ModalityPlan, name: str, cohort: CohortColumns, random: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, Any], tuple[str, str] | None]:
    """The table, the entry of the spec without its source, and column and value of its filter."""
    words = _NAMES[plan.names].split("|" if plan.names == "odd" else " ")
    names = dict(zip(_KEYS, words))
    fill = {"table": _table, "events": _events, "codes": _codes, "embedding": _embedding}[plan.kind]
    patients = _owners(plan, cohort, random)
    frame = pd.DataFrame({"id": [cohort.ids[row] for row in patients]}, dtype=object)
    entry: dict[str, Any] = {"name": name, "kind": plan.kind, "id": names["id"], "missing": list(plan.missing)}
    cells, fields = fill(plan, len(frame), names, random)
    frame = frame.assign(**cells)
    if plan.time != "none":
        _add_times(frame, patients, plan, cohort, entry, names, random)
    frame["use"] = random.choice(["y", "y", "y", "n", ""], len(frame)) if plan.filtered else "y"
    frame = _with_blanks(frame, plan, random).replace("", None)
    frame = _dirty(frame, plan, cohort, random)
    keep = None
    if plan.filtered:
        keep = names["use"], "y"
        entry["where"] = f"{quoted_sql(names['use'])} = 'y'"
    if plan.invalid != "error":
        entry["invalid"] = plan.invalid
    frame = frame.sample(frac=1, random_state=int(random.integers(1 << 30))).reset_index(drop=True)
    frame = frame.astype(object).where(frame.notna(), None)
    renamed = {key: names[key] for key in frame.columns if key in names}
    return frame.rename(columns=renamed), entry | fields, keep


def _owners(plan: ModalityPlan, cohort: CohortColumns, random: np.random.Generator) -> list[int]:
    """The patient of each row: at most one row each (table, embedding), or several."""
    count = len(cohort.ids)
    if plan.kind in ("table", "embedding"):
        return [row for row in range(count) if random.random() < 0.85]
    return [int(row) for row in np.repeat(np.arange(count), random.integers(0, 9, count))]


def _table(plan: ModalityPlan, rows: int, names: dict[str, str], random: np.random.Generator) -> Any:
    cells = {
        "a": [number_text(random) for _ in range(rows)],
        "b": [_or_missing(number_text(random), plan, random) for _ in range(rows)],
        "c": [_or_missing(str(random.choice(_LEVELS)), plan, random) for _ in range(rows)],
        "d": random.choice(["1", "2", "10"], rows),
        "f": random.choice(["true", "false"], rows),
    }
    fields: dict[str, Any] = {"min_level_count": plan.fewest, "categorical": [names["d"]]}
    if plan.columns == "named":
        fields["columns"] = [names[key] for key in ("c", "a", "b", "f")]
    elif plan.columns == "pattern":
        fields |= {"columns": "*", "exclude": [names["f"], names["use"]]}
    return cells, fields


def _events(plan: ModalityPlan, rows: int, names: dict[str, str], random: np.random.Generator) -> Any:
    fields: dict[str, Any] = {"min_count": plan.fewest}
    if plan.time != "none":
        fields["bin"] = plan.bin
    if plan.form == "wide":
        cells = {f"e{k}": [_or_missing(number_text(random), plan, random) for _ in range(rows)] for k in range(3)}
        cells = {f"{names['e']}{k}": column for k, column in enumerate(cells.values())}
        for column in cells.values():
            for row in np.flatnonzero(random.random(rows) < 0.4):
                column[row] = ""
        whole = list(cells) if plan.columns == "named" else [f"{names['e']}*"]
        return cells, fields | {"values": whole}
    cells = {"item": random.choice(_ITEMS, rows, p=[0.4, 0.3, 0.15, 0.13, 0.02])}
    fields["item"] = names["item"]
    if plan.form == "long":
        cells["value"] = [_or_missing(number_text(random), plan, random) for _ in range(rows)]
        fields["value"] = names["value"]
    return cells, fields


def _codes(plan: ModalityPlan, rows: int, names: dict[str, str], random: np.random.Generator) -> Any:
    fields: dict[str, Any] = {"code": names["code"], "min_count": plan.fewest}
    codes = [_or_missing(str(random.choice(_CODES)), plan, random) for _ in range(rows)]
    if plan.nested:
        fields[plan.nested] = sign = {"separator": "|", "split_on": ","}[plan.nested]
        for row in np.flatnonzero(random.random(rows) < 0.5):
            codes[row] = random.choice([f"{codes[row]}{sign} x{sign}y ", f"{sign}{codes[row]}", sign])
    if random.random() < 0.3:
        fields["max_codes"] = 4
    return {"code": codes}, fields


def _embedding(plan: ModalityPlan, rows: int, names: dict[str, str], random: np.random.Generator) -> Any:
    vectors = random.normal(size=(rows, 3)).round(3)
    if plan.form == "list":
        as_lists = plan.layout.form == "parquet" and plan.layout.typed and plan.dirt != "odd number"
        lists: Any = [vector.tolist() if as_lists else str(vector.tolist()) for vector in vectors]
        return {"e": pd.Series(lists, dtype=object)}, {"columns": [names["e"]]}
    columns = {f"{names['e']}{k}": [repr(float(value)) for value in vectors[:, k]] for k in (2, 0, 1)}
    return columns, {"columns": list(columns) if plan.columns == "named" else f"{names['e']}*"}


def _or_missing(cell: str, plan: ModalityPlan, random: np.random.Generator) -> str:
    if not plan.missing or random.random() < 0.8:
        return cell
    token = plan.missing[random.integers(len(plan.missing))]
    return random.choice(["-1", "-1.0"]) if token == -1 else str(token)


def _as_texts(column: pd.Series) -> pd.Series:
    """The column with lists as text, so that a text can stand among them: no file holds both."""
    return column.map(lambda cell: str(cell) if isinstance(cell, list) else cell).astype(object)


def _add_times(
    frame: pd.DataFrame,
    patients: list[int],
    plan: ModalityPlan,
    cohort: CohortColumns,
    entry: dict[str, Any],
    names: dict[str, str],
    random: np.random.Generator,
) -> None:
    """The column of times, many of them on the edges of windows and steps."""
    minutes = random.integers(-120, 1600, len(frame)).astype(float)
    edge = random.random(len(frame)) < 0.25
    minutes[edge] = random.choice([-60, -60.5, 0, 480, 479.5, 1440, 1439.5, 60, 45, 90], int(edge.sum()))
    entry["time"] = names["time"]
    if plan.window is not None:
        entry["window"] = list(plan.window)
    origin = {"timestamp": "admitted", "date": "admitted", "zoned": "admitted_utc"}.get(plan.time)
    starts = [0] * len(cohort.ids)
    if plan.time == "minutes" and random.random() < 0.3 and not plan.dirt:
        origin, starts = "start", cohort.starts
    if origin is not None:
        entry["origin"] = cohort.names[origin]
    frame["time"] = [
        time_text(minute + starts[row], cohort.stays[row], plan.time, random) for minute, row in zip(minutes, patients)
    ]


def _with_blanks(frame: pd.DataFrame, plan: ModalityPlan, random: np.random.Generator) -> pd.DataFrame:
    if plan.blanks and len(frame):
        for column in frame.columns.drop("use"):
            gone = random.random(len(frame)) < 0.08
            if plan.kind == "embedding" and column not in ("id", "time", "e"):
                gone = np.arange(len(frame)) % 7 == 3  # the whole vector is
            frame.loc[gone, column] = None
    if plan.repeated and plan.kind in ("events", "codes"):
        frame = pd.concat([frame, frame.head(3), frame.head(1)], ignore_index=True)
    if plan.foreign:
        others = frame.tail(4).assign(id=["foreign-1", "foreign-2", "900001", "foreign 1"][: min(4, len(frame))])
        frame = pd.concat([frame, others], ignore_index=True)
    return frame


def _dirty(frame: pd.DataFrame, plan: ModalityPlan, cohort: CohortColumns, random: np.random.Generator) -> pd.DataFrame:
    if not len(frame) or not plan.dirt:
        return frame
    row, dirt = frame.index[int(random.integers(min(len(frame), 6)))], plan.dirt
    values = [key for key in frame.columns if key not in ("id", "time", "use", "item", "code", "c", "d", "f")]
    if dirt == "foreign rows only":
        return frame.assign(id="elsewhere")
    if dirt == "rare items only":
        frame = frame.assign(item=[f"item {number}" for number in range(len(frame))]) if "item" in frame else frame
        return frame if "item" in frame else frame.assign(**dict.fromkeys(values))
    if dirt == "endless id":
        frame.loc[row, "id"] = "z" * 1001
    elif dirt == "near id":
        own = cohort.ids[int(random.integers(len(cohort.ids)))]
        frame.loc[row, "id"] = f"{own}.0" if own.isdigit() else str(random.choice([own.swapcase(), f"'{own}'"]))
    elif dirt == "endless code" and "code" in frame:
        frame.loc[row, "code"] = "c" * 1001
    elif dirt == "repeated row":
        again = frame.loc[[row]]
        frame = pd.concat([frame, again], ignore_index=True)
    elif dirt in ("odd number", "too large") and values:
        key = values[int(random.integers(len(values)))]
        token = str(random.choice(ODD_NUMBERS if dirt == "odd number" else TOO_LARGE))
        frame[key] = _as_texts(frame[key])
        frame.at[row, key] = f"[1.0, {token}, 2.0]" if key == "e" else token
    elif dirt == "gap" and values:
        frame[values[0]] = _as_texts(frame[values[0]])
        frame.at[row, values[0]] = "[1.0, null, 2.0]" if values == ["e"] else None
    elif dirt == "another length" and values == ["e"]:
        if isinstance(frame.at[row, "e"], list):
            frame.at[row, "e"] = frame.at[row, "e"][:-1]
        else:
            frame["e"] = _as_texts(frame["e"])
            frame.at[row, "e"] = "[1.0]"
    elif "time" in frame:
        dirty = {
            "unparsable time": random.choice(UNPARSABLE_TIMES),
            "ambiguous time": random.choice(AMBIGUOUS_TIMES),
            "mixed times": "00:30",
            "zone on some": "2150-01-31T10:00:00Z",
            "epoch": "1700000000",
        }.get(dirt)
        if dirty is not None:
            frame.loc[row, "time"] = str(dirty)
        elif dirt == "date in digits":
            frame["time"] = [str(day) for day in random.integers(20200101, 20200129, len(frame))]
    return frame
