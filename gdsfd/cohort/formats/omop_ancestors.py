"""Concepts below others, by OMOP's table ``concept_ancestor``, among those that the rows of a table have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis

from gdsfd.cohort.formats.table_head import columns_of
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec.column_needs import ColumnNeeds
from gdsfd.errors import InputError, SpecError, near_names, shown

__all__ = ["Below", "Wanted", "concepts_below", "one_of"]

#: Concepts that a row's is compared with one by one.
_LISTED = 64
_ABOVE, _BELOW = "ancestor_concept_id", "descendant_concept_id"


@dataclass(frozen=True)
class Wanted:
    """What a group asks for.

    Args:
        source: The modality's table.
        key: Its column of the concept.
        ancestors: Ids of concepts.
    """

    source: str
    key: str
    ancestors: Sequence[int]


@dataclass(frozen=True)
class Below:
    """What was found for a group.

    Args:
        concepts: The table's concepts that are one of the ancestors or below one, in order.
        notes: For the receipt: how many concepts these are, and how many rows have a concept of no hierarchy.
    """

    concepts: list[int]
    notes: list[str]


def concepts_below(groups: Mapping[str, Wanted], tables: Mapping[str, str], base_dir: Path) -> dict[str, Below]:
    """The concepts of each group.

    Only concepts that the rows of its table have are listed: a concept can have a hundred thousand below it, of which a
    hospital uses some hundred.

    Args:
        groups: Name of a modality -> what it asks for.
        tables: The database's tables, name -> source.
        base_dir: The spec's folder.

    Raises:
        SpecError: There is no table ``concept_ancestor``, or it does not know an ancestor.
        InputError: It lacks a column, or no row of a group's table has a concept below its ancestors.
    """
    if not groups:
        return {}
    name = next(iter(groups))
    if "concept_ancestor" not in tables:
        raise SpecError(
            f"vocabulary.{name}: what is below a concept is said by OMOP's table concept_ancestor, which is not there. "
            "Put it beside the other tables, or choose rows with where, by concept ids"
        )
    hierarchy = tables["concept_ancestor"]
    columns = columns_of(hierarchy, base_dir)
    for column in (_ABOVE, _BELOW):
        if column not in columns:
            raise InputError(f"{hierarchy} has no column {column!r} (vocabulary.{name}).{near_names(column, columns)}")
    needs: dict[str, ColumnNeeds] = {hierarchy: ColumnNeeds({_ABOVE, _BELOW})}
    for wanted in groups.values():
        needs.setdefault(wanted.source, ColumnNeeds()).add(wanted.key)
    with Sources(base_dir, dict(needs)) as sources:
        links = sources.open(hierarchy, f"vocabulary.{name}", derive={"above": _whole(_ABOVE), "below": _whole(_BELOW)})
        with sources.database.reading(links.label):
            _check_known(sources, links.table, groups, links.label)
        return {name: _of_group(sources, name, wanted, links.table, links.label) for name, wanted in groups.items()}


def one_of(column: str, concepts: Sequence[int]) -> str:
    """SQL of a column that holds one of some concepts.

    ``IN`` compares a row with all of a list, so a long one is halved until a short one is left: a row is then compared
    with some 70 of 20,000 concepts.

    Args:
        column: The column, of whole numbers.
        concepts: Ids, ascending; one at least.

    Example:
        >>> one_of("x", [1, 2])
        'x IN (1, 2)'
    """
    if len(concepts) <= _LISTED:
        return f"{column} IN ({', '.join(map(str, concepts))})"
    middle = len(concepts) // 2
    less, more = one_of(column, concepts[:middle]), one_of(column, concepts[middle:])
    return f"CASE WHEN {column} < {concepts[middle]} THEN {less} ELSE {more} END"


def _whole(column: str) -> str:
    return f"TRY_CAST({column} AS BIGINT)"


def _check_known(sources: Sources, links: ibis.Table, groups: Mapping[str, Wanted], label: str) -> None:
    asked = {concept for wanted in groups.values() for concept in wanted.ancestors}
    found = sources.database.fetch(links.filter(links.above.isin(sorted(asked))).select("above").distinct())
    known = set(found["above"].to_pylist())
    for name, wanted in groups.items():
        unknown = [concept for concept in wanted.ancestors if concept not in known]
        if unknown:
            raise SpecError(
                f"vocabulary.{name}: {label} has no row with the ancestor {shown(unknown)}. Is it the id (concept_id, "
                "not the code) of a standard concept? Others have nothing below them: name the one they map to"
            )


def _of_group(sources: Sources, name: str, wanted: Wanted, links: ibis.Table, label: str) -> Below:
    view = sources.open(wanted.source, f"vocabulary.{name}", derive={"own": _whole(wanted.key)})
    ancestors = sorted(set(wanted.ancestors))
    with sources.database.reading(view.label):
        mapped = view.table.filter(view.table.own.notnull() & (view.table.own != 0))
        counted = mapped.group_by("own").agg(rows=mapped.count())
        above = links.select("above", "below")
        beside = counted.left_join(above, counted.own == above.below)
        told = beside.group_by("own", "rows").agg(
            known=beside.below.count() > 0, found=beside.above.isin(ancestors).any()
        )
        concepts = sources.database.fetch(told.order_by("own")).to_pylist()
    inside = [each["own"] for each in concepts if each["found"] or each["own"] in ancestors]
    if not inside:
        few = shown([each["own"] for each in sorted(concepts, key=lambda each: -each["rows"])], 3)
        there = f"its most frequent concepts are {few}" if concepts else "no row of it has a concept"
        raise InputError(
            f"vocabulary.{name}: by {label} no concept of {view.label} is {shown(ancestors)} or below; {there}"
        )
    notes = [
        f"ancestor {shown(ancestors)}: {len(inside):,} of the {len(concepts):,} concepts of {view.label} are "
        f"below {'it' if len(ancestors) == 1 else 'them'} by {label}"
    ]
    strange = {each["own"]: each["rows"] for each in concepts if not each["known"] and each["own"] not in ancestors}
    if strange:
        total = sum(each["rows"] for each in concepts)
        notes.append(
            f"{sum(strange.values()):,} of {total:,} rows have a concept that {label} has not "
            f"({shown(sorted(strange), 3)}): they are below no ancestor"
        )
    return Below(inside, notes)
