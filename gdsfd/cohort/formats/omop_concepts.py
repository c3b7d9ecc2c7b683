"""Groups of concepts: the rows whose concept has some vocabulary, domain or class in OMOP's table ``concept``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gdsfd.cohort.formats.distinct_values import distinct_values
from gdsfd.cohort.formats.request import CONCEPT_FIELDS, Group
from gdsfd.cohort.formats.table_head import columns_of
from gdsfd.cohort.sources.sql_text import string_literal
from gdsfd.errors import InputError, SpecError, near_names, shown

__all__ = ["check_values", "concept_group", "find_concepts"]


def concept_group(
    name: str, group: Group, key: str, tables: dict[str, str], base_dir: Path
) -> tuple[dict[str, Any], list[str]]:
    """What a modality needs beside its other fields, so that it has the rows of some concepts only.

    The table ``concept`` is put beside the rows as a look-up, so the receipt tells rows whose concept it has not; they
    are in no group.

    Args:
        name: The modality's name.
        group: What was asked for.
        key: The column of the concept in the modality's table.
        tables: The database's tables, name -> source.
        base_dir: The spec's folder.

    Returns:
        Fields of the modality, and conditions for its ``where``; both empty where nothing is asked of concepts.

    Raises:
        SpecError: There is no table ``concept``.
        InputError: It lacks a column.
    """
    asked = {field: getattr(group, field) for field in CONCEPT_FIELDS if getattr(group, field)}
    if not asked:
        return {}, []
    source = find_concepts(f"vocabulary.{name}", list(asked), tables, base_dir)
    look_up = {"source": source, "on": key, "columns": [*asked], "derive": {key: "concept_id"}}
    return {"join": [look_up]}, [_one_of(field, values) for field, values in asked.items()]


def check_values(groups: Mapping[str, Group], tables: Mapping[str, str], base_dir: Path) -> None:
    """Refuses a vocabulary, domain or class that no concept has: of several in a list its rows would be missing unsaid.

    Args:
        groups: Name of a modality -> what was asked for; the table ``concept`` has the columns.
        tables: The database's tables, name -> source.
        base_dir: The spec's folder.

    Raises:
        SpecError: Names it, and one that is near.
    """
    for field in CONCEPT_FIELDS:
        asked = {name: getattr(group, field) for name, group in groups.items() if getattr(group, field)}
        there = distinct_values(tables["concept"], base_dir, field) if asked else []
        for name, values in asked.items():
            unknown = [value for value in values if value and value not in there]
            if unknown:
                raise SpecError(
                    f"vocabulary.{name}: no concept in {tables['concept']} has the {field} {shown(unknown)}."
                    f"{near_names(unknown[0], there)}"
                )


def find_concepts(where: str, asked: Sequence[str], tables: Mapping[str, str], base_dir: Path) -> str:
    """The source of the table ``concept``, once it is known to have what is asked.

    Args:
        where: Where the spec asks, for messages.
        asked: Columns beside ``concept_id``.
        tables: The database's tables, name -> source.
        base_dir: The spec's folder.

    Raises:
        SpecError: There is no such table.
        InputError: It lacks a column.
    """
    if "concept" not in tables:
        raise SpecError(
            f"{where}: {asked[0]} is said by OMOP's table concept, which is not there. Put it beside the other "
            "tables, or choose rows with where, by concept ids"
        )
    columns = columns_of(tables["concept"], base_dir)
    for column in ("concept_id", *asked):
        if column not in columns:
            raise InputError(f"{tables['concept']} has no column {column!r} ({where}).{near_names(column, columns)}")
    return tables["concept"]


def _one_of(field: str, values: list[str]) -> str:
    """SQL of a column that holds one of some values; an empty one stands for none."""
    named = [value for value in values if value]
    parts = [f"{field} IN ({', '.join(map(string_literal, named))})"] if named else []
    parts += [f"{field} IS NULL"] if len(named) < len(values) else []
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"
