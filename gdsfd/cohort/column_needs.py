"""Which columns of its sources a spec can make use of, so that huge files are not copied whole."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field

from gdsfd.cohort.spec import CodesSpec, CohortSpec, EventsSpec, ModalitySpec, NamesOrPattern, TableSpec
from gdsfd.cohort.sql_text import has_word

__all__ = ["ColumnNeeds", "needs_of_spec"]


@dataclass
class ColumnNeeds:
    """What one source is asked for.

    Args:
        everything: All columns.
        names: Columns by name.
        patterns: Columns by glob pattern.
        expressions: SQL that may mention columns.
    """

    everything: bool = False
    names: set[str] = field(default_factory=set)
    patterns: list[str] = field(default_factory=list)
    expressions: list[str] = field(default_factory=list)

    def wants(self, column: str) -> bool:
        """Whether a column may be used."""
        return (
            self.everything
            or column in self.names
            or any(fnmatch.fnmatchcase(column, pattern) for pattern in self.patterns)
            or any(has_word(column, expression) for expression in self.expressions)
        )

    def add(self, *names: str | None) -> None:
        """Asks for columns by name; None is passed over."""
        self.names.update(name for name in names if name is not None)

    def add_choice(self, choice: NamesOrPattern | None) -> None:
        """Asks for a list of columns or a pattern; None means everything."""
        if choice is None:
            self.everything = True
        elif isinstance(choice, str):
            self.patterns.append(choice)
            self.add(choice)
        else:
            self.add(*choice)


def needs_of_spec(spec: CohortSpec) -> dict[str, ColumnNeeds]:
    """What each path of the spec is asked for, by the path as written.

    Args:
        spec: The spec.
    """
    needs: dict[str, ColumnNeeds] = {}
    cohort = needs.setdefault(str(spec.cohort.source), ColumnNeeds())
    cohort.add(
        spec.cohort.id, spec.cohort.subject, *(spec.cohort.environment or []), *spec.cohort.groups, spec.split.column
    )
    cohort.add(*(outcome.column for outcome in spec.outcome), *(modality.origin for modality in spec.modality))
    cohort.expressions += [*spec.cohort.derive.values(), spec.cohort.where or ""]
    for join in spec.cohort.join:
        cohort.add(join.on)
        needs.setdefault(str(join.source), ColumnNeeds()).add(join.on, *join.columns)
    for modality in spec.modality:
        _add_modality(needs.setdefault(str(modality.source), ColumnNeeds()), modality)
    return needs


def _add_modality(needs: ColumnNeeds, modality: ModalitySpec) -> None:
    needs.add(modality.id, modality.time)
    needs.expressions += [*modality.derive.values(), modality.where or ""]
    if isinstance(modality, EventsSpec):
        needs.add(modality.item, modality.value)
        if modality.values is not None:
            needs.add_choice(modality.values)
    elif isinstance(modality, CodesSpec):
        needs.add(modality.code)
    else:
        needs.add_choice(modality.columns)
        if isinstance(modality, TableSpec):
            needs.add(*modality.numeric, *modality.categorical)
            needs.patterns += modality.exclude
