"""Which columns of a source are taken: lists, glob patterns, exclusions, and the default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gdsfd.cohort.sources.sources import View
from gdsfd.cohort.spec import TableSpec
from gdsfd.cohort.spec.name_patterns import is_pattern, matching_names
from gdsfd.errors import InputError, near_names, shown

__all__ = ["ColumnChoice", "matching_columns", "table_columns"]


@dataclass
class ColumnChoice:
    """The columns taken.

    Args:
        columns: Their names, in the order of the spec's list or of the source.
        by_name: Those that the spec names one by one, rather than by a pattern or by default.
        withheld: Columns that a pattern or the default would take, but for what they are: ids, the time, and what the
            cohort table has as subject, environment, groups, outcome and split.
    """

    columns: list[str]
    by_name: frozenset[str]
    withheld: list[str]


def matching_columns(
    view: View, wanted: Sequence[str] | str, field: str, own: Iterable[str | None] = (), never: Iterable[str] = ()
) -> ColumnChoice:
    """The columns that names and glob patterns mean (:func:`~gdsfd.cohort.spec.name_patterns.matching_names`).

    Args:
        view: The source.
        wanted: Names and patterns.
        field: The spec's field, for messages.
        own: Columns that a pattern passes over without a word: the modality's id and time.
        never: Columns that a pattern passes over and that are then among ``withheld``.

    Raises:
        InputError: A column that is not there, or a pattern that no column matches.
    """
    chosen: dict[str, bool] = {}
    withheld: dict[str, None] = {}
    passed = {name.casefold() for name in own if name is not None}
    kept_back = {name.casefold() for name in never} - passed
    for entry in [wanted] if isinstance(wanted, str) else wanted:
        found, exact = _required(view, entry, field)
        for name in found:
            if exact:
                chosen[name] = True
            elif name.casefold() in kept_back:
                withheld[name] = None
            elif name.casefold() not in passed:
                chosen.setdefault(name, False)
    named = frozenset(name for name, exact in chosen.items() if exact)
    return ColumnChoice(list(chosen), named, [name for name in withheld if name not in chosen])


def table_columns(view: View, modality: TableSpec, own_columns: Iterable[str]) -> ColumnChoice:
    """The columns of a table modality.

    By default all are taken but the id, the time and what the cohort table has as id, subject, environment, groups,
    outcome and split; the same holds for what a pattern matches. What is named is taken.

    Args:
        view: The source.
        modality: The spec's entry.
        own_columns: Columns of the cohort table that are no features unless named.

    Raises:
        InputError: A column that is not there, a pattern that no column matches, nothing left, or a column that is
            both named and left out.
    """
    field = f"modality {modality.name!r}"
    own = (modality.id, modality.time)
    wanted: Sequence[str] | str = "*" if modality.columns is None else modality.columns
    choice = matching_columns(view, wanted, f"columns of {field}", own, own_columns)
    named = [view.require(name, f"numeric or categorical of {field}") for name in _listed(modality)]
    columns = list(dict.fromkeys([*choice.columns, *named]))
    by_name = choice.by_name.union(named)
    withheld = [name for name in choice.withheld if name not in by_name]
    for entry in modality.exclude:
        gone, _ = _required(view, entry, f"exclude of {field}")
        both = [name for name in named if name in gone]
        if both:
            raise InputError(
                f"{field}: {shown(both)} of {view.label} stand under numeric or categorical, and exclude = {entry!r} "
                "leaves them out; keep one"
            )
        columns = [column for column in columns if column not in gone]
        withheld = [column for column in withheld if column not in gone]
    if not columns:
        besides = f" besides {', '.join(map(repr, withheld))}, which the cohort table uses" if withheld else ""
        raise InputError(f"{field}: no column of {view.label} is left to take{besides}")
    return ColumnChoice(columns, by_name, withheld)


def _listed(modality: TableSpec) -> list[str]:
    return [*modality.numeric, *modality.categorical]


def _required(view: View, entry: str, field: str) -> tuple[list[str], bool]:
    found, exact = matching_names(entry, view.columns)
    if not found and is_pattern(entry):
        raise InputError(f"{view.label}: no column matches {entry!r} ({field}).{near_names(entry, view.columns)}")
    if not found:
        view.require(entry, field)
    return found, exact
