"""Labels and scores for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.targets import Target

Floats = NDArray[np.float64]

#: Settings of an evaluation that takes a moment.
QUICK: dict[str, Any] = {"resamples": 60, "progress": False}


def made(
    n: int, seed: int = 0, prevalence: float = 0.3, ties: bool = False, signal: float = 1.0
) -> tuple[Floats, Floats]:
    """Labels and informative probabilities."""
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < prevalence).astype(np.float64)
    p = 1 / (1 + np.exp(-(signal * y + rng.normal(size=n) - 1)))
    return y, np.round(p, 1) if ties else p


def target(y: Sequence[float] | Floats, p: Sequence[float] | Floats, name: str = "outcome") -> Target:
    """A target that labels every row."""
    labels = np.asarray(y, dtype=np.float64)
    return Target(name, np.arange(len(labels)), labels, np.asarray(p, dtype=np.float64))


class Fixed:
    """A model that answers from a table of probabilities by patient id."""

    def __init__(self, graph: Any, probabilities: Floats) -> None:
        self.rows = {patient: row for patient, row in zip(graph["patient"].id, probabilities)}

    def predict_proba(self, graph: Any, split: str | None = None, ids: Sequence[str] | None = None) -> Floats:
        patient = graph["patient"]
        wanted = ids if ids is not None else [one for one, own in zip(patient.id, patient.split) if own == split]
        return np.array([self.rows[one] for one in wanted])


def probabilities(graph: Any, seed: int = 0, noise: float = 1.0) -> Floats:
    """Noisy probabilities of a binary outcome for all patients of a graph."""
    rng = np.random.default_rng(seed)
    y = np.nan_to_num(graph["patient"].y.numpy()[:, 0], nan=0.5)
    p = 1 / (1 + np.exp(-(2 * y - 1.5 + noise * rng.normal(size=len(y)))))
    return np.column_stack([1 - p, p])
