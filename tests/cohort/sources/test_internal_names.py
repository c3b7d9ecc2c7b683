"""Whatever a user's columns are called, the cohort is the same."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdsfd.cohort.sources.internal_names as internal_names
from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.sources.internal_names import PREFIX
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError, SpecError

PATIENTS = 40
#: Words that the code, the database, Ibis, pandas or SQL use for columns of their own, and names that need quoting.
WORDS = [
    *("__row", "__keep", "__id", "__patient", "__train", "__minutes", "__number", "__reason", "__own_key", "__key"),
    *("__text_key", "__text", "__origin_x", "__origin_admitted", "row", "id", "id_number", "train", "own", "text"),
    *("number", "minutes", "value", "series", "kept_as", "patient", "cell", "bare", "rows", "split", "subject"),
    *("v0", "v1", "n0", "c0", "c1", "m0", "b0", "d0", "t0", "t1", "b", "l", "first", "last", "lost", "measured"),
    *("rowid", "file_row_number", "filename", "file_index", "self", "exprs", "x_right", "level_0", "index"),
    *("count", "sum", "order", "group", "select", "from", "where", "null", "true", "case", "end", "user", "all"),
    *("current_date", "current_timestamp", "date", "time", "timestamp", "interval", "double", "key", "exclude"),
    *('a "quoted" one', "it's", "a.b", "a b", "a;b", "a/b", "a\\b", "a%b", "a{b}", "a$b", "_", "1", "-1", "🫀 rate"),
    *("größe", "x" * 1000, "age__text", "__index_level_0__"),
]
#: The columns that the spec names, by table.
ROLES = {
    "patients": ["pid", "person", "site", "sex", "died", "admitted", "age", "unit"],
    "units": ["unit", "kind"],
    "labs": ["pid", "drawn", "wbc", "ward"],
    "long": ["pid", "when", "test", "result"],
    "wide": ["pid", "minute", "hr", "sbp"],
    "icd": ["pid", "code"],
    "note": ["pid", "e1", "e2"],
}


def tables() -> dict[str, pd.DataFrame]:
    row = np.arange(PATIENTS)
    often = np.tile(row, 12)
    step = np.repeat(np.arange(12), PATIENTS)
    pid = np.array([f"{k:03d}" for k in row])
    admitted = pd.Timestamp("2150-01-01") + pd.to_timedelta(row, unit="D")
    return {
        "patients": pd.DataFrame(
            {
                "pid": pid,
                "person": [f"p{k // 2}" for k in row],
                "site": np.where(row % 4 == 0, "north", "south"),
                "sex": np.where(row % 3 == 0, "F", "M"),
                "died": np.where(row // 2 % 3 == 0, "yes", "no"),
                "admitted": admitted.astype(str),
                "age": 20 + row,
                "unit": np.where(row % 2 == 0, "u1", "u2"),
            }
        ),
        "units": pd.DataFrame({"unit": ["u1", "u2"], "kind": ["ICU", "ward"]}),
        "labs": pd.DataFrame({"pid": pid, "drawn": row * 10, "wbc": row / 2, "ward": np.where(row % 2 == 0, "A", "B")})[
            ::-1
        ],
        "long": pd.DataFrame(
            {
                "pid": pid[often],
                "when": (admitted[often] + pd.to_timedelta(step * 97, unit="min")).astype(str),
                "test": np.where(step % 3 == 0, "k", np.where(step % 3 == 1, "na", "cl")),
                "result": (often * 7 + step * 3) % 11 + 0.5,
            }
        ).sample(frac=1.0, random_state=0),
        "wide": pd.DataFrame(
            {"pid": pid[often], "minute": step * 45, "hr": 60.0 + (often + step) % 30, "sbp": 100.0 + step}
        ),
        "icd": pd.DataFrame({"pid": pid[often], "code": [f"C{k % 7}" for k in often + step]}),
        "note": pd.DataFrame({"pid": pid, "e1": row / 8.0, "e2": -row / 8.0}),
    }


def written_as(how: str, frames: dict[str, pd.DataFrame], folder: Path) -> dict[str, Any]:
    if how == "frame":
        return dict(frames)
    for name, frame in frames.items():
        path = folder / f"{name}.{how}"
        frame.to_csv(path, index=False) if how == "csv" else frame.to_parquet(path, index=False)
    return {name: f"{name}.{how}" for name in frames}


def built(sources: dict[str, Any], names: dict[str, dict[str, str]], folder: Path) -> Cohort:
    """The cohort of the tables, whose columns are called as ``names`` says: table -> column -> name."""
    to, labs, long, wide = names["patients"], names["labs"], names["long"], names["wide"]
    quoted = {column: '"' + name.replace('"', '""') + '"' for column, name in {**labs, **to}.items()}
    return build_cohort(
        CohortSpec(
            cohort={
                "source": sources["patients"],
                "id": to["pid"],
                "subject": to["person"],
                "environment": to["site"],
                "groups": [to["sex"], names["units"]["kind"]],
                "join": {"source": sources["units"], "on": to["unit"], "columns": [names["units"]["kind"]]},
                "where": f"{quoted['age']} >= 25",
            },
            outcome={"name": "death", "column": to["died"], "positive": "yes", "negative": "no"},
            modality=[
                {
                    **{"name": "labs", "kind": "table", "source": sources["labs"], "id": labs["pid"]},
                    **{"columns": [labs["wbc"], labs["ward"]], "time": labs["drawn"], "window": [0, 1e6]},
                    "derive": {labs["wbc"]: f"{quoted['wbc']} * 2"},
                    "min_level_count": 1,
                },
                {
                    **{"name": "long", "kind": "events", "source": sources["long"], "id": long["pid"]},
                    **{"time": long["when"], "origin": to["admitted"], "item": long["test"], "value": long["result"]},
                },
                {
                    **{"name": "wide", "kind": "events", "source": sources["wide"], "id": wide["pid"]},
                    **{"time": wide["minute"], "values": [wide["hr"], wide["sbp"]]},
                },
                {
                    **{"name": "icd", "kind": "codes", "source": sources["icd"], "id": names["icd"]["pid"]},
                    **{"code": names["icd"]["code"], "min_count": 1},
                },
                {
                    **{"name": "note", "kind": "embedding", "source": sources["note"], "id": names["note"]["pid"]},
                    **{"columns": [names["note"]["e1"], names["note"]["e2"]]},
                },
            ],
            base_dir=folder,
        )
    )


def content(cohort: Cohort) -> list[Any]:
    """All that a graph is made of, without the names of columns."""
    parts: list[Any] = [cohort.id, cohort.subject, cohort.split, cohort.environment, *cohort.groups.values()]
    parts.append(cohort.y.tolist())
    parts += [array.tolist() for observed in cohort.observations.values() for array in astuple(observed)]
    for fields in cohort.schema.modalities:
        items = len(fields.items) if fields.name == "wide" else fields.items
        parts += [fields.levels, items, fields.codes, fields.width, fields.scales, fields.steps, fields.window]
    parts += [(each.rows_read, each.rows_kept, each.patients) for each in cohort.receipt.modalities]
    return parts


def own_names() -> dict[str, dict[str, str]]:
    return {table: {column: column for column in columns} for table, columns in ROLES.items()}


@pytest.fixture(scope="module")
def expected() -> list[Any]:
    return content(built(tables(), own_names(), Path()))


def renamed(first: int) -> dict[str, dict[str, str]]:
    """Every column of the spec under one of the words; over all values of ``first`` each under each of them."""
    names, place = own_names(), first
    for table, columns in ROLES.items():
        for column in columns:
            if (table, column) != ("units", "unit"):
                names[table][column] = WORDS[place % len(WORDS)]
                place += 1
    names["units"]["unit"] = names["patients"]["unit"]
    return names


@pytest.mark.parametrize(("how", "first"), [("frame", 0), ("csv", 26), ("parquet", 52), ("frame", 78)])
def test_columns_of_the_spec_may_be_called_anything(expected: list[Any], how: str, first: int, tmp_path: Path) -> None:
    names = renamed(first)
    frames = {table: frame.rename(columns=names[table]) for table, frame in tables().items()}
    assert content(built(written_as(how, frames, tmp_path), names, tmp_path)) == expected


@pytest.mark.parametrize("how", ["frame", "csv", "parquet"])
def test_other_columns_may_be_called_anything_in_upper_case_too(expected: list[Any], how: str, tmp_path: Path) -> None:
    frames = {}
    words = WORDS if how == "csv" else [word.upper() for word in WORDS]
    for table, frame in tables().items():
        taken = {name.casefold() for name in (*frame.columns, "kind" if table == "patients" else "pid")}
        others = {word: np.arange(len(frame))[::-1] % 17 for word in words if word.casefold() not in taken}
        frames[table] = pd.concat([frame, pd.DataFrame(others, index=frame.index)], axis=1)
    assert content(built(written_as(how, frames, tmp_path), own_names(), tmp_path)) == expected


@pytest.mark.parametrize(
    ("table", "name"),
    [("patients", internal_names.PATIENT), ("units", internal_names.KEEP.upper()), ("labs", f"{PREFIX}x")],
)
def test_the_names_of_the_package_are_refused(table: str, name: str) -> None:
    frames = tables()
    frames[table] = frames[table].assign(**{name: 1})
    with pytest.raises(InputError, match=rf"names that begin with '__gdsfd_' are the package's own, got .*{name}"):
        built(frames, own_names(), Path())


def test_the_names_of_the_package_are_refused_in_derive() -> None:
    entry = {"name": "icd", "kind": "codes", "source": tables()["icd"], "id": "pid", "code": "code"}
    cohort = {"source": tables()["patients"], "id": "pid"}
    outcome = {"name": "death", "column": "died", "positive": "yes"}
    with pytest.raises(InputError, match="derive: names that begin with '__gdsfd_' are the package's own"):
        build_cohort(
            CohortSpec(cohort=cohort, outcome=outcome, modality={**entry, "derive": {internal_names.PATIENT: "1"}})
        )
    with pytest.raises(SpecError, match="derive: 'CODE' and 'code' differ only in upper and lower case"):
        build_cohort(CohortSpec(cohort=cohort, outcome=outcome, modality={**entry, "derive": {"CODE": "code"}}))


def test_the_text_of_a_column_yields_to_a_column_of_that_name() -> None:
    frames = tables()
    frames["patients"] = frames["patients"].assign(age__text="text of my own")
    cohort = {"source": frames["patients"], "id": "pid", "where": "age__text = 'text of my own' AND age >= 30"}
    outcome = {"name": "death", "column": "died", "positive": "yes"}
    entry = {"name": "icd", "kind": "codes", "source": frames["icd"], "id": "pid", "code": "code"}
    kept = build_cohort(CohortSpec(cohort=cohort, outcome=outcome, modality=entry))
    assert kept.id == [f"{k:03d}" for k in range(10, PATIENTS)]
