r"""From the hazards of intervals to survival at any time, and to one number per patient.

With hazards :math:`h_j` of the intervals up to the cut points :math:`c_j`, survival is
:math:`S(c_j) = \prod_{k \le j} (1 - h_k)`. Between cut points the hazard per unit of time is taken to be constant, so
:math:`\log S` runs straight from one to the next. A patient's risk is the cumulative hazard
:math:`\Lambda(c_j) = -\log S(c_j)`, averaged over the cut points: as these lie where events are, early events weigh
more than they would at the horizon alone.

References:
    The average over event times is the ensemble mortality of random survival forests (Ishwaran et al., Annals of
    Applied Statistics 2008), here over cut points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import SurvivalFields
from gdsfd.errors import InputError, shown

__all__ = ["check_times", "risk_of", "survival_at"]

Floats = NDArray[np.float64]

#: Hazards are kept this far from 1, so that a cumulative hazard is finite.
_LEAST = 1e-9


def check_times(fields: SurvivalFields, times: Sequence[float] | NDArray[Any] | None) -> Floats:
    """Times that survival can be asked for, as an array; None = the cut points.

    Raises:
        InputError: They are no list of numbers, or some lie before 0 or beyond the horizon.
    """
    if times is None:
        return np.asarray(fields.cuts, dtype=np.float64)
    try:
        asked = np.asarray(times, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"times: expected numbers, got {shown(np.atleast_1d(np.asarray(times, object)))}") from None
    if asked.ndim != 1:
        raise InputError(f"times: expected a list of numbers, got an array of {asked.ndim} dimensions")
    wrong = asked[~((asked >= 0) & (asked <= fields.horizon))]
    if len(wrong):
        raise InputError(
            f"times: expected times from 0 to the horizon {fields.spelled(fields.horizon)}, beyond which the model "
            f"says nothing, got {shown(wrong.tolist())}"
        )
    return asked


def survival_at(fields: SurvivalFields, hazards: NDArray[Any], times: Sequence[float] | NDArray[Any] | None) -> Floats:
    """Chances to be free of the event at some times.

    Args:
        fields: The intervals.
        hazards: One per interval; [n, J].
        times: From 0 to the horizon; None = the cut points.

    Returns:
        Falling from 1 with time; [n, times].

    Example:
        >>> fields = SurvivalFields("death", "t", "e", (1.0, 3.0))
        >>> survival_at(fields, np.array([[0.5, 0.75]]), [0.0, 1.0, 2.0, 3.0]).round(3).tolist()
        [[1.0, 0.5, 0.25, 0.125]]
    """
    asked = check_times(fields, times)
    logs = -_cumulative(hazards)
    places = np.concatenate([[0.0], fields.cuts])
    logs = np.concatenate([np.zeros((len(logs), 1)), logs], axis=1)
    right = np.clip(np.searchsorted(places, asked, "left"), 1, len(places) - 1)
    share = (asked - places[right - 1]) / (places[right] - places[right - 1])
    between = logs[:, right - 1] * (1 - share) + logs[:, right] * share
    return np.asarray(np.exp(between), dtype=np.float64)


def risk_of(hazards: NDArray[Any]) -> Floats:
    """One number per patient, the higher the earlier the event: the cumulative hazard, averaged over cut points; [n].

    Args:
        hazards: One per interval; [n, J].
    """
    return np.asarray(_cumulative(hazards).mean(1), dtype=np.float64)


def _cumulative(hazards: NDArray[Any]) -> Floats:
    kept = np.clip(np.asarray(hazards, dtype=np.float64), 0.0, 1 - _LEAST)
    return np.asarray(np.cumsum(-np.log1p(-kept), axis=1), dtype=np.float64)
