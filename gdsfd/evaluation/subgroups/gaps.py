"""How far apart the slices of one kind are: the worst against the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.intervals.combined import difference_interval
from gdsfd.evaluation.intervals.of_metric import interval_of
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.metric import Metric, built_in_metrics
from gdsfd.evaluation.metrics.metric_set import MetricSet
from gdsfd.evaluation.subgroups.slices import Slice
from gdsfd.evaluation.targets import Target

__all__ = ["Gap", "gaps_of"]


@dataclass(frozen=True)
class Gap:
    """The spread of a figure over the slices of one kind.

    The two slices are picked because they are extreme, so a gap is larger than 0 even where nothing is wrong. The
    interval allows for the pick: of k slices, each of the k (k - 1) / 2 pairs is held to its share of what the level
    leaves (Bonferroni), so that whichever pair is picked is covered.

    Args:
        kind: The slices' kind.
        figure: Which figure.
        highest: Name of the slice with the highest figure.
        lowest: Name of the slice with the lowest.
        estimate: Highest less lowest.
        compared: Slices with a figure.
        left_out: Slices without one.
    """

    kind: str
    figure: str
    highest: str
    lowest: str
    estimate: Estimate
    compared: int
    left_out: int


def gaps_of(
    slices: Sequence[Slice],
    scored: Sequence[MetricSet],
    target: Target,
    subject: NDArray[np.int64],
    threshold: float,
    level: float = 0.95,
    metrics: Sequence[Metric] | None = None,
) -> list[Gap]:
    """Gaps between environments and between the values of each group; slices that pool small ones are no environment.

    Args:
        slices: The slices.
        scored: Their figures.
        target: Labels and probabilities of the whole split.
        subject: Number of the subject of every patient of the split; [n].
        threshold: At or above it patients are flagged.
        level: Coverage of the intervals.
        metrics: Those whose spread is wanted; default: the built-in ones of ``in_gaps``.
    """
    spread = [metric for metric in (built_in_metrics() if metrics is None else metrics) if metric.in_gaps]
    gaps = []
    for kind in dict.fromkeys(one.kind for one in slices):
        if kind != "environment" and not kind.startswith("group: "):
            continue
        for metric in spread:
            figure = metric.name
            own = [(one, found) for one, found in zip(slices, scored) if one.kind == kind and not one.pooled]
            known = sorted(
                ((one, found[figure]) for one, found in own if found[figure].defined), key=lambda pair: pair[1].value
            )
            left_out = len(own) - len(known)
            if len(known) < 2:
                reason = f"fewer than two of {len(own)} have a figure"
                gaps.append(Gap(kind, figure, "", "", Estimate.undefined(reason), len(known), left_out))
                continue
            (lowest, low), (highest, high) = known[0], known[-1]
            share = (1 - level) / (len(known) * (len(known) - 1) / 2)

            def wide(one: Slice, found: Estimate, metric: Metric = metric, share: float = share) -> Estimate:
                if not found.has_interval:
                    return found
                here = target.among(one.mask)
                ends = interval_of(metric, found.value, here.y, here.p, subject[here.rows], threshold, 1 - share)
                return Estimate(found.value, *ends)

            gap = _difference(wide(highest, high), wide(lowest, low))
            gaps.append(Gap(kind, figure, highest.name, lowest.name, gap, len(known), left_out))
    return gaps


def _difference(high: Estimate, low: Estimate) -> Estimate:
    """Of two slices that share no patient; subjects in both make the interval wider than need be."""
    value = high.value - low.value
    for one in (high, low):
        if not one.has_interval:
            return Estimate(value, reason=one.reason)
    return Estimate(value, *difference_interval(high, low))
