"""What the declared suspects say of patients, as a baseline gets it: plain arrays, fitted on training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats

__all__ = ["SuspectFacts"]


@dataclass(frozen=True)
class SuspectFacts:
    """Codes of the declared suspects of all the graph's patients, and the margin that follows from them.

    :func:`gdsfd.training.suspects.suspect_facts.suspect_facts` makes it, by the functions that networks get theirs
    from.

    Args:
        names: The suspects found in the graph, one per column of ``codes``.
        codes: -1 = missing, or not seen among training patients; int64 [N, S].
        sizes: Number of codes of each column.
        margin: ``log P(y | suspects) - log P(y)`` in nats: one column per class of a multi-class outcome, otherwise the
            difference of log-odds, one column per outcome; float64 [N, outputs]. 0 where the suspects tell nothing.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    sizes: tuple[int, ...]
    margin: Floats
