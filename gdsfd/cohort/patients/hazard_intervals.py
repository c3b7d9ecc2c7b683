"""Where follow-up is cut into intervals: by the events of the training patients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.patients.follow_up import FollowUp
from gdsfd.cohort.patients.hazard_labels import hazard_labels
from gdsfd.cohort.schema import SurvivalFields
from gdsfd.cohort.spec import SurvivalSpec
from gdsfd.cohort.spec.survival_spec import DEFAULT_INTERVALS
from gdsfd.errors import InputError

__all__ = ["cut_intervals"]

FEWEST = 10  #: training patients who outlive a horizon that is chosen here,
SHARE = 0.05  #: and their share
Bools = NDArray[np.bool_]


def cut_intervals(
    outcome: SurvivalSpec, follow_up: FollowUp, train: Bools, label: str = "the cohort"
) -> SurvivalFields:
    """Chooses the intervals by the training patients.

    Args:
        outcome: The spec's outcome.
        follow_up: Times and events.
        train: Who trains; bool [N].
        label: The cohort's source, for messages.

    Raises:
        InputError: No training patient has the event, or too few outlive it; the horizon or a cut point lies beyond
            what is known; an interval in which all or none of those at risk have the event.
    """
    where = f"outcome {outcome.name!r} (columns {outcome.time!r} and {outcome.event!r} of {label})"
    known = train & np.isfinite(follow_up.time)
    time, event = follow_up.time[known], follow_up.event[known] == 1
    if not event.any():
        raise InputError(
            f"{where}: none of {int(known.sum()):,} training patients has the event; there is nothing to learn. Check "
            "positive and negative, and the split"
        )
    horizon = outcome.cut_points[-1] if outcome.cut_points else outcome.horizon
    if horizon is not None and horizon > time.max():
        raise InputError(
            f"{where}: the horizon is {horizon:g}, but no training patient is followed beyond {time.max():g}; expected "
            "a horizon (or last cut point) within follow-up"
        )
    ends = np.asarray(outcome.cut_points) if outcome.cut_points else _quantiles(outcome, time, event, horizon, where)
    fields = SurvivalFields(outcome.name, outcome.time, outcome.event, tuple(map(float, ends)), outcome.unit)
    labels = hazard_labels(fields, time, event.astype(np.float32))
    for number, (low, high) in enumerate(fields.intervals):
        seen = labels[:, number]
        for count, words in (
            (int((seen == 1).sum()), "have the event in it"),
            (int((seen == 0).sum()), "are known to outlive it"),
        ):
            if count == 0:
                raise InputError(
                    f"{where}: of {int(np.isfinite(seen).sum()):,} training patients at risk none {words}, the "
                    f"interval {fields.spelled(low)} to {fields.spelled(high)}; its hazard cannot be learned. Take "
                    "fewer intervals, an earlier horizon, or other cut_points"
                )
    return fields


def _quantiles(
    outcome: SurvivalSpec, time: NDArray[np.float64], event: Bools, horizon: float | None, where: str
) -> NDArray[np.float64]:
    """Ends of intervals with as many events each."""
    moments = np.unique(time[event])
    if horizon is None:
        outliving = len(time) - np.searchsorted(np.sort(time), moments, "right")
        early = moments[outliving >= max(FEWEST, SHARE * len(time))]
        if not len(early):
            raise InputError(
                f"{where}: no event of a training patient is outlived by {FEWEST} of them and {SHARE:.0%}, so no "
                "horizon can be chosen; give horizon or cut_points"
            )
        horizon = float(_rounded(early[-1:], np.floor)[0]) or float(early[-1])
    counted = time[event & (time <= horizon)]
    number = outcome.intervals or DEFAULT_INTERVALS
    inner = np.quantile(counted, np.arange(1, number) / number, method="inverted_cdf") if len(counted) else counted
    inner = np.unique(_rounded(inner, np.round))
    inner = inner[(inner > 0) & (inner < horizon)]
    if not len(inner):
        raise InputError(
            f"{where}: training events up to the horizon {horizon:g} fall on too few different times to make two "
            "intervals; give cut_points, or take the event by the horizon as a binary outcome"
        )
    return np.append(inner, horizon)


def _rounded(times: NDArray[np.float64], to: Callable[..., Any]) -> NDArray[np.float64]:
    """Three significant digits: intervals that can be read, and no training patient's very time in the schema."""
    scale = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(times), 1e-300))) - 2)
    return np.asarray(to(times / scale) * scale, dtype=np.float64).round(12)
