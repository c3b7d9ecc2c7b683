"""How many classes: by the likelihood of patients who were not fitted on, one class allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gdsfd.latent.gaussian_block import Ints
from gdsfd.latent.mixture import Observed
from gdsfd.latent.search import Search

__all__ = ["MOST_CLASSES", "NumberOfClasses", "number_of_classes"]

MOST_CLASSES = 5
#: Standard errors by which one more class has to raise the held-out likelihood.
SURE = 2.0
#: Starts of the fits that only say how many there are.
_QUICK = {"draws": 1, "going_on": 1}


@dataclass(frozen=True)
class NumberOfClasses:
    """The number chosen.

    Args:
        chosen: How many.
        gain: What each further class brought, the second first, in nats per held-out patient.
        error: Standard errors of these.
    """

    chosen: int
    gain: tuple[float, ...]
    error: tuple[float, ...]


def number_of_classes(
    search: Search, held_out: Observed, y_held_out: Ints, most: int = MOST_CLASSES
) -> NumberOfClasses:
    """Adds classes as long as one more raises the held-out likelihood by two standard errors.

    Args:
        search: Fits mixtures of the patients fitted on.
        held_out: Patients the likelihood is looked at of.
        y_held_out: Their outcomes; [M].
        most: Most classes.
    """
    gain: list[float] = []
    error: list[float] = []
    before = search.best(1)[0].log_likelihood(held_out, y_held_out)
    for classes in range(2, most + 1):
        mixture, _ = search.best(classes, **_QUICK)
        now = mixture.log_likelihood(held_out, y_held_out)
        gain.append(float((now - before).mean()))
        error.append(float((now - before).std(ddof=1) / np.sqrt(len(now))))
        if not gain[-1] > SURE * error[-1]:
            return NumberOfClasses(classes - 1, tuple(gain), tuple(error))
        before = now
    return NumberOfClasses(most, tuple(gain), tuple(error))
