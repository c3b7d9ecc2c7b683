"""Which modalities an OMOP database has where a spec names none: one per table, or one per vocabulary of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gdsfd.cohort.formats.omop_tables import OMOP_TABLES
from gdsfd.cohort.formats.proposed import modality_name
from gdsfd.cohort.formats.request import FormatRequest, Group
from gdsfd.cohort.formats.table_head import columns_of, has_rows
from gdsfd.errors import InputError, shown

__all__ = ["groups_by_concept", "groups_by_table"]

#: Modalities by what is said of their concepts have at least this many rows; a smaller one could not be fitted.
_FEWEST_ROWS = 10
_MOST_GROUPS = 60


def groups_by_table(request: FormatRequest, tables: Mapping[str, str], notes: list[str]) -> dict[str, Group]:
    """One modality for each table that has rows.

    Args:
        request: The spec's fields.
        tables: The database's tables, name -> source.
        notes: Grows by what is left out, and why.

    Raises:
        InputError: No table that can be a modality has rows.
    """
    groups: dict[str, Group] = {}
    for table, known in OMOP_TABLES.items():
        if table not in tables or not known.default:
            continue
        if table == "person" and "year_of_birth" not in columns_of(tables[table], request.base_dir):
            notes.append(f"{tables[table]} has no year_of_birth, so there is no age")
        elif has_rows(tables[table], request.base_dir):
            groups[known.name] = Group(table=table)
        else:
            notes.append(f"{tables[table]} has no rows")
    if not groups:
        raise InputError(
            f"{request.source}: no table that can be a modality has rows; expected {shown(OMOP_TABLES, 8)}"
        )
    return groups


def groups_by_concept(
    field: str,
    by_table: Mapping[str, Group],
    found: Mapping[str, Mapping[str | None, int]],
    notes: list[str],
) -> dict[str, Group]:
    """In place of a table's modality one for each vocabulary (or domain, or class) that its rows have.

    Each is called after its table and its vocabulary, also where a table has one only: another hospital's modalities
    must not be called otherwise because it has fewer. Rows whose concept has none are ``other``.

    Args:
        field: ``vocabulary_id``, ``domain_id`` or ``concept_class_id``.
        by_table: The modalities by table.
        found: Name of such a modality -> value of the field -> rows before the prediction times; None = no value. What
            is not listed stays one modality.
        notes: Grows by what is left out, and why.

    Raises:
        InputError: They would be too many, or none.

    Example:
        >>> tables = {"drug": Group(table="drug_exposure"), "age": Group(table="person")}
        >>> told = {"drug": {"RxNorm": 90, "CVX": 20, None: 15}}
        >>> list(groups_by_concept("vocabulary_id", tables, told, []))
        ['drug_rxnorm', 'drug_cvx', 'drug_other', 'age']
    """
    groups: dict[str, Group] = {}
    for name, group in by_table.items():
        if name not in found:
            groups[name] = group
            continue
        if not found[name]:
            notes.append(f"{group.table}: no rows before the prediction times")
        for value, rows in found[name].items():
            if rows < _FEWEST_ROWS:
                said = f"no {field}" if value is None else f"{field} {value!r}"
                notes.append(f"{group.table}, {said}: {rows} rows before the prediction times are too few")
                continue
            own = modality_name(value or "other", ())
            own = own if own == name else modality_name(f"{name}_{own}", groups)
            # where no row finds its concept, there is nothing to look up
            asked: dict[str, Any] = {} if list(found[name]) == [None] else {field: [value or ""]}
            groups[own] = Group(table=group.table, **asked)
    if not groups:
        raise InputError(f"modality_by = {field!r}: no {field} has {_FEWEST_ROWS} rows before the prediction times")
    if len(groups) > _MOST_GROUPS:
        raise InputError(
            f"modality_by = {field!r}: {len(groups)} modalities ({shown(groups, 8)}) are too many; name those that you "
            f'want under [cohort.vocabulary]: NAME = {{table = "drug_exposure", {field} = "..."}}'
        )
    return groups
