"""The report's section on strata: which there are, how far averaging over them moves predictions, and for whom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gdsfd.evaluation.report.numbers import number, percent, spelled
from gdsfd.evaluation.report.page_templates import template
from gdsfd.evaluation.report.strata.movement import Movement, SubgroupShift
from gdsfd.evaluation.report.strata.narrative import points, strata_narrative, subgroup_label
from gdsfd.evaluation.report.strata.pictures import ChangeAxis, ShareAxis, movement_histogram
from gdsfd.evaluation.report.strata.strata import SplitStrata, Strata, Stratum

if TYPE_CHECKING:
    from gdsfd.cohort.schema import CohortSchema

__all__ = ["render_strata"]

#: Strata and groups of patients shown at most; all are in ``metrics.json``.
MOST_STRATA, MOST_SUBGROUPS = 30, 12
#: Environments named in a stratum's make-up.
NAMED = 3


def render_strata(found: Strata | None, schema: CohortSchema, level: float) -> Markup:
    """The section as HTML.

    Args:
        found: What is known of strata, or None.
        schema: The graph's schema.
        level: Coverage of the intervals.

    Returns:
        Empty for a model that does not average over strata.
    """
    if found is None:
        return Markup("")
    first = found.splits[0]
    order = sorted(range(len(found.tables[0].strata)), key=lambda at: -found.tables[0].strata[at].patients)
    declared = any(one.environments for one in found.tables[0].strata)
    place = spelled(schema.environment).replace("+", " and ") if schema.environment else "environments"
    section = template("strata.html").render(
        words=strata_narrative(found, schema, level),
        split=first,
        environments=f"{place}, training patients" if declared else "",
        left_out=max(len(order) - MOST_STRATA, 0),
        several=len(found.splits) > 1,
        targets=[_target(found, first, each, order[:MOST_STRATA], schema) for each in first.movements if found.fitted],
    )
    return Markup(section)


def _target(
    found: Strata, first: SplitStrata, each: Movement, order: list[int], schema: CohortSchema
) -> dict[str, Any]:
    strata, here, name = found.tables[0].strata, first.tables[0], each.target
    rates = [one.outcome[name] for one in strata] + [one.predicted[name] for one in here]
    axis = ShareAxis.around(rates, each.everyone.intervened)
    shifts = sorted(each.shifts, key=lambda one: -abs(one.mean) if math.isfinite(one.mean) else 0.0)
    shown = sorted(shifts[:MOST_SUBGROUPS], key=lambda one: -one.mean)
    change = ChangeAxis.around([each.everyone, *shown])
    return {
        "name": spelled(name),
        "axis": Markup(axis.header()),
        "strata": [
            {
                "name": spelled(strata[at].name),
                "note": _note(strata[at]),
                "patients": strata[at].patients,
                "mass": strata[at].mass,
                "cell": Markup(axis.cell(strata[at].outcome[name], here[at].predicted[name])),
                "environments": _make_up(strata[at]),
                "here": here[at].patients,
                "moved": points(here[at].moved[name]),
            }
            for at in order
        ],
        "histogram": Markup(movement_histogram(each.bins)),
        "change_axis": Markup(change.header()),
        "shifts": [_shift(each.everyone, change, "all", True)]
        + [_shift(one, change, subgroup_label(one, schema)) for one in shown],
        "others": len(shifts) - len(shown),
        "by_split": [
            {
                "split": one.split,
                "patients": one.patients,
                "size": number(moved.everyone.size * 100, 1),
                "up": moved.everyone.up,
                "down": moved.everyone.down,
                "auroc": [moved.auroc[which] for which in ("observed", "intervened", "difference")],
            }
            for one in found.splits
            for moved in one.movements
            if moved.target == name
        ],
    }


def _shift(one: SubgroupShift, axis: ChangeAxis, name: str, whole: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "whole": whole,
        "pooled": one.pooled,
        "patients": one.patients,
        "observed": one.observed,
        "intervened": one.intervened,
        "cell": Markup(axis.cell(one)),
        "up": one.up,
        "down": one.down,
    }


def _note(one: Stratum) -> str:
    """How many of its patients have another pattern than the one named."""
    other = 1 - one.exact
    return f"{percent(other, 0)} have a rarer pattern near it" if other >= 0.005 else ""


def _make_up(one: Stratum) -> str:
    named = [f"{name} {percent(share, 0)}" for name, share in list(one.environments.items())[:NAMED]]
    more = len(one.environments) - NAMED
    return ", ".join(named) + (f", {more} more" if more > 0 else "")
