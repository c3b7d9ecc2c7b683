"""The section on times to an event: ranking, Brier scores and calibration with censored patients, and curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gdsfd.cohort.schema import CohortSchema, SurvivalFields
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.numbers import count, interval, number, per_hundred, percent, spelled
from gdsfd.evaluation.report.section import SECTIONS, Paragraph, Section, SectionContext
from gdsfd.evaluation.report.svg import Line, line_plot
from gdsfd.evaluation.report.time_plot import time_plot
from gdsfd.evaluation.survival.judge_survival import FIGURES, SurvivalScores, SurvivalSplit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Survival", "SurvivalSection"]

_THIRDS = ("lowest third of risks", "middle third", "highest third")
_STYLES = ("first", "second", "model")


@dataclass(frozen=True)
class Survival:
    """All models on all splits.

    Args:
        splits: One entry per split; the first is the headline.
        labels: Model -> what tables call it.
    """

    splits: tuple[SurvivalSplit, ...]
    labels: Mapping[str, str]

    def to_frame(self) -> pd.DataFrame:
        """One row per split and model: patients, events up to the horizon, and each figure with its interval's ends
        (``_low``, ``_high``).
        """
        import pandas as pd

        rows = []
        for split in self.splits:
            for name, scores in split.scores.items():
                row: dict[str, Any] = {"split": split.split, "model": self.labels[name]}
                row |= {"patients": split.patients, "events": split.events}
                for figure, one in scores.estimates.items():
                    row |= {figure: one.value, f"{figure}_low": one.low, f"{figure}_high": one.high}
                rows.append(row)
        return pd.DataFrame(rows)


@SECTIONS.register("survival")
class SurvivalSection(Section[Survival]):
    """Of a time to an event: one table, a few sentences, three pictures; of other outcomes nothing."""

    name = "survival"
    title = "Time to the event"
    template = "survival.html"

    def judge(self, context: SectionContext) -> Survival | None:
        return Survival(context.survival, context.labels) if context.survival else None

    def paragraphs(self, data: Survival, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        assert schema.survival is not None
        first = data.splits[0]
        scores = next(iter(first.scores.values()))
        return [
            Paragraph("What is predicted", _what(first, schema.survival)),
            Paragraph("How well it tells who comes first", _ranking(scores)),
            Paragraph("How near its curves are", _brier(scores)),
            Paragraph("Whether its risks can be taken at face value", _calibration(scores, first.fields)),
            Paragraph(
                "What may not be concluded",
                "Concordance and Brier scores make up for censored patients as if they had been like those who were "
                "followed on (censoring that has nothing to do with the event). Where patients leave follow-up because "
                "they get worse, or better, these figures are off, and no figure of this page shows it. Death of "
                "another cause that is coded as censoring is such a reason.",
            ),
        ]

    def fill(self, data: Survival, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        return {
            "words": self.paragraphs(data, schema, config),
            "figures": FIGURES,
            "splits": [_split(one, data.labels, one.fields) for one in data.splits],
        }

    def to_dict(self, data: Survival) -> dict[str, Any]:
        return {"survival": {one.split: one.to_dict() for one in data.splits}}


def _what(split: SurvivalSplit, fields: SurvivalFields) -> str:
    share = f" ({percent(split.events / split.patients)})" if split.patients else ""
    if split.fields != fields:
        return (
            f"The time until {spelled(fields.name)}, as a curve: the chance to be free of it at every time up to "
            f"{fields.spelled(fields.horizon)}. None of the {count(split.patients, 'patient')} judged is followed for "
            f"so long, so figures are of the time up to {fields.spelled(split.fields.horizon)}; {split.events:,}"
            f"{share} were seen to have it by then. Of later times nothing is known here."
        )
    return (
        f"The time until {spelled(fields.name)}, as a curve: the chance to be free of it at every time up to "
        f"{fields.spelled(fields.horizon)}. Of {count(split.patients, 'patient')} {split.events:,}{share} were seen to "
        "have it by then; the others outlived that time, or were followed for a shorter one (censored). The model "
        f"learned the hazards of {len(fields.cuts)} intervals; the tables further down have the intervals one by one, "
        "each among those at risk when it begins."
    )


def _ranking(scores: SurvivalScores) -> str:
    uno = scores.estimates["uno"]
    if not uno.defined:
        return f"This cannot be said: {uno.reason}."
    return (
        f"Take two patients: in {per_hundred(uno.value)} of 100 such pairs the one who had the event first was given "
        f"the higher risk; a coin would manage 50. Uno's concordance, which does not depend on who was censored, is "
        f"{interval(uno)}; Harrell's, which is quoted more often, {interval(scores.estimates['harrell'])}."
    )


def _brier(scores: SurvivalScores) -> str:
    skill = scores.estimates["brier_skill"]
    if not skill.defined:
        return f"This cannot be said: {skill.reason}."
    better = skill.value >= 0
    return (
        f"The integrated Brier score, the mean squared distance between curve and truth, is "
        f"{interval(scores.estimates['integrated_brier'])} (0 is perfect). It is {percent(abs(skill.value))} "
        f"{'less' if better else 'more'} than that of the best single curve for everybody."
    )


def _calibration(scores: SurvivalScores, fields: SurvivalFields) -> str:
    excess = scores.estimates["excess_risk"]
    if not excess.defined:
        return f"This cannot be said: {excess.reason}."
    way = "higher" if excess.value > 0 else "lower"
    text = (
        f"By {fields.spelled(fields.horizon)} the mean predicted risk is {number(100 * abs(excess.value), 1)} "
        f"percentage points {way} than the observed one"
    )
    if excess.has_interval:
        ends = f"{number(100 * excess.low, 1, True)} to {number(100 * excess.high, 1, True)}"
        text += f" (predicted less observed: {ends})"
    known = [one for one in scores.groups if math.isfinite(one.observed)]
    if known:
        worst = max(known, key=lambda one: abs(one.predicted - one.observed))
        text += (
            f". By tenths of risk it is furthest off where it predicts {percent(worst.predicted, 0)} and "
            f"{percent(worst.observed, 0)} are observed"
        )
    return text + "."


def _split(split: SurvivalSplit, labels: Mapping[str, str], fields: SurvivalFields) -> dict[str, Any]:
    judged = next(iter(split.scores.values()))
    return {
        "name": split.split,
        "patients": split.patients,
        "events": split.events,
        "rows": [{"model": labels[name], "figures": one.estimates} for name, one in split.scores.items()],
        "differences": {labels[name]: found for name, found in split.differences.items()},
        "plots": _plots(judged, fields) if judged.groups else [],
        "legend": [
            {"label": f"{words} ({count(third.patients, 'patient')})", "style": style}
            for words, style, third in zip(_THIRDS, _STYLES, judged.thirds)
        ],
    }


def _plots(scores: SurvivalScores, fields: SurvivalFields) -> list[dict[str, Any]]:
    time = f"time{f' ({fields.unit})' if fields.unit else ''}"
    curves = [Line(third.observed, style, steps=True) for third, style in zip(scores.thirds, _STYLES)]
    curves += [Line(third.predicted, f"{style} thin") for third, style in zip(scores.thirds, _STYLES)]
    known = [one for one in scores.groups if math.isfinite(one.observed)]
    top = max([one.predicted for one in known] + [one.observed for one in known], default=1.0)
    top = next(limit for limit in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if top <= limit + 1e-12)
    points = [(one.predicted, one.observed) for one in known]
    calibration = [Line(points, "model", [one.patients for one in known])]
    highest = max((value for _, value in scores.brier), default=0.25)
    end = fields.horizon
    return [
        {
            "title": "Predicted and observed",
            "note": "Patients in thirds by risk. Steps: observed (Kaplan-Meier). Smooth thin lines: the model's mean "
            "curve. The nearer they lie, the better.",
            "svg": Markup(time_plot(curves, end, time, "free of the event", "Curves by thirds of risk")),
        },
        {
            "title": f"Calibration at {fields.spelled(end)}",
            "note": "Patients in ten groups by predicted risk; observed: one less Kaplan-Meier. On the grey line, "
            "risks can be taken at face value.",
            "svg": Markup(
                line_plot(
                    calibration, "predicted risk", "observed risk", "Calibration", top, [(0.0, 0.0), (1.0, 1.0)]
                )
            ),
        },
        {
            "title": "Brier score over time",
            "note": "The squared distance between curve and truth; 0.25 for always saying one half.",
            "svg": Markup(
                time_plot(
                    [Line(scores.brier, "model")], end, time, "Brier score", "Brier score over time",
                    next(limit for limit in (0.1, 0.2, 0.3, 0.5, 1.0) if highest <= limit or limit == 1.0),
                )
            ),
        },
    ]  # fmt: skip
