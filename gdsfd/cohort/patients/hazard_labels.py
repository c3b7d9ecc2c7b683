r"""Follow-up cut into intervals: a time to an event as yes/no labels, one per interval.

With the cut points :math:`0 = c_0 < c_1 < \dots < c_J` the label of interval *j* says whether the event fell into
:math:`(c_{j-1}, c_j]`, of a patient at risk when it began; of nobody else it says anything. The likelihood of a time is
then the product over these labels, so cross-entropy over labelled elements fits the discrete hazards
:math:`h_j = P(T \le c_j \mid T > c_{j-1})`, and survival is :math:`S(c_j) = \prod_{k \le j} (1 - h_k)`.

Follow-up that ends inside an interval counts as surviving it when it reached the middle, and says nothing of it
otherwise.

References:
    Person-period likelihood: Brown, "On the use of indicator variables for studying the time-dependence of parameters
    in a response-time model", Biometrics 1975. In networks, with the rule of the half interval: Gensheimer and
    Narasimhan, "A scalable discrete-time survival model for neural networks", PeerJ 2019.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import OutcomeFields, SurvivalFields

__all__ = ["hazard_labels", "interval_fields"]


def hazard_labels(
    fields: SurvivalFields, time: NDArray[np.floating], event: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Labels of all intervals.

    Args:
        fields: The intervals.
        time: Times, NaN = unlabelled; [N].
        event: 1 = event, 0 = censored; [N].

    Returns:
        1 = the event fell into the interval, 0 = the patient outlived it, NaN = not at risk, or not known;
        float32 [N, J].

    Example:
        >>> fields = SurvivalFields("death", "t", "e", (1.0, 3.0))
        >>> hazard_labels(fields, np.array([2.0, 1.5, 2.0, 9.0]), np.array([1, 0, 0, 1])).tolist()
        [[0.0, 1.0], [0.0, nan], [0.0, 0.0], [0.0, 0.0]]
    """
    low, high = np.array(fields.intervals).T
    t, happened = np.asarray(time, np.float64)[:, None], np.asarray(event)[:, None] == 1
    labels = np.full((len(time), len(high)), np.nan, dtype=np.float32)
    with np.errstate(invalid="ignore"):
        survived = np.where(happened, t > high, t >= (low + high) / 2)
        inside = happened & (t <= high) & ((t > low) | ((low == 0) & (t == 0)))
    labels[survived] = 0.0
    labels[inside] = 1.0
    return labels


def interval_fields(fields: SurvivalFields) -> tuple[OutcomeFields, ...]:
    """Each interval as a binary outcome, the way the rest of the package sees it."""
    return tuple(OutcomeFields(name, fields.event, ("no event", "event")) for name in fields.interval_names)
