"""What ``format = "omop"`` stands for: labels as the cohort, tables of the common data model as modalities."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from gdsfd.cohort.formats.label_file import LabelFile, read_label_file
from gdsfd.cohort.formats.omop_ancestors import Below, Wanted, concepts_below, one_of
from gdsfd.cohort.formats.omop_concepts import check_values, concept_group, find_concepts
from gdsfd.cohort.formats.omop_groups import groups_by_concept, groups_by_table
from gdsfd.cohort.formats.omop_tables import OMOP_TABLES, OmopTable, tables_in
from gdsfd.cohort.formats.omop_values import values_before
from gdsfd.cohort.formats.proposed import Proposed, age_of, cohort_of, times_of
from gdsfd.cohort.formats.request import FormatRequest, Group
from gdsfd.cohort.formats.table_head import columns_of, text_columns_of, zoned_columns_of
from gdsfd.cohort.sources.sql_text import string_literal
from gdsfd.errors import InputError, SpecError, near_names

__all__ = ["omop_fields"]

#: Of a person, what fairness is judged by and where they are treated; taken into the cohort table, and no inputs.
_OF_PERSON = (
    *("gender_concept_id", "race_concept_id", "ethnicity_concept_id", "year_of_birth", "care_site_id"),
    *("gender_source_value", "race_source_value", "ethnicity_source_value"),
)
#: Longer texts are notes, not levels of a code.
_TEXT_CHARACTERS = 64


def omop_fields(request: FormatRequest) -> Proposed:
    """The fields of a spec for an OMOP database.

    Births become the age. A concept is an item or a code by its id; 0, what could not be mapped, is left out. Of events
    the unit's concept stands behind the item, so that units are never mixed. Of observations the answer stands
    behind the question.

    Args:
        request: The spec's fields.

    Raises:
        InputError: It is no OMOP database, the labels cannot be read, or a table lacks a column.
        SpecError: ``vocabulary`` names a table that is not there, or groups of concepts without the table ``concept``
            or ``concept_ancestor``.
    """
    tables = tables_in(request.source, request.base_dir)
    labels = read_label_file(request.labels, request.base_dir)
    notes: list[str] = []
    groups = request.vocabulary or groups_by_table(request, tables, notes)
    if request.modality_by:
        found = _said_of_concepts(request, request.modality_by, groups, tables, labels)
        groups = groups_by_concept(request.modality_by, groups, found, notes)
    proposed = Proposed(cohort_of(labels), [], labels.outcome, labels.why, notes=notes)
    known = columns_of(tables["person"], request.base_dir)
    if "person_id" not in known:
        raise InputError(f"{tables['person']} has no column 'person_id'.{near_names('person_id', known)}")
    proposed.cohort["join"] = [
        {
            "source": tables["person"],
            "on": "subject_id",
            "columns": [name for name in _OF_PERSON if name in known],
            "derive": {"subject_id": "person_id"},
        }
    ]
    called = {name: _table_of(name, group, tables) for name, group in groups.items()}
    wanted = {
        name: Wanted(tables[called[name]], OMOP_TABLES[called[name]].concept, group.ancestor)
        for name, group in groups.items()
        if group.ancestor
    }
    below = concepts_below(wanted, tables, request.base_dir)
    for name, group in groups.items():
        proposed.modality.append(_entry(request, name, group, tables, called[name], below.get(name)))
    check_values(request.vocabulary, tables, request.base_dir)
    proposed.of_modality = {name: found.notes for name, found in below.items()}
    return proposed


def _table_of(name: str, group: Group, tables: dict[str, str]) -> str:
    """The table of a group, in lower case."""
    table = str(group.table).lower()
    if table not in tables or table not in OMOP_TABLES:
        can = [each for each in OMOP_TABLES if each in tables]
        raise SpecError(
            f"vocabulary.{name}: {group.table!r} is no table that can be a modality.{near_names(table, can)}"
        )
    return table


def _said_of_concepts(
    request: FormatRequest, field: str, groups: dict[str, Group], tables: dict[str, str], labels: LabelFile
) -> dict[str, dict[str | None, int]]:
    """Of each table that is a modality, what ``concept`` says of its rows."""
    said_in = find_concepts("modality_by", [field], tables, request.base_dir)
    called = {name: str(group.table) for name, group in groups.items() if group.table != "person"}
    entries = [_entry(request, name, groups[name], tables, table) for name, table in called.items()]
    concepts = {name: OMOP_TABLES[table].concept for name, table in called.items()}
    return values_before(entries, concepts, said_in, field, labels.moments, request.window, request.base_dir)


def _entry(
    request: FormatRequest,
    name: str,
    group: Group,
    tables: dict[str, str],
    called: str,
    below: Below | None = None,
) -> dict[str, Any]:
    source, table = tables[called], OMOP_TABLES[called]
    kind = group.kind or table.kind
    columns = columns_of(source, request.base_dir)
    if kind == "age":
        return _age(name, source, columns, request.base_dir)
    moment = [] if table.moment is None else [f"{table.moment}_datetime", f"{table.moment}_date"]
    required = ["person_id", table.concept, *(["value_as_number"] if kind == "events" else [])]
    absent = [column for column in required if column not in columns]
    if absent:
        raise InputError(f"{source} has no column {absent[0]!r} (vocabulary.{name}).{near_names(absent[0], columns)}")
    if moment and not set(moment) & set(columns):
        raise InputError(f"{source} has neither {moment[0]!r} nor {moment[1]!r}, so its rows have no time")
    beside, of_concepts = concept_group(name, group, table.concept, tables, request.base_dir)
    conditions = [f"{table.concept} <> 0", *([f"({group.where})"] if group.where else []), *of_concepts]
    if below is not None:
        conditions.append(one_of(table.concept, below.concepts))
    derive: dict[str, str] = {}
    if moment:
        derive["at"] = _time(moment, source, request)
    if kind == "events":
        conditions.append("value_as_number IS NOT NULL")
        derive["item"] = _item(table, columns)
        named = {"item": "item", "value": "value_as_number"}
    else:
        derive["event"] = _code(table, columns, text_columns_of(source, request.base_dir))
        named = {"code": "event"}
    return {
        "name": name,
        "kind": kind,
        "source": source,
        "id": "person_id",
        "match": "subject",
        **beside,
        **(times_of(request, "at", kind) if moment else {}),
        "where": " AND ".join(conditions),
        "derive": derive,
        **named,
    }


def _age(name: str, source: str, columns: list[str], base_dir: Path) -> dict[str, Any]:
    """The age in years; of a birth whose month is not known the middle of the year is taken, of a month its first."""
    if "year_of_birth" not in columns:
        near = near_names("year_of_birth", columns)
        raise InputError(f"{source} has no column 'year_of_birth' (vocabulary.{name}).{near}")
    parts = [_whole("year_of_birth")]
    parts += [
        f"coalesce({_whole(column)}, {default})" if column in columns else str(default)
        for column, default in (("month_of_birth", 7), ("day_of_birth", 1))
    ]
    born = f"CAST(make_date({', '.join(parts)}) AS TIMESTAMP)"
    if "birth_datetime" in columns:
        zoned = "birth_datetime" in zoned_columns_of(source, base_dir)
        exact = "timezone('UTC', birth_datetime)" if zoned else "TRY_CAST(birth_datetime AS TIMESTAMP)"
        born = f"coalesce({exact}, {born})"  # of an age hours do not matter
    own = {"name": name, "source": source, "id": "person_id", "match": "subject", **age_of("born")}
    return {**own, "derive": {"born": born, "item": "'age'"}}


def _time(moment: list[str], source: str, request: FormatRequest) -> str:
    """The time of a row. A date alone counts as the end of its day: nobody knows that it was before the prediction.

    So does midnight, which is what the common data model asks for where the time of day is not known.
    """
    exact, day = moment
    columns, zoned = columns_of(source, request.base_dir), zoned_columns_of(source, request.base_dir)
    last = "to_seconds(86399)"
    end_of_day = f"CAST({day} AS TIMESTAMP) + {last}"
    if exact not in columns:
        return end_of_day
    stamp = f"CAST({exact} AS TIMESTAMP)"
    if exact in zoned:
        if request.zone is None:
            raise InputError(
                f"{source}: {exact} is stored with an offset from UTC, and MEDS's label schema has times without one: "
                "hours would be lost. Say under [cohort] in which zone the labels' times are: zone = "
                '"Europe/Berlin", or zone = "UTC"'
            )
        stamp = f"timezone({string_literal(request.zone)}, {exact})"
    known = f"CASE WHEN {stamp} = date_trunc('day', {stamp}) THEN {stamp} + {last} ELSE {stamp} END"
    if day not in columns:
        return known
    return f"coalesce({known}, {end_of_day})"


def _whole(column: str) -> str:
    """A column of whole numbers, also where it is blank throughout (then it has no type)."""
    return f"TRY_CAST({column} AS BIGINT)"


def _text(column: str) -> str:
    """A concept id as text, without the ``.0`` that a column with blanks gets in some exports."""
    return f"CAST({_whole(column)} AS VARCHAR)"


def _behind(column: str) -> str:
    return f"CASE WHEN coalesce({_whole(column)}, 0) <> 0 THEN '//' || {_text(column)} ELSE '' END"


def _item(table: OmopTable, columns: list[str]) -> str:
    unit = [_behind("unit_concept_id")] if "unit_concept_id" in columns else []
    return " || ".join([_text(table.concept), *unit])


def _code(table: OmopTable, columns: list[str], texts: Collection[str]) -> str:
    """The concept; behind it the answer, as a concept or a short text, where the table has answers."""
    concept = _text(table.concept)
    answers = []
    if "value_as_concept_id" in columns:
        answer = "value_as_concept_id"
        answers.append(f"WHEN coalesce({_whole(answer)}, 0) <> 0 THEN {concept} || '//' || {_text(answer)}")
    if "value_as_string" in columns:
        # as written: where all of a patient's answers happen to be numbers, 2.50 would be 2.5
        text = "value_as_string__text" if "value_as_string" in texts else "CAST(value_as_string AS VARCHAR)"
        answers.append(f"WHEN length({text}) BETWEEN 1 AND {_TEXT_CHARACTERS} THEN {concept} || '//' || {text}")
    return f"CASE {' '.join(answers)} ELSE {concept} END" if answers else concept
