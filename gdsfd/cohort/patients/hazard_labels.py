r"""Follow-up cut into intervals: a time to an event as yes/no labels, one per interval.

With the cut points :math:`0 = c_0 < c_1 < \dots < c_J` the label of interval *j* says whether the event fell into
:math:`(c_{j-1}, c_j]`, of a patient at risk when it began; of nobody else it says anything. The likelihood of a time is
then the product over these labels, so cross-entropy over labelled elements fits the discrete hazards
:math:`h_j = P(T \le c_j \mid T > c_{j-1})`, and survival is :math:`S(c_j) = \prod_{k \le j} (1 - h_k)`.

Follow-up that ends inside an interval, after the share *f* of it, would add :math:`f \log (1 - h_j)` to the likelihood
if the hazard were constant in it. A label has no weight, so it is drawn: with the chance *f* the patient counts as
having survived the interval, and otherwise says nothing of it. The draw is a hash of the time, so the same times always
have the same labels. A fixed rule, such as to count those who reached the middle of the interval, is biased where
censoring depends on the patient: of those who could not be followed to the middle only events would be left, and a
network that can tell them would learn a hazard of 1. An event counts as a whole interval of being at risk, so hazards
of patients who are followed for a small part of an interval come out a little low; shorter intervals mend it.

References:
    Person-period likelihood: Brown, "On the use of indicator variables for studying the time-dependence of parameters
    in a response-time model", Biometrics 1975. In networks, with the rule of the middle: Gensheimer and Narasimhan, "A
    scalable discrete-time survival model for neural networks", PeerJ 2019. The draw is our formulation.
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
        >>> hazard_labels(fields, np.array([2.0, 1.0, 3.0, 9.0]), np.array([1, 0, 0, 1])).tolist()
        [[0.0, 1.0], [0.0, nan], [0.0, 0.0], [0.0, 0.0]]
    """
    low, high = np.array(fields.intervals).T
    t, happened = np.asarray(time, np.float64)[:, None], np.asarray(event)[:, None] == 1
    labels = np.full((len(time), len(high)), np.nan, dtype=np.float32)
    with np.errstate(invalid="ignore"):
        enough = low + _draws(t) * (high - low)  # followed for so long counts as surviving the interval
        survived = np.where(happened, t > high, (t >= high) | ((t > low) & (t >= enough)))
        inside = happened & (t <= high) & ((t > low) | ((low == 0) & (t == 0)))
    labels[survived] = 0.0
    labels[inside] = 1.0
    return labels


def _draws(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """A number above 0 and at most 1 per time, evenly spread: the finaliser of splitmix64 on the bits of the time."""
    with np.errstate(over="ignore"):
        bits = (time + 0.0).view(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits ^= bits >> np.uint64(31)
    return ((bits >> np.uint64(11)).astype(np.float64) + 1) / 2**53


def interval_fields(fields: SurvivalFields) -> tuple[OutcomeFields, ...]:
    """Each interval as a binary outcome, the way the rest of the package sees it."""
    return tuple(OutcomeFields(name, fields.event, ("no event", "event")) for name in fields.interval_names)
