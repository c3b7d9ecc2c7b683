"""The figures as a nested dict (``metrics.json``) and as one long table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from gdsfd._version import __version__
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.evaluation.assess import ModelResult, SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.metric import Metric
from gdsfd.evaluation.metrics.metric_set import MetricSet
from gdsfd.evaluation.subgroups.slices import Slice
from gdsfd.evaluation.targets import task_of

__all__ = ["MEAN", "headline_rows", "long_rows", "mean_name", "metrics_of", "prevalence"]

LONG_COLUMNS = (
    "split", "model", "target", "kind", "slice", "n", "positives", "metric", "value", "low", "high", "reason"
)  # fmt: skip

#: Stands for the mean over several targets.
MEAN = "mean over targets"


def mean_name(scored: MetricSet, targets: int) -> str:
    """What the mean over targets is called: with how many of them, where some have one class only here.

    Args:
        scored: The mean.
        targets: All targets.
    """
    return MEAN if len(scored.mean_of) == targets else f"mean of {len(scored.mean_of)} of {targets} targets"


def metrics_of(
    results: Sequence[SplitResult], schema: CohortSchema, rules: EvaluationConfig, file_format: str
) -> dict[str, Any]:
    """The nested dict.

    Args:
        results: One per split; the first gives the headline figures on top.
        schema: The graph's schema.
        rules: How figures were made.
        file_format: Marks the file.

    Raises:
        InputError: A metric has the name of another entry.
    """
    first = results[0]
    headline = first.model.overall
    figures = {
        "format": file_format,
        "format_version": 1,
        "gdsfd_version": __version__,
        "task": task_of(schema),
        "outcomes": [{"name": outcome.name, "classes": list(outcome.classes)} for outcome in schema.outcomes],
        "targets": list(first.names),
        "rules": rules.to_dict(),
        "split": first.split,
        "n": first.n,
        "labelled": headline.n,
        "positives": headline.positives,
        "prevalence": prevalence(headline),
        "mean_of": list(headline.mean_of) or None,
    }
    taken = [name for name in headline.estimates if name in figures or name == "splits"]
    if taken:
        raise InputError(f"metric {taken[0]!r}: metrics.json has another entry of this name; choose another for it")
    values = {name: estimate.value for name, estimate in headline.estimates.items()}
    return {**figures, **values, "splits": {one.split: _split(one) for one in results}}


def prevalence(scored: MetricSet) -> float:
    """Share of positives, NaN of nobody; of a mean over targets the mean of their shares."""
    return scored.prevalence


def _split(result: SplitResult) -> dict[str, Any]:
    return {
        "n": result.n,
        "labelled": result.model.overall.n,
        "subjects": result.subjects,
        "mean_of": list(result.model.overall.mean_of) or None,
        "models": {name: _arm(arm, result) for name, arm in result.arms.items()},
        "differences": {
            name: {figure: estimate.to_dict() for figure, estimate in figures.items()}
            for name, figures in result.differences.items()
        },
    }


def _arm(arm: ModelResult, result: SplitResult) -> dict[str, Any]:
    targets = {}
    for number, name in enumerate(result.names):
        targets[name] = {
            **_counts(arm.targets[number]),
            "threshold": asdict(arm.points[number]),
            "metrics": _figures(arm.targets[number]),
            "calibration": {"points": arm.curves[number]["calibration"], "count": arm.curves[number]["count"]},
            "slices": [
                {"kind": one.kind, "name": one.name, "pooled": one.pooled, **_counts(found), "metrics": _figures(found)}
                for one, found in zip(result.slices[number], arm.slices[number])
            ],
            "gaps": [
                {**{key: value for key, value in asdict(gap).items() if key != "estimate"}, **gap.estimate.to_dict()}
                for gap in arm.gaps[number]
            ],
        }
    return {"metrics": _figures(arm.overall), "targets": targets}


def _counts(scored: MetricSet) -> dict[str, Any]:
    return {"n": scored.n, "positives": scored.positives, "prevalence": prevalence(scored)}


def _figures(scored: MetricSet) -> dict[str, Any]:
    return {name: estimate.to_dict() for name, estimate in scored.estimates.items()}


def headline_rows(
    results: Sequence[SplitResult], labels: Mapping[str, str], metrics: Sequence[Metric] = ()
) -> list[dict[str, Any]]:
    """The short table: one row per split, model and (when there are several) target.

    Args:
        results: One per split.
        labels: Model -> what it is called in the table.
        metrics: Those beside the built-in ones; they stand last.
    """
    rows = []
    for result in results:
        several = len(result.names) > 1
        for model, arm in result.arms.items():
            scored = [(mean_name(arm.overall, len(result.names)), arm.overall)] if several else []
            for target, found in [*scored, *zip(result.names, arm.targets)]:
                row: dict[str, Any] = {"split": result.split, "model": labels.get(model, model)}
                if several:
                    row["target"] = target
                row |= {"n": found.n, "positives": found.positives, "prevalence": prevalence(found)}
                for figure in ("auroc", "auprc"):
                    estimate = found[figure]
                    row |= {figure: estimate.value, f"{figure}_low": estimate.low, f"{figure}_high": estimate.high}
                row |= {figure: found[figure].value for figure in ("brier", "log_loss", "ece")}
                for metric in metrics:
                    estimate, name = found[metric.name], metric.name
                    row |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
                rows.append(row)
    return rows


def long_rows(results: Sequence[SplitResult], labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """The long table: one row per figure.

    Args:
        results: One per split.
        labels: Model -> what it is called in the table.
    """
    rows = [dict(zip(LONG_COLUMNS, row)) for result in results for row in _rows(result)]
    return [{**row, "model": labels.get(row["model"], row["model"])} for row in rows]


def _rows(result: SplitResult) -> Iterator[tuple[Any, ...]]:
    for model, arm in result.arms.items():
        scored = list(zip(result.names, arm.targets))
        if len(result.names) > 1:
            scored.insert(0, (mean_name(arm.overall, len(result.names)), arm.overall))
        for target, found in scored:
            for figure, estimate in found.estimates.items():
                yield result.split, model, target, "all", "", found.n, found.positives, figure, *_numbers(estimate)
        for target, slices, figures in zip(result.names, result.slices, arm.slices):
            yield from _slice_rows(result.split, model, target, slices, figures)
    overall = result.model.overall
    target = mean_name(overall, len(result.names)) if len(result.names) > 1 else result.names[0]
    for model, differences in result.differences.items():
        for figure, estimate in differences.items():
            counts = (overall.n, overall.positives)
            yield result.split, model, target, "difference", "", *counts, figure, *_numbers(estimate)


def _slice_rows(
    split: str, model: str, target: str, slices: Sequence[Slice], figures: Sequence[MetricSet]
) -> Iterator[tuple[Any, ...]]:
    for one, found in zip(slices, figures):
        for figure, estimate in found.estimates.items():
            yield split, model, target, one.kind, one.name, found.n, found.positives, figure, *_numbers(estimate)


def _numbers(estimate: Estimate) -> tuple[float, float, float, str]:
    return estimate.value, estimate.low, estimate.high, estimate.reason
