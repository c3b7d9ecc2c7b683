"""The section "What predictions are averaged over": which strata, how far predictions move by that, and for whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.numbers import number, percent, spelled
from gdsfd.evaluation.report.section import SECTIONS, Paragraph, Section, SectionContext
from gdsfd.evaluation.report.sections.strata.movement import Movement, SubgroupShift
from gdsfd.evaluation.report.sections.strata.narrative import points, strata_narrative, subgroup_label
from gdsfd.evaluation.report.sections.strata.pictures import ChangeAxis, ShareAxis, movement_histogram
from gdsfd.evaluation.report.sections.strata.strata import SplitStrata, Strata, Stratum, judge_strata

__all__ = ["StrataSection"]

#: Strata and groups of patients shown at most; all are in ``metrics.json``.
MOST_STRATA, MOST_SUBGROUPS = 30, 12
#: Environments named in a stratum's make-up.
NAMED = 3


@SECTIONS.register("strata")
class StrataSection(Section[Strata]):
    """The strata that a model averages over, and what that does to its predictions."""

    name = "strata"
    title = "What predictions are averaged over"
    template = "strata.html"

    def judge(self, context: SectionContext) -> Strata | None:
        return judge_strata(context.model, context.graph, context.splits, context.config)

    def paragraphs(self, data: Strata, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        return strata_narrative(data, schema, config.level)

    def fill(self, data: Strata, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        first, strata = data.splits[0], data.tables[0].strata
        order = sorted(range(len(strata)), key=lambda at: -strata[at].patients)
        declared = any(one.environments for one in strata)
        place = spelled(schema.environment).replace("+", " and ") if schema.environment else "environments"
        shown = order[:MOST_STRATA]
        return {
            "words": self.paragraphs(data, schema, config),
            "split": first,
            "environments": f"{place}, training patients" if declared else "",
            "left_out": max(len(order) - MOST_STRATA, 0),
            "several": len(data.splits) > 1,
            "targets": [_target(data, first, each, shown, schema) for each in first.movements if data.fitted],
        }

    def to_dict(self, data: Strata) -> dict[str, Any]:
        return {"strata": data.to_dict()}


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
