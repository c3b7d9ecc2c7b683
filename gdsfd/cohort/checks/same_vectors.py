"""Warnings about vectors that many patients share: what is stored where there was nothing to encode."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.cohort import Cohort, EmbeddingObservations
from gdsfd.cohort.receipt.receipt import Finding

__all__ = ["find_same_vectors"]

_FEWEST, _SHARE = 10, 0.02  #: patients with one and the same vector, and their share
_ROWS = 1 << 14  #: that are looked at at a time


def find_same_vectors(cohort: Cohort) -> list[Finding]:
    """A finding for each modality of vectors of which many patients have the very same one, such as all zeros.

    Zeros, or the vector of an empty text, are often stored for patients without a note or an image. A blank would be an
    absent observation; such a vector is a present one. Costs a pass over the vectors and a sort of one number each.

    Args:
        cohort: The cohort.
    """
    found = []
    for name, observed in cohort.observations.items():
        if not isinstance(observed, EmbeddingObservations) or len(observed.vector) < _FEWEST:
            continue
        vector = observed.vector
        directions = np.random.default_rng(0).normal(size=vector.shape[1])
        pieces = (vector[first : first + _ROWS].astype(np.float64) for first in range(0, len(vector), _ROWS))
        projected = np.concatenate([np.einsum("nd,d->n", piece, directions) for piece in pieces])
        _, first, counts = np.unique(projected, return_index=True, return_counts=True)
        one = vector[first[counts.argmax()]]
        same = int((vector[projected == projected[first[counts.argmax()]]] == one).all(1).sum())
        if same < max(_FEWEST, _SHARE * len(vector)):
            continue
        what = "only zeros" if not one.any() else "one and the same vector"
        text = (
            f"{same:,} of {len(vector):,} patients have {what}: is it stored where there was nothing to encode? They "
            "count as patients who have it. Leave those rows out with where"
        )
        found.append(Finding("values", name, text, same / len(vector)))
    return found
