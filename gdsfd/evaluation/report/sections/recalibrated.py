"""Risks corrected by the line that was fixed in training, beside the risks as the model gives them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from gdsfd.training.run_record.run_record import RunRecord

__all__ = ["Recalibrated", "RecalibratedSection", "judge_recalibration"]

_PLAIN = ("brier", "log_loss", "calibration_gap")


@dataclass(frozen=True)
class Recalibrated:
    """One target on one split.

    Args:
        split: The split.
        target: The target.
        line: The line, fixed on tuning patients.
        before: Figures of the risks as the network gives them.
        after: Of the corrected risks; empty where there is no line.
        method: How the model corrects its risks before it gives them out; ``none`` where it does not.
        given: Figures of the risks that it gives out, where it corrects them.
    """

    split: str
    target: str
    line: RecalibrationLine
    before: dict[str, Estimate]
    after: dict[str, Estimate]
    method: str = "none"
    given: dict[str, Estimate] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; NaN stays NaN."""
        own = {"method": self.method, "given": {name: one.to_dict() for name, one in self.given.items()}}
        return {
            **(own if self.given else {}),
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
    methods = _methods(model, len(lines))
    for split in splits if lines else ():
        rows = rows_of_split(graph, split)
        subjects = np.asarray(graph["patient"].subject, dtype=str)[rows]
        bootstrap = SubjectBootstrap(subjects.tolist(), rules.resamples, rules.seed)
        changed = any(method != "none" for method in methods)
        as_they_are = model.predict_proba(graph, split=split, **({"recalibrated": False} if changed else {}))
        targets = targets_of(graph, rows, as_they_are, f"model, split {split!r}")
        given = model.predict_proba(graph, split=split) if changed else as_they_are
        delivered = targets_of(graph, rows, given, f"model, split {split!r}")
        for target, own, line, method in zip(targets, delivered, lines, methods, strict=True):
            corrected = Target(target.name, target.rows, target.y, line(target.p))
            after = {} if line.reason else _figures(corrected, bootstrap, rules)
            out = {} if method == "none" else _figures(own, bootstrap, rules)
            found.append(Recalibrated(split, target.name, line, _figures(target, bootstrap, rules), after, method, out))
    return found


def _methods(model: Any, targets: int) -> list[str]:
    """How the model corrects its risks, target by target."""
    record: RunRecord | None = getattr(model, "record", None)
    kept = record.calibrations.get(model.choice, ()) if record is not None else ()
    methods = [each.method for each in kept for _ in range(targets if len(kept) == 1 else 1)]
    return methods or ["none"] * targets


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
            what = "as the network gives them" if one.given else "as they are"
            rows.append({"name": f"{name}{what}", "figures": one.before, "reason": ""})
            line = "corrected by a line" if one.given else "corrected"
            rows.append({"name": f"{name}{line}", "figures": one.after, "reason": one.line.reason})
            if one.given:
                how = {"logistic": "a line", "isotonic": "a rising curve"}[one.method]
                rows.append({"name": f"{name}as given out ({how})", "figures": one.given, "reason": ""})
        return {"rows": rows, "given": any(one.given for one in data)}

    def to_dict(self, data: list[Recalibrated]) -> dict[str, Any]:
        splits: dict[str, Any] = {}
        for one in data:
            splits.setdefault(one.split, {"recalibrated": {}})["recalibrated"][one.target] = one.to_dict()
        return {"splits": splits}


def _figures(target: Target, bootstrap: SubjectBootstrap, rules: EvaluationConfig) -> dict[str, Estimate]:
    none = OperatingPoint(math.nan, rules.sensitivity, reason="no threshold here")
    scored = score(target, bootstrap, none, rules.level, metrics=_PLAIN)
    return {**scored.estimates, **calibration_figures(target, bootstrap, rules)}
