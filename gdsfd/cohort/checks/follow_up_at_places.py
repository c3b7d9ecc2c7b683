"""Warnings about times to an event that one environment counts in another unit than the others."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import cell_text

__all__ = ["find_follow_up_at_places"]

_OWN, _OTHERS = 20, 50  #: the fewest times of an environment, and of all others, for their quantiles to be known
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
_TIMES = 5.0  #: as long or as short, at the least, at each quantile: a week has seven days
_ALIKE = 3.0  #: times that the largest of these ratios may be of the smallest: whole numbers of months are coarse
_ENVIRONMENTS = 50  #: the largest ones, which are looked at


def find_follow_up_at_places(cohort: Cohort) -> list[Finding]:
    """A finding where all quantiles of an environment's times are many times those elsewhere, or a part of them.

    Sicker patients, and patients who are followed for a shorter time, have other times at one end; in another unit all
    are others by one factor.

    Args:
        cohort: The cohort.
    """
    fields = cohort.schema.survival
    if fields is None or cohort.follow_up is None or cohort.environment is None:
        return []
    known = np.isfinite(cohort.follow_up)
    time = cohort.follow_up[known]
    names, place, counts = np.unique(
        np.asarray(cohort.environment, dtype=str)[known], return_inverse=True, return_counts=True
    )
    told = []
    for number in np.argsort(-counts, kind="stable")[:_ENVIRONMENTS]:
        if counts[number] < _OWN or len(time) - counts[number] < _OTHERS:
            continue
        own, others = (np.quantile(time[side], _QUANTILES) for side in (place == number, place != number))
        if min(own.min(), others.min()) <= 0:
            continue
        ratios = own / others
        far = ratios.min() >= _TIMES or ratios.max() <= 1 / _TIMES
        if far and ratios.max() <= _ALIKE * ratios.min():
            told.append((str(names[number]), ratios[2], own[2], others[2]))
    if not told:
        return []
    name, ratio, own_median, others_median = told[0]
    words = f"{ratio:.3g} times as long" if ratio > 1 else f"{1 / ratio:.3g} times as short"
    more = f" So are those of {len(told) - 1:,} more environments." if len(told) > 1 else ""
    text = (
        f"times of environment {cell_text(name)} are {words} as elsewhere (medians {own_median:.3g} and "
        f"{others_median:.3g}), and about as much at either end.{more} Are they in another unit? Work them out in one "
        "with cohort.derive"
    )
    return [Finding("range", fields.name, text, float(ratio))]
