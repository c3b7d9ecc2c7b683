"""Warnings of columns that a spec derives or joins and that nothing in it uses: a name was probably mistyped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import CohortSchema
from gdsfd.cohort.spec import CohortSpec, JoinSpec
from gdsfd.cohort.spec.column_needs import ColumnNeeds, named_by_cohort, named_by_modality
from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.errors import near_names, shown

__all__ = ["find_unused"]


def find_unused(spec: CohortSpec, like: CohortSchema | None = None) -> list[Finding]:
    """A warning for each part of the spec with columns that are worked out, or joined, for nothing.

    Args:
        spec: The spec.
        like: The fitted schema of new patients, whose columns are used, too.
    """
    fitted = {} if like is None else {fields.name: fields for fields in like.modalities}
    found = _of_part("cohort", spec.cohort, named_by_cohort(spec), spec.cohort.join)
    for modality in spec.modality:
        named = named_by_modality(modality, fitted.get(modality.name))
        found += _of_part(modality.name, modality, named, modality.join)
    return found


def _of_part(where: str, part: object, named: ColumnNeeds, joins: Sequence[JoinSpec]) -> list[Finding]:
    derive: Mapping[str, str] = getattr(part, "derive", {})
    filters = [text for text in [getattr(part, "where", None)] if text is not None]
    found = _told(where, "derive", derive, named, filters)
    after = ColumnNeeds()
    after.add_sql(*derive.values(), *filters)
    for join in joins:
        taken = ColumnNeeds({join.on, *join.columns})
        found += _told(where, "join, derive", join.derive, taken, [])
        idle = [name for name in join.columns if not (named.wants(name) or after.wants(name) or _key(name, joins))]
        if idle:
            found.append(_finding(where, f"join takes {shown(idle)}, which nothing uses", idle, named))
    return found


def _key(name: str, joins: Sequence[JoinSpec]) -> bool:
    """Whether a joined column is what a further look-up is joined on."""
    return any(name == join.on for join in joins)


def _told(
    where: str, field: str, derive: Mapping[str, str], named: ColumnNeeds, filters: Iterable[str]
) -> list[Finding]:
    names = list(derive)
    idle = []
    for place, name in enumerate(names):
        later = [row_expression(text) for text in [*(derive[other] for other in names[place + 1 :]), *filters]]
        if not named.wants(name) and not any(expression.reads(name) for expression in later):
            idle.append(name)
    if not idle:
        return []
    return [_finding(where, f"{field} works out {shown(idle)}, which nothing uses", idle, named)]


def _finding(where: str, text: str, idle: Sequence[str], named: ColumnNeeds) -> Finding:
    near = near_names(idle[0], sorted(named.names))
    meant = near if "Did you mean" in near else ""
    advice = "Name it where it is meant to be used, or take it out"
    return Finding("columns", where, f"{text}.{meant} {advice}", float(len(idle)))
