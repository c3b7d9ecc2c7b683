"""What ``format = "meds"`` stands for: labels as the cohort, groups of codes as modalities."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from gdsfd.cohort.formats.label_file import read_label_file
from gdsfd.cohort.formats.meds_groups import BIRTH, Sort, find_sorts
from gdsfd.cohort.formats.proposed import Proposed, age_of, cohort_of, modality_name, times_of
from gdsfd.cohort.formats.request import FormatRequest
from gdsfd.cohort.formats.table_head import columns_of
from gdsfd.cohort.sources.files import find_files
from gdsfd.cohort.sources.sql_text import quoted, string_literal
from gdsfd.errors import InputError, shown

__all__ = ["meds_fields"]

_COLUMNS = ("subject_id", "time", "code")
#: Longer texts are notes, not levels of a code.
_TEXT_CHARACTERS = 64


def meds_fields(request: FormatRequest) -> Proposed:
    """The fields of a spec for a MEDS data set.

    Births become the age. Rows with a number become events (item = code, value = number). Rows without become codes; a
    short text stands behind its code. Rows without a time are static and become modalities of their own.
    Columns that the data set declares as modifiers of codes (units, say) are part of the item, so that units are never
    mixed.

    Args:
        request: The spec's fields.

    Raises:
        InputError: The folder is no MEDS data set, the labels cannot be read, or nothing is recorded before them.
    """
    data = os.path.join(request.source, "data", "**", "*.parquet")
    _check_folder(request)
    files = find_files(data, request.base_dir)
    columns = columns_of(data, request.base_dir)
    absent = [name for name in _COLUMNS if name not in columns]
    if absent:
        raise InputError(f"{files.label} has no column {absent[0]!r}, which MEDS's data have: {shown(columns, 12)}")
    labels = read_label_file(request.labels, request.base_dir)
    sorts, notes = find_sorts(request, files.paths, columns, labels.moments)
    if not sorts:
        raise InputError(
            f"{files.label}: no event of a person of the labels ({labels.label}) lies within {request.window[0]:g} to "
            f"{request.window[1]:g} minutes of the prediction time; are they of the same data set?"
        )
    modifiers = [name for name in _modifiers(request) if name in columns]
    proposed = Proposed(cohort_of(labels), _entries(request, data, sorts, columns, modifiers), notes=notes)
    proposed.outcome, proposed.why = labels.outcome, labels.why
    splits = os.path.join(request.source, "metadata", "subject_splits.parquet")
    if os.path.isfile(request.on_disk("metadata", "subject_splits.parquet")):
        proposed.cohort["join"] = [{"source": splits, "on": "subject_id", "columns": ["split"]}]
        proposed.split = {"kind": "column", "column": "split"}
    return proposed


def _entries(
    request: FormatRequest, data: str, sorts: list[Sort], columns: list[str], modifiers: list[str]
) -> list[dict[str, Any]]:
    """The entries ``[[modality]]``; a group of one sort keeps its name, of several each says which it is."""
    entries: list[dict[str, Any]] = []
    for sort in sorts:
        if sort.kind == "age":
            own = {"name": sort.group, "source": data, "id": "subject_id", "match": "subject", **age_of("time")}
            entries.append(
                {**own, "where": f"code = {string_literal(BIRTH)} AND time IS NOT NULL", "derive": {"item": "'age'"}}
            )
            continue
        several = sum(other.group == sort.group for other in sorts) > 1
        first = sort.kind == "events" and not sort.static
        suffix = ("_static" if sort.static and sort.group != "static" else "") + (
            "_codes" if sort.kind == "codes" else ""
        )
        name = sort.group if first or not several else sort.group + suffix
        name = modality_name(name, [entry["name"] for entry in entries]) if not request.vocabulary else name
        conditions = [sort.condition]
        if sort.static:
            conditions.append("time IS NULL")
        if "numeric_value" in columns and not sort.all_rows:
            conditions.append(f"numeric_value IS {'NOT ' if sort.kind == 'events' else ''}NULL")
        entries.append(
            {
                "name": name,
                "kind": sort.kind,
                "source": data,
                "id": "subject_id",
                "match": "subject",
                **({} if sort.static else times_of(request, "time", sort.kind)),
                "where": " AND ".join(conditions),
                **(_item(modifiers) if sort.kind == "events" else _code(columns)),
            }
        )
    return entries


def _item(modifiers: list[str]) -> dict[str, Any]:
    if not modifiers:
        return {"item": "code", "value": "numeric_value"}
    parts = [f"coalesce('//' || CAST({quoted(name)} AS VARCHAR), '')" for name in modifiers]
    return {"derive": {"item": " || ".join(["code", *parts])}, "item": "item", "value": "numeric_value"}


def _code(columns: list[str]) -> dict[str, Any]:
    if "text_value" not in columns:
        return {"code": "code"}
    short = f"length(text_value) <= {_TEXT_CHARACTERS}"
    return {
        "derive": {"event": f"CASE WHEN {short} THEN code || '//' || text_value ELSE code END"},
        "code": "event",
    }


def _check_folder(request: FormatRequest) -> None:
    folder = request.on_disk()
    if not os.path.isdir(os.path.join(folder, "data")):
        what = "has no folder data" if os.path.isdir(folder) else "is no folder"
        raise InputError(
            f"{folder} {what}; format = 'meds' reads a MEDS data set: a folder with data/*.parquet, "
            "metadata/codes.parquet and metadata/subject_splits.parquet"
        )


def _modifiers(request: FormatRequest) -> list[str]:
    """The columns that the data set says belong to its codes, such as a unit."""
    path = Path(request.on_disk("metadata", "dataset.json"))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return []
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    named = found.get("code_modifier_columns") if isinstance(found, dict) else None
    return [str(name) for name in named] if isinstance(named, list) else []
