"""How far predictions move between observing a patient's stratum and averaging over strata, and for whom."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.metrics.formulas import Floats, mean_or_nan
from gdsfd.evaluation.metrics.metric_set import difference, score
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from gdsfd.evaluation.subgroups.slices import pattern_description
from gdsfd.evaluation.targets import Target
from gdsfd.graph.availability import presence_of

__all__ = ["Movement", "SubgroupShift", "movement", "subgroup_shifts"]

#: A prediction moved if it changed by more than this.
NOTICED = 0.01
#: Bins of the picture on either side of 0.
BINS = 15
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class SubgroupShift:
    """How the predictions of some patients move.

    Args:
        kind: ``environment``, ``pattern``, ``modality``, ``risk`` (thirds of the prediction given the own stratum) or
            ``group: <attribute>``.
        name: Which one.
        patients: How many.
        observed: Their mean prediction given the own stratum.
        intervened: Their mean prediction averaged over strata.
        size: Mean absolute change.
        low: Lower quartile of the change; a quarter of them move by less than that.
        high: Upper quartile.
        up: Share of them that moved up by more than 0.01.
        down: Likewise down.
        pooled: How many small groups this one puts together; 0 for an ordinary one.
    """

    kind: str
    name: str
    patients: int
    observed: float
    intervened: float
    size: float
    low: float
    high: float
    up: float
    down: float
    pooled: int = 0

    @property
    def mean(self) -> float:
        """Mean change: averaged over strata less given the own stratum."""
        return self.intervened - self.observed


@dataclass(frozen=True)
class Movement:
    """How the predictions of one target move on one split.

    Args:
        target: Its name.
        everyone: All patients of the split, labelled or not.
        quantiles: Quantile -> change.
        spread: Mean over patients of the standard deviation of their logits between strata.
        agreement: Rank correlation (Spearman) of the predictions before and after; NaN where one does not vary.
        bins: The picture: lower end, upper end and number of patients.
        auroc: ``observed``, ``intervened``, and their ``difference`` on the same resamples of subjects.
        shifts: Those of subgroups.
    """

    target: str
    everyone: SubgroupShift
    quantiles: dict[str, float]
    spread: float
    agreement: float
    bins: tuple[tuple[float, float, int], ...]
    auroc: dict[str, Estimate]
    shifts: tuple[SubgroupShift, ...]

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        every = [{**asdict(one), "mean": one.mean} for one in (self.everyone, *self.shifts)]
        return {
            **{name: one for name, one in asdict(self).items() if name != "shifts"},
            "everyone": every[0],
            "crowds": every[1:],
            "auroc": {name: one.to_dict() for name, one in self.auroc.items()},
        }


def movement(
    target: Target,
    observed: Floats,
    intervened: Floats,
    spread: Floats,
    shifts: list[tuple[str, str, Mask, int]],
    bootstrap: SubjectBootstrap,
    rules: EvaluationConfig,
) -> Movement:
    """How predictions of one target move.

    Args:
        target: Labels of the labelled patients; its probabilities are not read.
        observed: Of all patients of the split given their own stratum; [n].
        intervened: Averaged over strata; [n].
        spread: Standard deviation of the logits between strata; [n].
        shifts: Of :func:`subgroup_shifts`.
        bootstrap: Of the split's subjects.
        rules: How figures are made.
    """
    change = intervened - observed
    found = [*shifts, *_by_risk(observed)]
    point = OperatingPoint(math.nan, rules.sensitivity, reason="no threshold here")
    scored = [
        score(
            Target(target.name, target.rows, target.y, p[target.rows]),
            bootstrap,
            point,
            rules.level,
            metrics=("auroc",),
        )
        for p in (observed, intervened)
    ]
    everyone = _shift("all", "all", np.ones(len(change), dtype=bool), 0, observed, intervened)
    varies = len(change) > 1 and np.ptp(observed) > 0 and np.ptp(intervened) > 0
    return Movement(
        target=target.name,
        everyone=everyone,
        quantiles={f"{at:g}": float(np.quantile(change, at)) if len(change) else math.nan for at in QUANTILES},
        spread=mean_or_nan(spread),
        agreement=float(spearmanr(observed, intervened).statistic) if varies else math.nan,
        bins=_bins(change),
        auroc={
            "observed": scored[0]["auroc"],
            "intervened": scored[1]["auroc"],
            "difference": difference(scored[1], scored[0], "auroc"),
        },
        shifts=tuple(_shift(kind, name, mask, pooled, observed, intervened) for kind, name, mask, pooled in found),
    )


def subgroup_shifts(graph: Any, rows: NDArray[np.int64], least: int) -> list[tuple[str, str, Mask, int]]:
    """Some patients of a split at a time: kind, name, who, and how many small ones are put together (0: none).

    Args:
        graph: The graph.
        rows: The split's patients, as rows of the graph; [n].
        least: Fewer patients are put together with others of the kind, or left out.
    """
    patient, names = graph["patient"], graph.schema.names
    presence = presence_of(graph).numpy()[rows]
    sorts: list[tuple[str, NDArray[Any]]] = []
    if patient.get("environment") is not None:
        sorts.append(("environment", np.asarray(patient.environment, dtype=object)[rows].astype(str)))
    words = [pattern_description(present.tolist(), names) for present in presence]
    sorts.append(("pattern", np.asarray(words, dtype=object).astype(str)))
    sorts += [
        (f"group: {name}", np.asarray(values, dtype=object)[rows].astype(str))
        for name, values in patient.groups.items()
    ]
    found = [one for kind, values in sorts for one in _by_value(kind, values, least)]
    for place, name in enumerate(names):
        sides = ((f"with {name}", presence[:, place]), (f"without {name}", ~presence[:, place]))
        found += [("modality", word, mask, 0) for word, mask in sides if least <= mask.sum() < len(rows)]
    return found


def _by_value(kind: str, values: NDArray[Any], least: int) -> Iterator[tuple[str, str, Mask, int]]:
    """The large ones, the largest first, then the small ones together unless even these are too few."""
    names, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    small = [names[at] for at in order if counts[at] < least]
    for at in order:
        if counts[at] >= least:
            yield kind, str(names[at]), values == names[at], 0
    together = np.isin(values, small)
    if together.sum() >= least:
        yield kind, f"{len(small)} rarer", together, len(small)


def _by_risk(observed: Floats) -> list[tuple[str, str, Mask, int]]:
    """Thirds of the prediction given the own stratum."""
    if len(observed) < 3 or np.ptp(observed) == 0:
        return []
    third = (3 * np.argsort(np.argsort(observed, kind="stable"), kind="stable")) // len(observed)
    names = ("lowest third", "middle third", "highest third")
    return [("risk", name, third == place, 0) for place, name in enumerate(names)]


def _shift(kind: str, name: str, mask: Mask, pooled: int, observed: Floats, intervened: Floats) -> SubgroupShift:
    change = intervened[mask] - observed[mask]
    low, high = np.quantile(change, (0.25, 0.75)) if mask.any() else (math.nan, math.nan)
    return SubgroupShift(
        kind=kind,
        name=name,
        patients=int(mask.sum()),
        observed=mean_or_nan(observed[mask]),
        intervened=mean_or_nan(intervened[mask]),
        size=mean_or_nan(np.abs(change)),
        low=float(low),
        high=float(high),
        up=mean_or_nan((change > NOTICED).astype(np.float64)),
        down=mean_or_nan((change < -NOTICED).astype(np.float64)),
        pooled=pooled,
    )


def _bins(change: Floats) -> tuple[tuple[float, float, int], ...]:
    """Bins of one round width around 0 that hold all but the outermost hundredth, which the last ones take in."""
    if not len(change):
        return ()
    end = max(float(np.quantile(np.abs(change), 0.99)), NOTICED)
    width = next(size for size in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1) if size * BINS >= end)
    edges = np.round((np.arange(2 * BINS + 2) - BINS - 0.5) * width, 6)  # the middle bin holds 0
    counts, _ = np.histogram(np.clip(change, edges[0], edges[-1]), edges)
    used = np.flatnonzero(counts)
    reach = max(BINS - used[0], used[-1] - BINS, 3)
    kept = range(BINS - reach, BINS + reach + 1)
    return tuple((float(edges[at]), float(edges[at + 1]), int(counts[at])) for at in kept)
