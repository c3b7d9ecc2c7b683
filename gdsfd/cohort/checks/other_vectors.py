"""Warnings about vectors of one environment that lie elsewhere than the others': another model's, or in another order.

Vectors of two models may well have one length. Neither the length nor any single number is then wrong.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort, EmbeddingObservations
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import cell_text

__all__ = ["find_other_vectors"]

_OWN, _OTHERS = 20, 100  #: the fewest vectors of an environment, and of all others, for either to be known
_SAMPLE = 256  #: vectors at most that a look takes: of an environment, and twice of the others
_DIRECTIONS = 16  #: in which the others vary most; at most half of the components
_OUTSIDE = 0.8  #: share of an environment's vectors outside the middle 98 % of the others'; .02 is expected
_ENVIRONMENTS = 50  #: the largest ones, which are looked at
_DISTANCE = "their median distance from the others' mean is {:.3g}, and the others' own is {:.3g}"
_PART = "{:.0%} of what they differ from the others' mean by is in the directions in which those vary most, not {:.0%}"

Floats = NDArray[np.float64]


def find_other_vectors(cohort: Cohort) -> list[Finding]:
    r"""A finding for each modality of vectors of which those of an environment hardly meet those of the others.

    Half of the others give a mean :math:`m` and the directions :math:`U` in which they vary most. Of a vector :math:`v`
    two numbers are looked at: its distance from the mean, :math:`\lVert v - m \rVert`, and the part of it in those
    directions, :math:`\lVert U^\top (v - m) \rVert^2 / \lVert v - m \rVert^2`. They are compared with the other half's.
    A model that merely turns vectors whose components vary alike cannot be seen so. Costs a decomposition of a few
    hundred vectors for each of the largest environments.

    Args:
        cohort: The cohort.
    """
    if cohort.environment is None:
        return []
    found = []
    for name, observed in cohort.observations.items():
        if isinstance(observed, EmbeddingObservations):
            environment = np.asarray(cohort.environment, dtype=str)[observed.patient]
            found += _of_vectors(name, observed.vector, environment)
    return found


def _of_vectors(name: str, vector: NDArray[np.floating], environment: NDArray[np.str_]) -> list[Finding]:
    names, place, counts = np.unique(environment, return_inverse=True, return_counts=True)
    told: list[tuple[float, str, str]] = []
    random = np.random.default_rng(0)
    for number in np.argsort(-counts, kind="stable")[:_ENVIRONMENTS]:
        if counts[number] < _OWN or len(vector) - counts[number] < _OTHERS or vector.shape[1] < 2:
            continue
        own, others = _taken(vector, place == number, random, 1), _taken(vector, place != number, random, 2)
        fitted, judged = others[::2], others[1::2]
        mean = fitted.mean(0)
        directions = _directions(fitted - mean)
        measured = zip(_measures(own - mean, directions), _measures(judged - mean, directions), (_DISTANCE, _PART))
        for here, elsewhere, words in measured:
            low, high = np.quantile(elsewhere, [0.01, 0.99])
            outside = float(((here < low) | (here > high)).mean())
            if outside >= _OUTSIDE:
                said = words.format(float(np.median(here)), float(np.median(elsewhere)))
                told.append((outside, str(names[number]), said))
                break
    if not told:
        return []
    outside, first, words = max(told, key=lambda each: each[0])
    more = f" So are those of {len(told) - 1:,} more." if len(told) > 1 else ""
    text = (
        f"vectors of environment {cell_text(first)} are others: {outside:.0%} of them lie outside the middle 98 % of "
        f"those elsewhere ({words}).{more} Are they of another model or version of it, scaled otherwise, or with their "
        "components in another order? Compute all with one, or the environment is told by them"
    )
    return [Finding("range", name, text, outside)]


def _taken(vector: NDArray[np.floating], which: NDArray[np.bool_], random: np.random.Generator, times: int) -> Floats:
    """Some of the vectors, in an order of chance."""
    rows = random.permutation(np.flatnonzero(which))[: times * _SAMPLE]
    return np.asarray(vector[rows], dtype=np.float64)


def _directions(centered: Floats) -> Floats:
    """Unit vectors along which most of the variance is; [components, directions]."""
    _, _, rows = np.linalg.svd(centered, full_matrices=False)
    return np.asarray(rows[: max(1, min(_DIRECTIONS, centered.shape[1] // 2))].T)


def _measures(centered: Floats, directions: Floats) -> tuple[Floats, Floats]:
    """Distance from the mean, and which part of its square is in the directions."""
    squares = np.square(centered).sum(1)
    part = np.square(centered @ directions).sum(1) / np.maximum(squares, np.finfo(np.float64).tiny)
    return np.sqrt(squares), part
