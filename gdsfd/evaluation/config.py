"""Settings of an evaluation: resamples, level of intervals, thresholds, and what is large enough to be judged."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any

from gdsfd.evaluation.metrics.metric import Metric, built_in_metrics
from gdsfd.setting_checks import Number, Whole, check_fields

__all__ = ["EvaluationConfig"]


@dataclass(frozen=True)
class EvaluationConfig:
    """How figures are made.

    Args:
        resamples: Bootstrap resamples of subjects, up to 100,000; at least 20 (below it there is no interval).
        seed: Of the local generators, from 0 to 4,294,967,295.
        level: Coverage of the intervals, above 0 and below 1.
        sensitivity: Sensitivity at which the threshold is fixed on the tuning rows, above 0 and below 1.
        min_patients: A slice of fewer labelled patients gets no figure; from 1 to 1,000,000,000.
        min_per_class: A slice of fewer positives, or negatives, gets no ranking figure; from 1 to 1,000,000,000.
        bins: Bins of the calibration curve, from 2 to 1,000.
        metrics: Given beside the built-in metrics.

    Raises:
        InputError: A value of a wrong type or out of its bounds.
    """

    resamples: Annotated[int, Whole(0, 100_000)] = 1000
    seed: Annotated[int, Whole(0, 2**32 - 1)] = 0
    level: Annotated[float, Number(0, 1, above=True, below=True)] = 0.95
    sensitivity: Annotated[float, Number(0, 1, above=True, below=True)] = 0.8
    min_patients: Annotated[int, Whole(1, 1_000_000_000)] = 30
    min_per_class: Annotated[int, Whole(1, 1_000_000_000)] = 5
    bins: Annotated[int, Whole(2, 1000)] = 10
    metrics: tuple[Metric, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self, "evaluate:")

    @property
    def all_metrics(self) -> tuple[Metric, ...]:
        """The built-in metrics and the further ones."""
        return built_in_metrics() + self.metrics

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy: all but the metrics, which stand in the files with their values."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "metrics"}
