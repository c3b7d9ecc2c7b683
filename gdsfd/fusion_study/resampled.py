r"""A paired difference over seeds whose training sets overlap: interval, equivalence and a verdict by rules.

Splits of one cohort share most of their training patients, so that R differences :math:`d_1, \dots, d_R` are not
independent and :math:`s^2 / R` is far too small for the variance of their mean. What stands in its place depends on
what there is:

=====================  ========================================================  ==================================
what there is          variance of the mean                                      degrees of freedom
=====================  ========================================================  ==================================
splits drawn anew      :math:`s^2 (1/R + n_{test}/n_{train})`                    :math:`R - 1`
one split, R fits      :math:`s^2/R + \overline{e^2}`                            Welch and Satterthwaite
one fit                :math:`e^2`                                               subjects of the rarer class, less 1
=====================  ========================================================  ==================================

with :math:`s^2` the variance of the differences and e the standard error of a difference inside its split, over draws
of test subjects (:func:`gdsfd.fusion_study.paired_auroc.paired_auroc`). The last two hold the training patients as
they are.

References:
    Nadeau and Bengio, Inference for the generalization error, Machine Learning (2003), section 3, for the first row;
    Satterthwaite, Biometrics Bulletin (1946), for the degrees of the second. Putting the two variances of the second
    row together is ours: fits of one split share the test patients, whose draw no mean over fits averages out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from gdsfd.comparison.statistics import LEVEL, MARGIN
from gdsfd.errors import InputError

__all__ = ["Resampled", "resampled"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Resampled:
    """A difference of two learners over seeds.

    Args:
        mean: Mean difference; NaN without pairs.
        low: Lower end of the 95 % t interval, not beyond -1; NaN where there is none.
        high: Upper end, not beyond 1.
        n: Pairs.
        error: Standard error of the mean.
        degrees: Of freedom.
        p: Two-sided p value of no difference.
        p_equivalent: The larger p value of the two one-sided tests that the difference lies inside ``±margin``.
        margin: Difference that counts as none.
        method: What the interval allows for, in words; or why there is none.
        p_adjusted: ``p`` after a correction for several learners; NaN where there was none.
    """

    mean: float
    low: float
    high: float
    n: int
    error: float
    degrees: float
    p: float
    p_equivalent: float
    margin: float
    method: str
    p_adjusted: float = math.nan

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``no difference`` or ``undecided``.

        ``better`` only if the interval leaves out 0 and the difference is at least the margin, ``worse`` likewise;
        ``no difference`` only if both one-sided tests at 5 % put it inside the margin.
        """
        if self.low > 0 and self.mean >= self.margin:
            return "better"
        if self.high < 0 and self.mean <= -self.margin:
            return "worse"
        return "no difference" if self.p_equivalent < LEVEL else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy with the verdict; NaN stays NaN."""
        return {**asdict(self), "verdict": self.verdict}


def resampled(
    differences: Sequence[float] | Floats,
    train: float,
    test: float,
    margin: float = MARGIN,
    *,
    within: Sequence[float] | Floats | None = None,
    degrees_within: float = math.inf,
    one_split: bool = False,
) -> Resampled:
    """Mean difference over seeds with its 95 % interval, t test and test of equivalence.

    Where all differences are the same there is no interval; where all are 0, as of a learner that is its reference,
    they are equivalent.

    Args:
        differences: Learner less reference, of a figure between 0 and 1, one per seed (or per seed and fold); NaN is
            left out; [R].
        train: Training patients of a split.
        test: Its test patients.
        margin: Difference that counts as none.
        within: Standard error of each difference inside its split; [R]. Wanted with one seed or one split.
        degrees_within: Degrees of freedom of ``within``.
        one_split: Whether the seeds are fits on one and the same split.

    Raises:
        InputError: ``train`` or ``test`` is not above 0, or ``within`` has another length.

    Example:
        >>> found = resampled([0.031, 0.038, 0.029, 0.035, 0.034], train=800, test=200)
        >>> f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]: {found.verdict}"
        '0.033 [0.027, 0.040]: better'
    """
    if not (train > 0 and test > 0):
        raise InputError(f"resampled: expected training and test patients of a split, got {train} and {test}")
    gap = np.asarray(differences, dtype=np.float64)
    inside = np.full(len(gap), np.nan) if within is None else np.asarray(within, dtype=np.float64)
    if inside.shape != gap.shape:
        raise InputError(f"within: expected one standard error for each of {len(gap)} differences, got {len(inside)}")
    known = np.isfinite(gap)
    gap, inside = gap[known], inside[known]
    n = len(gap)
    mean = float(gap.mean()) if n else math.nan
    same = not n or float(np.ptp(gap)) <= 1e-12
    between = 0.0 if same else float(gap.var(ddof=1))
    drawn = float((inside**2).mean()) if n else math.nan
    if n < 2 or one_split:
        variance = (between / n if n > 1 else 0.0) + drawn
        spent = (between / n) ** 2 / (n - 1) if n > 1 else 0.0
        spent += drawn**2 / degrees_within if degrees_within > 0 else math.nan
        degrees = variance**2 / spent if spent > 0 else math.inf
        method = (
            "one fit: draws of test patients, not of training patients or starts"
            if n < 2
            else "one split: draws of test patients and starts of training, not draws of training patients"
        )
    else:
        variance, degrees = between * (1 / n + test / train), float(n - 1)
        method = "splits drawn anew: corrected resampled t"
    if not variance > 0 or math.isnan(degrees):
        identical = n > 0 and mean == 0 and same and (n > 1 or drawn == 0)
        reason = "identical" if identical else "no interval: nothing says how the difference would vary"
        equivalent = 0.0 if identical else math.nan
        return Resampled(mean, math.nan, math.nan, n, math.nan, math.nan, math.nan, equivalent, margin, reason)
    error = math.sqrt(variance)
    half = float(stdtrit(degrees, 0.975)) * error
    p = 2 * float(stdtr(degrees, -abs(mean) / error))
    below, above = stdtr(degrees, -(mean + margin) / error), stdtr(degrees, (mean - margin) / error)
    equivalent = max(float(below), float(above))
    low, high = max(mean - half, -1.0), min(mean + half, 1.0)  # no two figures from 0 to 1 are further apart
    return Resampled(mean, low, high, n, error, degrees, p, equivalent, margin, method)
