"""Resampling subjects, and every figure in all resamples at once.

A resample of subjects is a row of integer weights: how often each subject was drawn. A figure under integer weights is
the figure of the sample in which patients are repeated that often, so one sort of the scores serves all resamples.
Patients of one subject come and go together, which is why intervals are wider than if rows were drawn one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.metrics.formulas import Floats
from gdsfd.evaluation.metrics.metric import Metric, Sample, built_in_metrics, find_metrics

__all__ = ["SubjectBootstrap"]

#: Weights of this many numbers are worked on at a time (8 MiB as float64): more leave the cache, fewer sort too often.
CHUNK = 1 << 20


class SubjectBootstrap:
    """The resamples of one evaluation split; models and slices that share it are paired.

    Args:
        subject: The person each patient belongs to; [n].
        resamples: Number of resamples R.
        seed: Of the local generator; the global one is not touched.

    Example:
        >>> bootstrap = SubjectBootstrap(["a", "a", "b"], resamples=3, seed=0)
        >>> bootstrap.counts.sum(1).tolist()
        [2, 2, 2]
    """

    def __init__(self, subject: Sequence[str], resamples: int = 1000, seed: int = 0) -> None:
        people, code = np.unique(np.asarray(subject, dtype=str), return_inverse=True)
        self.code: NDArray[np.int64] = code.astype(np.int64)
        self.resamples = resamples
        size = len(people)
        generator = np.random.default_rng(seed)
        # A subject is drawn once per resample on average and more than 255 times never: one byte is enough.
        self.counts = np.zeros((resamples, size), dtype=np.uint8)
        for resample in range(resamples):
            drawn = generator.integers(0, size, size) if size else np.empty(0, np.int64)
            self.counts[resample] = np.bincount(drawn, minlength=size)

    def first(self, resamples: int) -> SubjectBootstrap:
        """The same bootstrap with only its first resamples (all of them, if it has no more)."""
        fewer = copy(self)
        fewer.counts = self.counts[:resamples]
        fewer.resamples = len(fewer.counts)
        return fewer

    def weights(self, rows: NDArray[np.int64]) -> Iterator[tuple[slice, Floats]]:
        """How often each of some patients is drawn.

        Args:
            rows: Patients, as rows of the split; [m].

        Yields:
            A range of resamples and their weights, float64 [r, m].
        """
        code = self.code[rows]
        size = max(1, CHUNK // max(1, len(rows)))
        for start in range(0, self.resamples, size):
            chosen = slice(start, min(start + size, self.resamples))
            yield chosen, self.counts[chosen][:, code].astype(np.float64)

    def figures(
        self,
        y: Floats,
        p: Floats,
        rows: NDArray[np.int64],
        threshold: float = float("nan"),
        metrics: Sequence[str | Metric] | None = None,
    ) -> dict[str, Floats]:
        """Metrics in every resample.

        Args:
            y: Labels of ``rows``, 0 or 1; [m].
            p: Probabilities of ``rows``; [m].
            rows: The labelled patients judged, as rows of the split; [m].
            threshold: Decision threshold of those that need one.
            metrics: Which metrics; default: the built-in ones.

        Returns:
            Name -> values, NaN where a resample has nobody or only one class; each [R].
        """
        wanted = find_metrics(metrics) if metrics is not None else built_in_metrics()
        result = {metric.name: np.full(self.resamples, np.nan) for metric in wanted}
        sample = Sample(y, p, threshold)
        ratios = {metric.name: metric.ratio(sample) for metric in wanted if metric.ratio is not None}
        rankings = list(dict.fromkeys(metric.ranking for metric in wanted if metric.ranking is not None))
        for chosen, weights in self.weights(rows):
            for ranking in rankings:  # several metrics may share one sort
                for name, values in ranking(y, p, weights).items():
                    if name in result:
                        result[name][chosen] = values
            for name, (numerator, denominator) in ratios.items():
                bottom = weights @ denominator
                top = weights @ numerator
                result[name][chosen] = np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)
        return result

    def means(self, values: Floats, rows: NDArray[np.int64]) -> Floats:
        """The mean of something over the patients of every resample, NaN where a resample has none of them; [R]."""
        result = np.full(self.resamples, np.nan)
        for chosen, weights in self.weights(rows):
            total = weights.sum(1)
            result[chosen] = np.divide(weights @ values, total, out=np.full_like(total, np.nan), where=total > 0)
        return result
