"""Sets of labels that hold the true one for a share of patients that was asked for: split conformal prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, near_names
from gdsfd.training.run_record.conformal_scores import ConformalScores, label_probabilities, quantile_of

__all__ = ["OutcomeSets", "PredictionSets", "make_sets"]

Method = Literal["lac", "by_class"]


@dataclass(frozen=True)
class OutcomeSets:
    """The sets of one outcome.

    Args:
        outcome: Its name.
        labels: Its labels.
        contains: Whether a label is in a patient's set; bool [n, labels].
        limits: For each label the score ``1 - p`` up to which it is in a set; infinite: in every set.
        patients: How many patients the limits were worked out on; of ``by_class`` those of each label.
    """

    outcome: str
    labels: tuple[str, ...]
    contains: NDArray[np.bool_]
    limits: tuple[float, ...]
    patients: tuple[int, ...]


@dataclass(frozen=True)
class PredictionSets:
    """Sets of labels.

    A set with several labels says that the model cannot tell; an empty one that the patient is unlike those the limits
    were worked out on.

    Args:
        alpha: Share of patients whose true label may be missed.
        method: ``lac`` or ``by_class``.
        ids: The patients; [n].
        outcomes: Outcome by outcome.
        on: Whose scores the limits are from, and what follows for the guarantee.
    """

    alpha: float
    method: str
    ids: tuple[str, ...]
    outcomes: tuple[OutcomeSets, ...]
    on: str

    @property
    def contains(self) -> NDArray[np.bool_]:
        """Whether a label is in a patient's set, of the only outcome; [n, labels].

        Raises:
            InputError: There are several outcomes.
        """
        if len(self.outcomes) > 1:
            raise InputError("several outcomes have a set each: look at .outcomes")
        return self.outcomes[0].contains

    def to_frame(self) -> pd.DataFrame:
        """One row per patient: ``id``, and for each outcome its set as text (``"Alive|Expired"``) and size."""
        columns: dict[str, object] = {"id": list(self.ids)}
        for each in self.outcomes:
            names = np.array(each.labels, dtype=object)
            columns[f"{each.outcome}: set"] = ["|".join(names[row]) for row in each.contains]
            columns[f"{each.outcome}: size"] = each.contains.sum(1)
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{each.outcome}: {each.contains.sum(1).mean():.2f} labels" for each in self.outcomes)
        return f"PredictionSets({len(self.ids)} patients, alpha={self.alpha:g}, {sizes} on average; {self.on})"


def make_sets(
    probability: Floats,
    ids: Sequence[str],
    schema: CohortSchema,
    scores: ConformalScores,
    alpha: float,
    method: str,
    on: str,
) -> PredictionSets:
    """Sets from probabilities and the scores of patients with known labels.

    Args:
        probability: As ``predict_proba`` gives them; [n, columns].
        ids: The patients; [n].
        schema: The model's.
        scores: Of the patients that the limits are worked out on.
        alpha: Share of patients whose true label may be missed, above 0 and below 1.
        method: ``lac``: one limit for all labels, so that sets hold the true label for a share ``1 - alpha`` of all
            patients. ``by_class``: a limit per label, so that they do for that share of the patients *of each label*
            (Mondrian conformal prediction).
        on: Whose scores they are.

    Raises:
        InputError: ``alpha`` or ``method`` is none, or no patient with a known label is among the scores.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0 < alpha < 1:
        raise InputError(f"predict_sets: alpha: expected a share above 0 and below 1, 0.1 say, got {alpha!r}")
    if method not in ("lac", "by_class"):
        near = near_names(str(method), ("lac", "by_class"))
        raise InputError(f"predict_sets: method: expected 'lac' or 'by_class', got {method!r}.{near}")
    outcomes = []
    for place, given in enumerate(label_probabilities(probability, schema)):
        outcome = schema.outcomes[place]
        own, label = scores.scores[place], scores.labels[place]
        if not len(own):
            raise InputError(f"predict_sets: no patient with a known {outcome.name!r} to work limits out on ({on})")
        numbers = range(len(outcome.classes))
        if method == "lac":
            limits, patients = (quantile_of(own, alpha),) * len(outcome.classes), (len(own),) * len(outcome.classes)
        else:
            limits = tuple(quantile_of(own[label == number], alpha) for number in numbers)
            patients = tuple(int((label == number).sum()) for number in numbers)
        contains = np.column_stack([1 - given[:, number] <= _with_room(limits[number]) for number in numbers])
        outcomes.append(OutcomeSets(outcome.name, tuple(map(str, outcome.classes)), contains, limits, patients))
    return PredictionSets(float(alpha), method, tuple(ids), tuple(outcomes), on)


def _with_room(limit: float) -> float:
    """A limit that its own patient's score does not miss by the last bits."""
    return limit if math.isinf(limit) else limit + 1e-12
