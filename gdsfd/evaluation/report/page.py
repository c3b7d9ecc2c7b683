"""The report as one self-contained page: figures, pictures and words put into ``report.html`` (a jinja2 template)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from gdsfd._version import __version__
from gdsfd.evaluation.assess import SplitResult, compared_metrics
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.contents import ReportContents
from gdsfd.evaluation.report.numbers import number, spelled
from gdsfd.evaluation.report.page_templates import template
from gdsfd.evaluation.report.population_narrative import population_narrative
from gdsfd.evaluation.report.section import built_sections
from gdsfd.evaluation.report.subgroup_findings import kind_word
from gdsfd.evaluation.report.svg import ForestAxis, Line, forest_cell, forest_header, line_plot
from gdsfd.evaluation.report.tables import mean_name, prevalence

__all__ = ["render"]

#: CSS classes of the curves: the model judged, then what it is compared with.
STYLES = ("model", "first", "second", "third", "fourth", "fifth")

KIND_TITLES = {
    "environment": "By environment",
    "pattern": "By missingness pattern",
    "observed": "By number of modalities observed",
    "modality": "With and without each modality",
}


def render(report: ReportContents) -> str:
    """The page.

    Args:
        report: The report.

    Returns:
        HTML without any reference to another file or site.
    """
    first = report.results[0]
    return template("report.html").render(
        version=__version__,
        title=", ".join(spelled(outcome.name) for outcome in report.schema.outcomes),
        model=report.labels["model"],
        split=first.split,
        task=report.metrics["task"],
        rules=report.rules,
        tiles=_tiles(first),
        gap_words={metric.name: metric.label for metric in report.rules.all_metrics if metric.in_gaps},
        own_directions=[
            metric for metric in report.rules.metrics if metric.compared and metric.higher_is_better is not None
        ],
        sections_before=_sections(report, True),
        sections=_sections(report, False),
        populations=[(one.split, population_narrative(one)) for one in report.populations],
        fixed=report.fixed,
        external=any(one.kind == "new" for one in report.populations),
        splits=[_split(one, report) for one in report.results],
        receipt=report.receipt,
        split_rows=_split_rows(report.receipt),
        presence=_image(report.presence),
        many_modalities=len(report.schema.modalities) > 8,
        training=_flat(report.training or {}),
        baselines={report.labels[name]: _flat(words) for name, words in report.baselines.items() if words},
        environment=report.schema.environment,
    )


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


def _split(result: SplitResult, report: ReportContents) -> dict[str, Any]:
    """Everything shown of one split."""
    several = len(result.names) > 1
    models = list(zip(result.arms, STYLES))
    rows: list[dict[str, Any]] = []
    mean = mean_name(result.model.overall, len(result.names))
    for name, style in models:
        arm = result.arms[name]
        scored = [(mean, arm.overall)] if several else []
        for target, found in [*scored, *zip(result.names, arm.targets)]:
            rows.append({"model": report.labels[name], "style": style, "target": target, "figures": found})
    rows.sort(key=lambda row: [mean, *result.names].index(row["target"]))
    metrics = compared_metrics(report.rules, "accuracy" in result.model.overall.estimates)
    return {
        "name": result.split,
        "n": result.n,
        "labelled": result.model.overall.n,
        "subjects": result.subjects,
        "mean_of": result.model.overall.mean_of,
        "several": several,
        "rows": rows,
        "differences": {report.labels[name]: found for name, found in result.differences.items()},
        "figures": {metric.name: metric.label for metric in metrics},
        "digits": {metric.name: metric.digits for metric in metrics},
        "legend": [{"label": report.labels[name], "style": style} for name, style in models],
        "targets": [_target(result, number, report) for number in range(len(result.names))],
    }


def _target(result: SplitResult, number: int, report: ReportContents) -> dict[str, Any]:
    scored = result.model.targets[number]
    others = list(result.arms)[1:]
    kinds: list[dict[str, Any]] = []
    for kind in dict.fromkeys(one.kind for one in result.slices[number]):
        places = [at for at, one in enumerate(result.slices[number]) if one.kind == kind]
        rows = [_slice_row(result, number, at, others, report.rules) for at in places]
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
        "other": report.labels[others[0]] if others else "",
        "plots": _plots(result, number),
        "at_threshold": [metric for metric in report.rules.all_metrics if metric.at_threshold],
        "own": [metric for metric in report.rules.metrics if metric.in_slices],
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
    curves = [(style, arm.curves[target]) for style, arm in zip(STYLES, result.arms.values())][::-1]
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


def _sections(report: ReportContents, before_figures: bool) -> list[Markup]:
    """The sections that stand above, or below, the figures of the splits."""
    chosen = [each for name, each in built_sections().items() if name in report.sections]
    return [
        each.render(report.sections[each.name], report.schema, report.rules)
        for each in chosen
        if each.before_figures == before_figures
    ]


def _split_rows(receipt: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return list(receipt["tables"].get("splits", [])) if receipt else []


def _image(svg: str | None) -> str:
    """An SVG as a data URI: in an ``<img>`` its ids and styles cannot clash with the page's."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode() if svg else ""


def _flat(words: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """A nested description as name -> text."""
    flat: dict[str, str] = {}
    for key, value in words.items():
        if key == "name":  # stands above the list already
            continue
        name = f"{prefix}{key}".replace("_", " ")
        if isinstance(value, Mapping):
            flat |= _flat(value, "" if key == "config" else f"{name}: ")
        elif isinstance(value, (list, tuple)):
            flat[name] = ", ".join(map(str, value)) or "none"
        elif value is not None:
            flat[name] = f"{value:g}" if isinstance(value, float) else str(value)
    return flat
