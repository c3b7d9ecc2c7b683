"""All figures of times to an event: several models, side by side on the same patients and the same resamples."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import SurvivalFields
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate, percentile_interval
from gdsfd.evaluation.metrics.metric_set import FEWEST_RESAMPLES
from gdsfd.evaluation.survival.brier import brier_over_time, integrated_brier
from gdsfd.evaluation.survival.calibration import CalibrationGroup, calibration_groups, excess_risk, groups_by_risk
from gdsfd.evaluation.survival.concordance import harrell, uno
from gdsfd.evaluation.survival.kaplan_meier import kaplan_meier
from gdsfd.evaluation.targets import rows_of_split
from gdsfd.graph.from_cohort import FOLLOW_UP
from gdsfd.training.survival_curve import risk_of, survival_at

__all__ = ["FEWEST_EVENTS", "FIGURES", "SurvivalScores", "SurvivalSplit", "Third", "judge_splits", "judge_survival"]

Floats = NDArray[np.float64]
Points = tuple[tuple[float, float], ...]

#: Figures in the order of tables, and what they are called.
FIGURES = {
    "uno": "concordance (Uno)",
    "harrell": "concordance (Harrell)",
    "integrated_brier": "integrated Brier score",
    "brier_skill": "better than one curve for all",
    "excess_risk": "predicted less observed risk at the horizon",
}
_NO_PAIR = "no two patients of whom it is known who had the event first"
_NOT_FOLLOWED = "nobody is followed to the horizon"
_NO_EVENT = "nobody has the event up to the horizon, so one curve for all is never wrong"
#: Why a figure is not defined.
_UNDEFINED = {name: _NO_PAIR if name in ("uno", "harrell") else _NOT_FOLLOWED for name in FIGURES}
#: The fewest subjects with the event, and the fewest without, for intervals: with them percentiles of resamples cover
#: the true figure in 90 % of samples or more (tests/evaluation/survival/test_judge_survival.py).
FEWEST_EVENTS = 20
#: Times that the Brier score is worked out at.
_GRID = 50
#: Of more patient pairs than this the concordance is worked out in fewer resamples.
_MOST_PAIRS = 20_000_000
_FEWER_RESAMPLES = 100


@dataclass(frozen=True)
class Third:
    """A third of the patients by risk.

    Args:
        patients: How many.
        observed: Kaplan-Meier curve: times and shares free of the event, where it steps.
        predicted: Mean predicted curve, at the cut points.
    """

    patients: int
    observed: Points
    predicted: Points


@dataclass(frozen=True)
class SurvivalScores:
    """One model.

    Args:
        estimates: Figure of :data:`FIGURES` -> its value with an interval.
        resampled: The same in every resample; [R] each.
        brier: Times and Brier scores.
        groups: Calibration at the horizon, by tenths of risk.
        thirds: From the lowest risks to the highest.
    """

    estimates: dict[str, Estimate]
    resampled: dict[str, Floats]
    brier: Points
    groups: list[CalibrationGroup]
    thirds: list[Third]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy without curves; NaN stays NaN."""
        return {
            **{name: one.to_dict() for name, one in self.estimates.items()},
            "brier": [{"time": time, "value": value} for time, value in self.brier],
            "calibration": [vars(one) for one in self.groups],
        }


@dataclass(frozen=True)
class SurvivalSplit:
    """All models on one split.

    Args:
        split: Its name.
        fields: The intervals judged: the model's, up to the last end that anybody is followed to.
        patients: Labelled ones.
        events: Of them, those who were seen to have the event up to the horizon.
        scores: Model -> its figures; the one judged comes first.
        differences: Model -> figure -> the judged model's less that model's.
    """

    split: str
    fields: SurvivalFields
    patients: int
    events: int
    scores: dict[str, SurvivalScores]
    differences: dict[str, dict[str, Estimate]]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; NaN stays NaN."""
        return {
            "patients": self.patients,
            "events": self.events,
            "horizon": self.fields.horizon,
            "models": {name: one.to_dict() for name, one in self.scores.items()},
            "differences": {
                name: {figure: one.to_dict() for figure, one in found.items()}
                for name, found in self.differences.items()
            },
        }


def judge_splits(
    graph: Any, splits: Sequence[str], models: Mapping[str, Any], rules: EvaluationConfig
) -> tuple[SurvivalSplit, ...]:
    """Judges models on splits of a graph; nothing where its outcome is no time to an event.

    Args:
        graph: The graph.
        splits: Splits to judge on.
        models: The models, with ``predict_proba`` giving hazards; the first is the one judged.
        rules: How figures are made.
    """
    fields, found = graph.schema.survival, []
    for split in splits if fields is not None else ():
        rows = rows_of_split(graph, split)
        subjects = np.asarray(graph["patient"].subject, dtype=str)[rows]
        bootstrap = SubjectBootstrap(subjects.tolist(), rules.resamples, rules.seed)
        time, event = (graph["patient"][key].numpy()[rows].astype(np.float64) for key in FOLLOW_UP)
        hazards = {
            name: np.asarray(model.predict_proba(graph, split=split), dtype=np.float64)
            for name, model in models.items()
        }
        judged = judge_survival(fields, time, event, hazards, bootstrap, rules.level, split)
        if judged.fields != fields:
            warnings.warn(
                f"split {split!r}: nobody is followed to the horizon of {fields.name!r}, "
                f"{fields.spelled(fields.horizon)}; judged up to {fields.spelled(judged.fields.horizon)}",
                stacklevel=3,
            )
        found.append(judged)
    return tuple(found)


def judge_survival(
    fields: SurvivalFields,
    time: Floats,
    event: Floats,
    hazards: Mapping[str, Floats],
    bootstrap: SubjectBootstrap,
    level: float = 0.95,
    split: str = "test",
) -> SurvivalSplit:
    """Judges models by the patients of a split.

    Where nobody is followed to the horizon, as at a hospital that began later, they are judged up to the last end of an
    interval that anybody is followed to, if that is the second or a later one.

    Args:
        fields: The intervals.
        time: Times of event or end of follow-up, NaN = unlabelled; [n].
        event: 1 = event, 0 = censored; [n].
        hazards: Model -> hazards of the intervals; [n, J] each.
        bootstrap: Resamples of the subjects of these patients.
        level: Coverage of the intervals.
        split: The split's name.
    """
    rows = np.flatnonzero(np.isfinite(time))
    t, happened = time[rows], event[rows]
    ends = _intervals_followed(fields, t, happened)
    fields = replace(fields, cuts=fields.cuts[:ends])
    hazards = {name: own[:, :ends] for name, own in hazards.items()}
    early = (happened == 1) & (t <= fields.horizon)
    with_event, without = (len(np.unique(bootstrap.code[rows[mask]])) for mask in (early, ~early))
    reason = _why_no_interval(with_event, without, bootstrap.resamples)
    scores = {
        name: _scores(fields, t, happened, own[rows], bootstrap, rows, level, reason) for name, own in hazards.items()
    }
    judged, *others = scores
    differences = {
        other: {figure: _difference(scores[judged], scores[other], figure, level, reason) for figure in FIGURES}
        for other in others
    }
    return SurvivalSplit(split, fields, len(rows), int(early.sum()), scores, differences)


def _intervals_followed(fields: SurvivalFields, time: Floats, event: Floats) -> int:
    """How many intervals anybody is followed through; all of them where that is fewer than two."""
    cuts = np.asarray(fields.cuts)
    followed = kaplan_meier(time, event, censoring=True).at(cuts, before=True)[0] > 0
    reached = int(followed.sum()) if len(time) else 0
    return reached if reached >= 2 else len(cuts)


def _scores(
    fields: SurvivalFields,
    time: Floats,
    event: Floats,
    hazards: Floats,
    bootstrap: SubjectBootstrap,
    rows: NDArray[np.int64],
    level: float,
    reason: str,
) -> SurvivalScores:
    if not len(time):
        none = Estimate.undefined("no labelled patient")
        return SurvivalScores(dict.fromkeys(FIGURES, none), {}, (), [], [])
    grid = fields.horizon * np.arange(1, _GRID + 1) / _GRID
    risk, survival, at_end = risk_of(hazards), survival_at(fields, hazards, grid), survival_at(fields, hazards, None)
    by_horizon = 1 - at_end[:, -1]
    # Resamples in chunks, the first of which also gives the figures themselves.
    parts = [_figures(fields, time, event, risk, survival, by_horizon, grid, np.ones((1, len(time))))]
    many = (event == 1).sum() * len(time) > _MOST_PAIRS
    drawn = bootstrap.first(_FEWER_RESAMPLES) if many else bootstrap
    parts += [
        _figures(fields, time, event, risk, survival, by_horizon, grid, weights) for _, weights in drawn.weights(rows)
    ]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in FIGURES}
    resampled = {name: values[1:] for name, values in whole.items()}
    undefined = dict(_UNDEFINED)
    if math.isfinite(whole["integrated_brier"][0]):
        undefined["brier_skill"] = _NO_EVENT
    estimates = {
        name: _estimate(float(whole[name][0]), resampled[name], level, reason, undefined[name]) for name in FIGURES
    }
    brier = brier_over_time(time, event, survival, grid)[0]
    return SurvivalScores(
        estimates,
        resampled,
        tuple((float(a), float(b)) for a, b in zip(grid, brier) if math.isfinite(b)),
        calibration_groups(time, event, by_horizon, fields.horizon),
        [_third(fields, time[part], event[part], at_end[part]) for part in groups_by_risk(risk, 3)],
    )


def _figures(
    fields: SurvivalFields,
    time: Floats,
    event: Floats,
    risk: Floats,
    survival: Floats,
    by_horizon: Floats,
    grid: Floats,
    weights: Floats,
) -> dict[str, Floats]:
    brier = integrated_brier(brier_over_time(time, event, survival, grid, weights), grid)
    # One curve for everybody, the Kaplan-Meier curve of these very patients: no other could do better.
    alike = np.tile(kaplan_meier(time, event).at(grid), (len(time), 1))
    constant = integrated_brier(brier_over_time(time, event, alike, grid, weights), grid)
    return {
        "uno": uno(time, event, risk, fields.horizon, weights),
        "harrell": harrell(time, event, risk, weights),
        "integrated_brier": brier,
        "brier_skill": 1 - np.divide(brier, constant, out=np.full_like(brier, np.nan), where=constant > 0),
        "excess_risk": excess_risk(time, event, by_horizon, fields.horizon, weights),
    }


def _third(fields: SurvivalFields, time: Floats, event: Floats, survival: Floats) -> Third:
    curve = kaplan_meier(time, event)
    within = curve.times <= min(fields.horizon, time.max())
    observed = [(0.0, 1.0), *zip(curve.times[within].tolist(), curve.values[0, 1:][within].tolist())]
    end = float(min(fields.horizon, time.max()))
    observed.append((end, observed[-1][1]))
    predicted = ((0.0, 1.0), *zip(fields.cuts, survival.mean(0).tolist()))
    return Third(len(time), tuple(observed), predicted)


def _why_no_interval(with_event: int, without: int, resamples: int) -> str:
    if resamples < FEWEST_RESAMPLES:
        return f"no interval: fewer than {FEWEST_RESAMPLES} resamples"
    for found, words in ((with_event, "with the event"), (without, "without the event up to the horizon")):
        if found < FEWEST_EVENTS:
            subjects = "1 subject" if found == 1 else f"{found} subjects"
            return f"only {subjects} {words}: no interval below {FEWEST_EVENTS}"
    return ""


def _estimate(value: float, resampled: Floats, level: float, reason: str, undefined: str = "") -> Estimate:
    if not math.isfinite(value):
        return Estimate.undefined(undefined)
    if reason:
        return Estimate(value, reason=reason)
    return Estimate(value, *percentile_interval(resampled, level))


def _difference(ours: SurvivalScores, theirs: SurvivalScores, figure: str, level: float, reason: str) -> Estimate:
    value = ours.estimates[figure].value - theirs.estimates[figure].value
    if figure not in ours.resampled or not math.isfinite(value):
        return Estimate.undefined("one of the two has no such figure")
    return _estimate(value, ours.resampled[figure] - theirs.resampled[figure], level, reason)
