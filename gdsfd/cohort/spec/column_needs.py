"""Which columns of its sources a spec can make use of: only these are copied into the database of a build."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.cohort.schema import CohortSchema, ModalityFields
from gdsfd.cohort.spec.cohort_spec import CohortSpec
from gdsfd.cohort.spec.field_types import NamesOrPattern
from gdsfd.cohort.spec.join_spec import JoinSpec
from gdsfd.cohort.spec.modality_spec import ModalitySpec
from gdsfd.cohort.spec.name_patterns import is_pattern, matching_names
from gdsfd.cohort.spec.row_expression import RowExpression, row_expression

__all__ = [
    "ColumnNeeds",
    "named_by_cohort",
    "named_by_modality",
    "needs_of_modalities",
    "needs_of_modality",
    "needs_of_spec",
    "source_key",
]


def source_key(source: Any) -> Any:
    """What a source is known by: the path as written, or which object it is."""
    return id(source) if not isinstance(source, str) and not hasattr(source, "__fspath__") else str(source)


@dataclass
class ColumnNeeds:
    """What one source is asked for.

    Args:
        names: Columns by name.
        patterns: Columns by glob pattern.
        expressions: SQL that reads columns.
        all_but: Each entry asks for all columns that none of its patterns matches.
    """

    names: set[str] = field(default_factory=set)
    patterns: list[str] = field(default_factory=list)
    expressions: list[RowExpression] = field(default_factory=list)
    all_but: list[tuple[str, ...]] = field(default_factory=list)

    def wants(self, column: str, among: Container[str] = ()) -> bool:
        """Whether a column may be used.

        Args:
            column: The column.
            among: All columns of the source: an entry that is one of them is no pattern.
        """
        return (
            column in self.names
            or _matches(column, self.patterns, among)
            or any(not _matches(column, patterns, among) for patterns in self.all_but)
            or any(expression.reads(column) for expression in self.expressions)
        )

    def add(self, *names: str | None) -> None:
        """Asks for columns by name; None is passed over."""
        self.names.update(name for name in names if name is not None)

    def add_choice(self, choice: NamesOrPattern | None, exclude: Iterable[str] = ()) -> None:
        """Asks for a list of columns or a pattern; None means everything but what is excluded."""
        if choice is None:
            self.all_but.append(tuple(exclude))
        else:
            entries = [choice] if isinstance(choice, str) else choice
            self.add(*entries)
            # a name with letters beyond ASCII may be spelled in two ways that look alike
            self.patterns += [entry for entry in entries if is_pattern(entry) or not entry.isascii()]

    def add_sql(self, *texts: str | None) -> None:
        """Asks for the columns that expressions read."""
        self.expressions += [row_expression(text) for text in texts if text is not None]


def _matches(column: str, patterns: Iterable[str], among: Container[str]) -> bool:
    return any(
        column == pattern or (pattern not in among and matching_names(pattern, [column])[0]) for pattern in patterns
    )


def needs_of_spec(spec: CohortSpec, like: CohortSchema | None = None) -> dict[Any, ColumnNeeds]:
    """What each source of the spec is asked for, by its :func:`source_key`.

    Args:
        spec: The spec.
        like: A fitted schema whose columns are asked for, too.
    """
    needs: dict[Any, ColumnNeeds] = {}
    cohort = needs.setdefault(source_key(spec.cohort.source), named_by_cohort(spec))
    cohort.add_sql(*spec.cohort.derive.values(), spec.cohort.where)
    _add_joins(needs, cohort, spec.cohort.join)
    fitted = {} if like is None else {fields.name: fields for fields in like.modalities}
    return needs_of_modalities(spec.modality, needs, fitted)


def named_by_cohort(spec: CohortSpec) -> ColumnNeeds:
    """The columns of the cohort table that fields of the spec name, its SQL left out."""
    cohort = ColumnNeeds()
    cohort.add(
        spec.cohort.id, spec.cohort.subject, *(spec.cohort.environment or []), *spec.cohort.groups, spec.split.column
    )
    cohort.add(*(name for outcome in spec.outcome for name in outcome.columns))
    cohort.add(*(modality.origin for modality in spec.modality))
    return cohort


def needs_of_modalities(
    modalities: Iterable[ModalitySpec],
    needs: dict[Any, ColumnNeeds] | None = None,
    fitted: Mapping[str, ModalityFields] | None = None,
) -> dict[Any, ColumnNeeds]:
    """What each source of some modalities and of their look-ups is asked for, by its :func:`source_key`.

    Args:
        modalities: The spec's entries.
        needs: What is asked for already; it grows.
        fitted: Fitted fields of modalities, by name, whose columns are asked for, too.
    """
    needs = {} if needs is None else needs
    for modality in modalities:
        asked = needs.setdefault(source_key(modality.source), ColumnNeeds())
        _add_modality(asked, modality, (fitted or {}).get(modality.name))
        _add_joins(needs, asked, modality.join)
    return needs


def needs_of_modality(modality: ModalitySpec, like: ModalityFields | None = None) -> ColumnNeeds:
    """What one modality asks of its source.

    Args:
        modality: The spec's entry.
        like: Fitted fields whose columns are asked for, too.
    """
    needs = ColumnNeeds()
    _add_modality(needs, modality, like)
    return needs


def _add_joins(needs: dict[Any, ColumnNeeds], base: ColumnNeeds, joins: Iterable[JoinSpec]) -> None:
    """What look-ups are asked for, and their keys of the table that they are put beside."""
    for join in joins:
        base.add(join.on)
        look_up = needs.setdefault(source_key(join.source), ColumnNeeds())
        look_up.add(join.on, *join.columns)
        look_up.add_sql(*join.derive.values())


def named_by_modality(modality: ModalitySpec, like: ModalityFields | None = None) -> ColumnNeeds:
    """The columns that fields of a modality's entry name, its SQL left out.

    Args:
        modality: The spec's entry.
        like: As in :func:`needs_of_modality`.
    """
    needs = ColumnNeeds()
    _add_named(needs, modality, like)
    return needs


def _add_modality(needs: ColumnNeeds, modality: ModalitySpec, like: ModalityFields | None) -> None:
    _add_named(needs, modality, like)
    needs.add_sql(*modality.derive.values(), modality.where)


def _add_named(needs: ColumnNeeds, modality: ModalitySpec, like: ModalityFields | None) -> None:
    if like is not None:
        needs.add(*like.numeric, *like.categorical)
    needs.add(modality.id, modality.time)
    kind = MODALITY_KINDS.find(modality.kind)
    if kind.needs is None:
        needs.add_choice(None)
    else:
        kind.needs(needs, modality, like)
