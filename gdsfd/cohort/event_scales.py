"""Train statistics of event items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.fields import NumericScale
from gdsfd.cohort.scales import numeric_scale

__all__ = ["item_scales"]


def item_scales(observations: EventObservations, train: NDArray[np.bool_], items: int) -> tuple[NumericScale, ...]:
    """One scale per item, from the cells of train patients (each cell is the mean of a patient's values in a step).

    Cells rather than raw values: they are what encoders read, and they are at hand, so the statistics need no second
    pass over the source.

    Args:
        observations: The events.
        train: Whether each patient trains; [N].
        items: Number of items.
    """
    in_train = np.repeat(train[observations.patient], np.diff(observations.ptr))
    item, value = observations.item[in_train], observations.value[in_train]
    patient = np.repeat(observations.patient, np.diff(observations.ptr))[in_train]
    order = np.argsort(item, kind="stable")
    bounds = np.searchsorted(item[order], np.arange(items + 1))
    value, patient = value[order], patient[order]
    pieces = [slice(bounds[k], bounds[k + 1]) for k in range(items)]
    return tuple(numeric_scale(value[piece], patient[piece]) for piece in pieces)
