"""What was fixed where before the patients judged were looked at: the table on a report's first page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gdsfd.baselines.labels import target_names
from gdsfd.baselines.table_rows import most_rows
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.evaluation.assess import ProbabilisticModel, thresholds_of
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import Judged
from gdsfd.evaluation.report.numbers import count, number, percent
from gdsfd.training.run_record.calibration import Calibration
from gdsfd.training.run_record.operating_point import OperatingPoint
from gdsfd.training.run_record.recalibration import RecalibrationLine
from gdsfd.training.run_record.run_record import RunRecord
from gdsfd.training.run_record.tuned_rules import SENSITIVITIES, TunedRules

__all__ = ["FixedSetting", "fixed_points", "fixed_settings", "kept_line", "kept_rules"]

Points = dict[str, list[OperatingPoint]]


@dataclass(frozen=True)
class FixedSetting:
    """One row of the table.

    Args:
        what: What was fixed.
        value: To what, in words.
        on: On whom.
    """

    what: str
    value: str
    on: str


def kept_rules(model: Any, key: str, record: RunRecord | None) -> TunedRules | None:
    """Thresholds and recalibration that were kept of a model when it was trained.

    Args:
        model: The model judged, another ``Debiaser``, or a baseline.
        key: Its name in the evaluation.
        record: Of the model judged: it keeps those of its baselines, too.
    """
    own: RunRecord | None = getattr(model, "record", None)
    if own is not None:
        return own.rules.get(model.choice)
    kept = record is not None and record.baselines.get(key) is model
    return record.rules.get(key) if record is not None and kept else None


def fixed_points(
    judged: Judged, models: Mapping[str, ProbabilisticModel], rules: EvaluationConfig, record: RunRecord | None
) -> Points:
    """Every model's thresholds: those kept with the run; where there are none, fixed on the graph's tuning patients.

    Args:
        judged: What is judged. New patients have no tuning patients: what was not kept stays undefined.
        models: Name -> model.
        rules: The sensitivity aimed at.
        record: Of the model judged.

    Raises:
        InputError: New patients, and no threshold was kept for that sensitivity.
    """
    points: Points = {}
    for name, model in models.items():
        kept = kept_rules(model, name, record)
        own = kept.at(rules.sensitivity) if kept is not None else None
        if kept is not None and own is None and not judged.own:
            listed = ", ".join(f"{one:g}" for one in SENSITIVITIES)
            raise InputError(
                f"sensitivity: the run keeps no threshold for {rules.sensitivity:g} on its tuning patients, and new "
                f"patients are not there to choose one on. Kept are {listed}"
            )
        if own is not None:
            points[name] = own
        elif judged.own:
            points |= thresholds_of(judged.graph, {name: model}, rules)
        else:
            reason = "no threshold: none was kept when it was trained, and new patients are not there to choose one on"
            none = OperatingPoint(math.nan, rules.sensitivity, reason=reason)
            points[name] = [none] * len(target_names(judged.graph.schema))
    return points


def kept_line(model: Any, record: RunRecord | None) -> tuple[RecalibrationLine, ...]:
    """The recalibration lines kept with the model judged, target by target; none without a record."""
    kept = kept_rules(model, "model", record)
    return kept.lines if kept is not None else ()


def fixed_settings(
    model: Any, judged: Judged, points: list[OperatingPoint], baselines: list[str], record: RunRecord | None, why: str
) -> list[FixedSetting]:
    """The table.

    Args:
        model: The model judged.
        judged: What is judged.
        points: Its thresholds.
        baselines: What the report calls the baselines it is compared with.
        record: Of the model.
        why: Why there is no baseline, or nothing.
    """
    train, tuning = _whom(record, "train"), _whom(record, "tuning")
    rows = []
    if record is not None:
        source = ", ".join(record.cohort.get("source", ()))
        rows.append(
            FixedSetting("columns, vocabularies, scales", f"as read from {source}" if source else "as read", train)
        )
        training = getattr(model, "training", {})
        rows.append(FixedSetting("weights", f"{training.get('parameters', 0):,} parameters", train))
        rows.append(
            FixedSetting("epoch", f"{training.get('best_epoch', '?')} of {training.get('epochs', '?')}", tuning)
        )
        guard = getattr(model, "guard", None)
        if guard is not None:
            by = "the check after training" if model.choice == guard.choice else "hand"
            which = "the debiased one" if model.choice == "debiased" else "the one without debiasing"
            rows.append(FixedSetting("which of two networks predicts", f"{which}, by {by}", f"{train}, {tuning}"))
    rows.append(FixedSetting("threshold", _threshold(points), tuning))
    lines = kept_line(model, record)
    if lines:
        rows.append(FixedSetting("recalibration", _line(lines), tuning))
    corrected = record.calibrations.get(getattr(model, "choice", ""), ()) if record is not None else ()
    if corrected:
        rows.append(FixedSetting("correction of the risks given out", _corrections(corrected), tuning))
    if baselines:
        rows.append(FixedSetting(", ".join(baselines), _fitted(record, judged.graph.schema), f"{train}, {tuning}"))
    elif why:
        rows.append(FixedSetting("gradient boosting, logistic regression", f"none: {why}", DASH))
    whom = f"the {count(sum(one.patients for one in judged.populations), 'patient')} judged"
    rows.append(FixedSetting("figures, intervals, slices", "worked out; nothing is chosen", whom))
    return rows


DASH = "–"


def _whom(record: RunRecord | None, split: str) -> str:
    word = "training" if split == "train" else "tuning"
    number = record.cohort.get("splits", {}).get(split) if record is not None else None
    return f"{number:,} {word} patients" if number is not None else f"{word} patients"


def _fitted(record: RunRecord | None, schema: CohortSchema) -> str:
    """How baselines came about, in a large cohort on a part of its patients."""
    most = most_rows(schema)
    numbers = [
        record.cohort.get("splits", {}).get(split, 0) if record is not None else 0 for split in ("train", "tuning")
    ]
    if max(numbers) <= most:
        return "fitted, their size or penalty chosen"
    return (
        f"fitted, their size or penalty chosen, each on {most:,} of these drawn at random, whose table fits in memory"
    )


def _threshold(points: list[OperatingPoint]) -> str:
    if len(points) > 1:
        known = sum(not point.reason for point in points)
        return f"one per target, for {known} of {len(points)}, each to find {percent(points[0].target, 0)}"
    point = points[0]
    if point.reason:
        return point.reason
    return f"{percent(point.threshold)}, to find {percent(point.target, 0)} of those with the outcome"


def _corrections(kept: tuple[Calibration, ...]) -> str:
    words = {"none": "none", "logistic": "a line on log-odds", "isotonic": "a rising curve"}
    parts = []
    for each in kept:
        losses = ", ".join(f"{name} {number(loss, 4)}" for name, loss in each.losses.items())
        why = each.reason or (f"log loss out of fold: {losses} nats" if losses else "")
        parts.append(f"{each.outcome + ': ' if len(kept) > 1 else ''}{words[each.method]}{f' ({why})' if why else ''}")
    return "; ".join(parts)


def _line(lines: tuple[RecalibrationLine, ...]) -> str:
    if len(lines) > 1:
        known = sum(not line.reason for line in lines)
        return f"a line per target, for {known} of {len(lines)}"
    line = lines[0]
    if line.reason:
        return line.reason
    sign = "+" if line.intercept >= 0 else "−"
    formula = f"log-odds × {number(line.slope, 2)} {sign} {number(abs(line.intercept), 2)}"
    return f"{formula}; shown beside the risks as they are"
