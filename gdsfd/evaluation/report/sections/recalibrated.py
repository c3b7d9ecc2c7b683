"""Risks corrected by the line that was fixed in training, beside the risks as the model gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.metric_set import calibration_figures, score
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from gdsfd.evaluation.report.fixed_settings import kept_line
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext
from gdsfd.evaluation.targets import Target, rows_of_split, targets_of
from gdsfd.training.run_record.recalibration import RecalibrationLine

__all__ = ["Recalibrated", "RecalibratedSection", "judge_recalibration"]

_PLAIN = ("brier", "log_loss", "calibration_gap")


@dataclass(frozen=True)
class Recalibrated:
    """One target on one split.

    Args:
        split: The split.
        target: The target.
        line: The line, fixed on tuning patients.
        before: Figures of the risks as they are.
        after: Of the corrected risks; empty where there is no line.
    """

    split: str
    target: str
    line: RecalibrationLine
    before: dict[str, Estimate]
    after: dict[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; NaN stays NaN."""
        return {
            "intercept": self.line.intercept,
            "slope": self.line.slope,
            "reason": self.line.reason,
            "before": {name: one.to_dict() for name, one in self.before.items()},
            "after": {name: one.to_dict() for name, one in self.after.items()},
        }


def judge_recalibration(
    model: Any, graph: Any, splits: Sequence[str], lines: Sequence[RecalibrationLine], rules: EvaluationConfig
) -> list[Recalibrated]:
    """Judges risks with and without the correction, on the same resamples.

    Args:
        model: The model.
        graph: The graph.
        splits: Splits to judge on.
        lines: One per target; none: nothing is judged.
        rules: How figures are made.
    """
    found = []
    for split in splits if lines else ():
        rows = rows_of_split(graph, split)
        subjects = np.asarray(graph["patient"].subject, dtype=str)[rows]
        bootstrap = SubjectBootstrap(subjects.tolist(), rules.resamples, rules.seed)
        targets = targets_of(graph, rows, model.predict_proba(graph, split=split), f"model, split {split!r}")
        for target, line in zip(targets, lines, strict=True):
            corrected = Target(target.name, target.rows, target.y, line(target.p))
            after = {} if line.reason else _figures(corrected, bootstrap, rules)
            found.append(Recalibrated(split, target.name, line, _figures(target, bootstrap, rules), after))
    return found


@SECTIONS.register("recalibrated")
class RecalibratedSection(Section[list[Recalibrated]]):
    """Two rows per split and target: risks as they are, and corrected."""

    name = "recalibrated"
    title = "Risks corrected by what was seen in training"
    template = "recalibrated.html"

    def judge(self, context: SectionContext) -> list[Recalibrated] | None:
        lines = kept_line(context.model, context.record)
        return judge_recalibration(context.model, context.graph, context.splits, lines, context.config) or None

    def fill(self, data: list[Recalibrated], schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        for one in data:
            name = f"{one.split}, {one.target}: " if len(data) > 1 else ""
            rows.append({"name": f"{name}as they are", "figures": one.before, "reason": ""})
            rows.append({"name": f"{name}corrected", "figures": one.after, "reason": one.line.reason})
        return {"rows": rows}

    def to_dict(self, data: list[Recalibrated]) -> dict[str, Any]:
        splits: dict[str, Any] = {}
        for one in data:
            splits.setdefault(one.split, {"recalibrated": {}})["recalibrated"][one.target] = one.to_dict()
        return {"splits": splits}


def _figures(target: Target, bootstrap: SubjectBootstrap, rules: EvaluationConfig) -> dict[str, Estimate]:
    none = OperatingPoint(math.nan, rules.sensitivity, reason="no threshold here")
    scored = score(target, bootstrap, none, rules.level, metrics=_PLAIN)
    return {**scored.estimates, **calibration_figures(target, bootstrap, rules)}
