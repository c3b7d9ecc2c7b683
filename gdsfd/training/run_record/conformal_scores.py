r"""How strange each tuning patient's true label was to the model: what prediction sets are made from.

The score of a patient is :math:`s = 1 - p_y`, one less the probability of the true label (least ambiguous set-valued
classifiers, Sadinle, Lei and Wasserman, 2019). Of :math:`n` scores the quantile is the
:math:`\lceil (n + 1)(1 - \alpha) \rceil`-th smallest, infinite where there are fewer: then every label is in the set.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats, task_of
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError

__all__ = ["ConformalScores", "label_probabilities", "quantile_of", "scores_of"]


@dataclass(frozen=True)
class ConformalScores:
    """Of one model, for each outcome.

    Args:
        scores: Outcome by outcome the labelled patients' scores, in no order that says who they are; float64.
        labels: The number of each one's true label; int64.
    """

    scores: tuple[Floats, ...]
    labels: tuple[NDArray[np.int64], ...]

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """What is stored, under names that begin with the model's."""
        found: dict[str, NDArray[Any]] = {}
        for number, (score, label) in enumerate(zip(self.scores, self.labels)):
            found |= {f"{name}.{number}.score": score, f"{name}.{number}.label": label}
        return found

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], name: str, schema: CohortSchema, where: str
    ) -> ConformalScores:
        """Reads what :meth:`arrays` gave.

        Args:
            arrays: Name -> array.
            name: The model.
            schema: Its schema.
            where: The file, for messages.

        Raises:
            InputError: An array is missing, or holds no scores.
        """
        scores, labels = [], []
        for number, outcome in enumerate(schema.outcomes):
            score, label = (arrays.get(f"{name}.{number}.{part}") for part in ("score", "label"))
            classes = len(outcome.classes)
            fine = (
                score is not None and label is not None and score.dtype == np.float64 and label.dtype == np.int64
                and score.shape == label.shape and score.ndim == 1 and ((score >= 0) & (score <= 1)).all()
                and ((label >= 0) & (label < classes)).all()
            )  # fmt: skip
            if not fine or score is None or label is None:
                raise InputError(f"{where}: damaged (no scores of {outcome.name!r}); copy the folder again")
            scores.append(score)
            labels.append(label)
        return cls(tuple(scores), tuple(labels))


def label_probabilities(probability: Floats, schema: CohortSchema) -> list[Floats]:
    """Probabilities of all labels of each outcome; [n, labels] each.

    Args:
        probability: As ``predict_proba`` gives them.
        schema: The model's.
    """
    if task_of(schema) != "multi-label":
        return [probability]
    return [np.column_stack([1 - column, column]) for column in probability.T]


def scores_of(y: NDArray[Any], probability: Floats, schema: CohortSchema) -> ConformalScores:
    """The scores of some patients.

    Args:
        y: Labels as a graph has them: one column per outcome, NaN = unlabelled; of classes their numbers, -1 =
            unlabelled.
        probability: As ``predict_proba`` gives them.
        schema: The model's.
    """
    scores, labels = [], []
    numbered = np.where(np.isfinite(y), y, -1).astype(np.int64).reshape(len(y), -1)
    for column, each in enumerate(label_probabilities(probability, schema)):
        label = numbered[:, column]
        known = np.flatnonzero(label >= 0)
        own = np.clip(1 - each[known, label[known]], 0.0, 1.0)
        order = np.lexsort((own, label[known]))
        scores.append(np.asarray(own[order], dtype=np.float64))
        labels.append(label[known][order])
    return ConformalScores(tuple(scores), tuple(labels))


def quantile_of(scores: Floats, alpha: float) -> float:
    """The score up to which a label is in the set; infinite where there are too few scores to leave any out.

    Args:
        scores: Of patients who are like those to come; [n].
        alpha: Share of patients whose true label may be missed.

    Example:
        >>> quantile_of(np.array([0.1, 0.2, 0.3, 0.4]), 0.2), quantile_of(np.array([0.1, 0.2, 0.3]), 0.2)
        (0.4, inf)
    """
    rank = math.ceil((len(scores) + 1) * (1 - alpha) - 1e-9)
    return math.inf if rank > len(scores) else float(np.sort(scores)[max(rank, 1) - 1])
