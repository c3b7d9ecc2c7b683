"""The tables of the OMOP common data model (5.4) that can be modalities, and where they lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gdsfd.cohort.sources.database_file import SEPARATOR, database_kind, tables_of
from gdsfd.cohort.sources.files import CSV_SUFFIXES, PARQUET_SUFFIXES
from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.errors import InputError, shown

__all__ = ["OMOP_TABLES", "OmopTable", "tables_in"]


@dataclass(frozen=True)
class OmopTable:
    """What is known of a table.

    Args:
        name: The name of its modality.
        kind: The kind of modality that it is by default; ``age`` makes a number of births.
        concept: Column of the concept id.
        moment: Beginning of the columns of its time, ``<moment>_datetime`` and ``<moment>_date``; None = no time.
        default: Whether it is a modality without being asked for.
    """

    name: str
    kind: str
    concept: str
    moment: str | None
    default: bool = True


#: Table -> what is known. Deaths, costs, notes and what the source said are no inputs.
OMOP_TABLES: dict[str, OmopTable] = {
    "measurement": OmopTable("measurement", "events", "measurement_concept_id", "measurement"),
    "condition_occurrence": OmopTable("condition", "codes", "condition_concept_id", "condition_start"),
    "drug_exposure": OmopTable("drug", "codes", "drug_concept_id", "drug_exposure_start"),
    "procedure_occurrence": OmopTable("procedure", "codes", "procedure_concept_id", "procedure"),
    "device_exposure": OmopTable("device", "codes", "device_concept_id", "device_exposure_start"),
    "observation": OmopTable("observation", "codes", "observation_concept_id", "observation"),
    "visit_occurrence": OmopTable("visit", "codes", "visit_concept_id", "visit_start"),
    "person": OmopTable("age", "age", "gender_concept_id", None),
}


def tables_in(source: str, base_dir: Path) -> dict[str, str]:
    """The tables of an OMOP database: name in lower case -> source as a spec has it.

    Args:
        source: A folder of CSV or Parquet files (or folders of Parquet files) called like the tables, or a DuckDB or
            SQLite file.
        base_dir: The spec's folder.

    Raises:
        InputError: It is neither, has no table ``person``, or has a table twice.
    """
    place = os.path.join(base_dir, os.path.expanduser(expand_variables(source)))
    found: dict[str, str] = {}
    if os.path.isfile(place) and database_kind(place):
        for table in tables_of(place):
            _add(found, table.rsplit(".", 1)[-1], source + SEPARATOR + table, place)
    elif os.path.isdir(place):
        for entry in sorted(os.listdir(place)):
            inside = os.path.join(place, entry)
            suffix = next((end for end in (*CSV_SUFFIXES, *PARQUET_SUFFIXES)[::-1] if entry.lower().endswith(end)), "")
            if os.path.isfile(inside) and suffix:
                _add(found, entry[: -len(suffix)], os.path.join(source, entry), place)
            elif os.path.isdir(inside) and any(name.lower().endswith(PARQUET_SUFFIXES) for name in os.listdir(inside)):
                _add(found, entry, os.path.join(source, entry, "*.parquet"), place)
    else:
        raise InputError(
            f"{place} is neither a folder nor a database; format = 'omop' reads a folder with person.csv, "
            "measurement.parquet, ..., or a DuckDB file with these tables"
        )
    if "person" not in found:
        raise InputError(f"{place} has no table person, so it is no OMOP database; it has {shown(sorted(found), 8)}")
    return found


def _add(found: dict[str, str], name: str, source: str, place: str) -> None:
    if name.lower() in found:
        raise InputError(
            f"{place} has the table {name.lower()} twice: {shown([found[name.lower()], source])}; keep one"
        )
    found[name.lower()] = source
