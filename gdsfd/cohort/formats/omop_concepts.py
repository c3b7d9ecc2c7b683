"""Groups of concepts: the rows whose concept has some vocabulary, domain or class in OMOP's table ``concept``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gdsfd.cohort.formats.request import CONCEPT_FIELDS, Group
from gdsfd.cohort.formats.table_head import columns_of
from gdsfd.cohort.sources.sql_text import string_literal
from gdsfd.errors import InputError, SpecError, near_names

__all__ = ["concept_group"]


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
    if "concept" not in tables:
        raise SpecError(
            f"vocabulary.{name}: {next(iter(asked))} is said by OMOP's table concept, which is not there. Put it "
            "beside the other tables, or choose rows with where, by concept ids"
        )
    columns = columns_of(tables["concept"], base_dir)
    for column in ("concept_id", *asked):
        if column not in columns:
            raise InputError(
                f"{tables['concept']} has no column {column!r} (vocabulary.{name}).{near_names(column, columns)}"
            )
    look_up = {"source": tables["concept"], "on": key, "columns": [*asked], "derive": {key: "concept_id"}}
    conditions = [f"{field} IN ({', '.join(map(string_literal, values))})" for field, values in asked.items()]
    return {"join": [look_up]}, conditions
