"""The section "Figures": what every model reaches on every split, as tables, curves and slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, cycle
from typing import Any

from markupsafe import Markup

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.assess import SplitResult, compared_metrics
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext
from gdsfd.evaluation.report.svg import ForestAxis, Line, forest_cell, forest_header, line_plot
from gdsfd.evaluation.report.tables import mean_name, prevalence
from gdsfd.evaluation.subgroups.slices import kind_word
from gdsfd.evaluation.survival.judge_survival import SurvivalSplit

__all__ = ["Figures", "FiguresSection"]

#: CSS classes of the curves: the model judged, then what it is compared with. From the seventh of these on they recur.
JUDGED = "model"
COMPARED = ("first", "second", "third", "fourth", "fifth", "sixth")

KIND_TITLES = {
    "environment": "By environment",
    "pattern": "By missingness pattern",
    "observed": "By number of modalities observed",
    "modality": "With and without each modality",
}


@dataclass(frozen=True)
class Figures:
    """The figures of every split, and what the models are called.

    Args:
        results: One per split; the first is the headline.
        labels: Model -> what tables call it.
        survival: Of a time to an event its figures, split by split.
    """

    results: tuple[SplitResult, ...]
    labels: Mapping[str, str]
    survival: tuple[SurvivalSplit, ...] = ()


@SECTIONS.register("figures")
class FiguresSection(Section[Figures]):
    """Split by split: all models side by side, then target by target curves, threshold and slices."""

    name = "figures"
    title = "Figures"
    template = "figures.html"

    def judge(self, context: SectionContext) -> Figures:
        return Figures(context.results, context.labels)

    def fill(self, data: Figures, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        own = [metric for metric in config.metrics if metric.compared and metric.higher_is_better is not None]
        return {
            "splits": [_split(one, data.labels, config) for one in data.results],
            "gap_words": {metric.name: metric.label for metric in config.all_metrics if metric.in_gaps},
            "own_directions": own,
        }


def _styles() -> Iterator[str]:
    return chain([JUDGED], cycle(COMPARED))


def _split(result: SplitResult, labels: Mapping[str, str], rules: EvaluationConfig) -> dict[str, Any]:
    """Everything shown of one split."""
    several = len(result.names) > 1
    models = list(zip(result.arms, _styles()))
    rows: list[dict[str, Any]] = []
    mean = mean_name(result.model.overall, len(result.names))
    for name, style in models:
        arm = result.arms[name]
        scored = [(mean, arm.overall)] if several else []
        for target, found in [*scored, *zip(result.names, arm.targets)]:
            rows.append({"model": labels[name], "style": style, "target": target, "figures": found})
    rows.sort(key=lambda row: [mean, *result.names].index(row["target"]))
    metrics = compared_metrics(rules, "accuracy" in result.model.overall.estimates)
    return {
        "name": result.split,
        "n": result.n,
        "labelled": result.model.overall.n,
        "subjects": result.subjects,
        "mean_of": result.model.overall.mean_of,
        "several": several,
        "rows": rows,
        "differences": {labels[name]: found for name, found in result.differences.items()},
        "figures": {metric.name: metric.label for metric in metrics},
        "digits": {metric.name: metric.digits for metric in metrics},
        "legend": [{"label": labels[name], "style": style} for name, style in models],
        "targets": [_target(result, number, labels, rules) for number in range(len(result.names))],
    }


def _target(result: SplitResult, number: int, labels: Mapping[str, str], rules: EvaluationConfig) -> dict[str, Any]:
    scored = result.model.targets[number]
    others = list(result.arms)[1:]
    kinds: list[dict[str, Any]] = []
    for kind in dict.fromkeys(one.kind for one in result.slices[number]):
        places = [at for at, one in enumerate(result.slices[number]) if one.kind == kind]
        rows = [_slice_row(result, number, at, others, rules) for at in places]
        kinds.append(
            {
                "kind": kind,
                "title": KIND_TITLES.get(kind, f"By {kind_word(kind)}"),
                "rows": [row for row in rows if row["brier"].defined],
                "unshown": [row for row in rows if not row["brier"].defined],
                "gaps": [gap for gap in result.model.gaps[number] if gap.kind == kind],
            }
        )
    estimates = [row["auroc"] for kind in kinds for row in kind["rows"]] + [scored["auroc"]]
    axis = ForestAxis.around(estimates, scored["auroc"].value)
    for block in kinds:
        for row in block["rows"]:
            row["cell"] = Markup(forest_cell(axis, row["auroc"], row["other"]))
    return {
        "name": result.names[number],
        "scored": scored,
        "point": result.model.points[number],
        "all_cell": Markup(forest_cell(axis, scored["auroc"], _first(result, number, others))),
        "axis": Markup(forest_header(axis)),
        "other": labels[others[0]] if others else "",
        "plots": _plots(result, number),
        "at_threshold": [metric for metric in rules.all_metrics if metric.at_threshold],
        "own": [metric for metric in rules.metrics if metric.in_slices],
        "kinds": kinds,
    }


def _first(result: SplitResult, number: int, others: list[str]) -> Estimate | None:
    return result.arms[others[0]].targets[number]["auroc"] if others else None


def _slice_row(result: SplitResult, target: int, at: int, others: list[str], rules: EvaluationConfig) -> dict[str, Any]:
    one, found = result.slices[target][at], result.model.slices[target][at]
    reasons = dict.fromkeys(found[name].reason for name in ("auroc", "brier", "tpr", "fpr") if found[name].reason)
    return {
        "name": one.name,
        "pooled": one.pooled,
        "n": found.n,
        "positives": found.positives,
        "share": prevalence(found),
        "other": result.arms[others[0]].slices[target][at]["auroc"] if others else None,
        "difference": result.slice_differences[others[0]][target][at] if others else None,
        "reason": "; ".join(reasons),
        **{metric.name: found[metric.name] for metric in rules.all_metrics if metric.in_slices},
    }


def _plots(result: SplitResult, target: int) -> list[dict[str, Any]]:
    """ROC, precision-recall and calibration; the judged model is drawn last, on top."""
    curves = [(style, arm.curves[target]) for style, arm in zip(_styles(), result.arms.values())][::-1]
    share = prevalence(result.model.targets[target])
    top = max((value for _, curve in curves for point in curve["calibration"] for value in point), default=1.0)
    top = next(limit for limit in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0) if top <= limit)
    diagonal, level = [(0.0, 0.0), (1.0, 1.0)], [(0.0, share), (1.0, share)]
    roc = [Line(curve["roc"], style) for style, curve in curves if curve["roc"]]
    pr = [Line(curve["pr"], style, steps=True) for style, curve in curves if curve["pr"]]
    calibration = [Line(curve["calibration"], style, curve["count"]) for style, curve in curves]
    return [
        {
            "title": "ROC curve",
            "note": "Share found against share falsely flagged, for every threshold. Up and left is better.",
            "svg": Markup(line_plot(roc, "false positive rate", "sensitivity", "ROC curve", 1.0, diagonal)),
        },
        {
            "title": "Precision and recall",
            "note": "Of those flagged, how many had the outcome. The grey line is the prevalence.",
            "svg": Markup(line_plot(pr, "sensitivity (recall)", "precision", "Precision-recall curve", 1.0, level)),
        },
        {
            "title": "Calibration",
            "note": "Patients in ten groups by predicted risk. On the grey line, risks can be taken at face value.",
            "svg": Markup(line_plot(calibration, "predicted risk", "observed share", "Calibration", top, diagonal)),
        },
    ]
