"""The patients that models are compared on, and what each model says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.training.model_selection.concordance import Concordance
from gdsfd.training.model_selection.evidence import concordance_of_models

__all__ = ["ComparedPatients"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ComparedPatients:
    """Patients whom none of the models was trained on, nor, of folds, chosen by.

    Args:
        y: Their labels: [n, outcomes], NaN = unknown or not judged, or class numbers [n], -1 = unknown.
        scores: Model -> its probabilities; [n, outputs].
        group: Whose pairs count, one with another; [n].
        subject: The person of each patient; [n].
        weight: Of each patient, [n], or of each for each outcome, [n, outcomes].
    """

    y: Tensor
    scores: Mapping[str, Floats]
    group: list[str]
    subject: list[str]
    weight: Floats

    def gain(self, first: str = "reference", other: str = "debiased") -> Concordance:
        """Concordance of two models, and what the second gains."""
        return concordance_of_models(
            self.y, self.scores[first], self.scores[other], self.group, self.subject, self.weight
        )

    def taken(self, places: NDArray[np.int64]) -> ComparedPatients:
        """Some of the patients, by their places."""
        return ComparedPatients(
            self.y[torch.from_numpy(places)],
            {name: scores[places] for name, scores in self.scores.items()},
            [self.group[place] for place in places],
            [self.subject[place] for place in places],
            self.weight[places],
        )

    def with_scores(self, scores: Mapping[str, Floats]) -> ComparedPatients:
        """The same patients with further models' probabilities."""
        return replace(self, scores={**self.scores, **scores})
