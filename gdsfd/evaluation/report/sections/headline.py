"""The top of the page: what was predicted, on whom it was judged, and four figures."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.numbers import number, spelled
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext
from gdsfd.evaluation.report.sections.figures import Figures
from gdsfd.evaluation.report.tables import mean_name, prevalence
from gdsfd.evaluation.survival.judge_survival import SurvivalSplit

__all__ = ["Headline"]


@SECTIONS.register("headline")
class Headline(Section[Figures]):
    """The judged model on the first split."""

    name = "headline"
    title = "Predicting"
    template = "headline.html"

    def judge(self, context: SectionContext) -> Figures:
        return Figures(context.results, context.labels, context.survival)

    def fill(self, data: Figures, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        return {
            "outcomes": _outcomes(schema),
            "model": data.labels["model"],
            "split": data.results[0],
            "labelled": data.survival[0].patients if data.survival else data.results[0].model.overall.n,
            "level": config.level,
            "tiles": _survival_tiles(data.survival[0]) if data.survival else _tiles(data.results[0]),
        }


def _outcomes(schema: CohortSchema) -> str:
    if schema.survival is not None:
        return f"the time to {spelled(schema.survival.name)}"
    return ", ".join(spelled(outcome.name) for outcome in schema.outcomes)


def _survival_tiles(split: SurvivalSplit) -> list[dict[str, str]]:
    """Of a time to an event."""
    estimates = next(iter(split.scores.values())).estimates
    notes = {
        "uno": ("Concordance (Uno)", "0.5 is chance, 1 is perfect"),
        "integrated_brier": ("Integrated Brier score", "0 is perfect"),
        "brier_skill": ("Better than one curve for all", "0 is no better, 1 is perfect"),
        "excess_risk": ("Predicted less observed risk", "at the horizon; 0 is perfect"),
    }
    return [
        {"name": name, "value": number(estimates[key].value), "ends": _ends(estimates[key]), "note": note}
        for key, (name, note) in notes.items()
    ]


def _tiles(result: SplitResult) -> list[dict[str, str]]:
    """The four figures at the top."""
    scored = result.model.overall
    single = len(result.names) == 1
    mean = mean_name(scored, len(result.names))
    tiles: list[dict[str, Any]] = [
        {
            "name": "AUROC",
            "estimate": scored["auroc"],
            "note": "0.5 is chance, 1 is perfect" + ("" if single else f"; {mean}"),
        },
        {
            "name": "Average precision",
            "estimate": scored["auprc"],
            "note": f"{number(prevalence(scored))} is chance (the prevalence)"
            if single
            else f"{mean}; {number(prevalence(scored))} is chance (their mean prevalence)",
        },
        {
            "name": "Brier score",
            "estimate": scored["brier"],
            "note": f"{number(prevalence(scored) * (1 - prevalence(scored)))} for always saying the prevalence"
            if single
            else f"{mean}; smaller is better",
        },
        {
            "name": "Calibration error",
            "estimate": scored["ece"],
            "note": f"up to {number(scored['ece_by_chance'].value)} by chance alone" + ("" if single else f"; {mean}"),
        },
    ]
    return [{**tile, "value": number(tile["estimate"].value), "ends": _ends(tile["estimate"])} for tile in tiles]


def _ends(estimate: Estimate) -> str:
    if estimate.has_interval:
        return f"{number(estimate.low)} to {number(estimate.high)}"
    return estimate.reason
