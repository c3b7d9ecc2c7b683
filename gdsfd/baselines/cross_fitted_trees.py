"""Boosted trees fitted once per fold of the training patients, whose log-odds of a patient are those trees' mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.boosted_trees import BoostedTrees
from gdsfd.baselines.flat_baseline import Classifier, Matrix, TrainingShares
from gdsfd.baselines.labels import Floats
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.flatten import flat_width

__all__ = ["CrossFittedTrees", "log_odds"]

_KINDS: dict[str, Any] = {"trees": BoostedTrees, "shares": TrainingShares}
#: Probabilities are kept this far from 0 and 1.
_LEAST = 1e-6


def log_odds(probability: Floats, multiclass: bool) -> Floats:
    """Scores on the scale of a network's logits: log-odds of the positive label, or log-probabilities.

    Args:
        probability: Of all classes; [n, classes].
        multiclass: Whether the classes are those of one multi-class outcome.

    Returns:
        float64 [n, 1], or [n, classes].
    """
    kept = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.log(kept) if multiclass else np.log(kept[:, 1:]) - np.log(1 - kept[:, 1:])


@dataclass(frozen=True)
class CrossFittedTrees:
    """Models of the flattened table, several per outcome, each fitted without one fold of the training patients.

    Args:
        models: Of each outcome, one per fold.
        multiclass: Whether there is one multi-class outcome.
    """

    models: Sequence[Sequence[Classifier]]
    multiclass: bool

    def logits(self, features: Matrix) -> NDArray[np.float32]:
        """Mean log-odds over folds (log-probabilities of several classes); [n, outputs].

        Args:
            features: Rows of the flattened table, NaN = not measured; [n, F].
        """
        columns = []
        for own in self.models:
            each = [log_odds(model.predict_proba(features), self.multiclass) for model in own]
            columns.append(np.mean(each, axis=0))
        return np.concatenate(columns, axis=1).astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        found: dict[str, NDArray[Any]] = {}
        for outcome, own in enumerate(self.models):
            for fold, model in enumerate(own):
                kind = next(name for name, each in _KINDS.items() if isinstance(model, each))
                found |= {f"{outcome}.{fold}.{kind}.{name}": array for name, array in model.arrays().items()}
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], schema: CohortSchema, where: str) -> CrossFittedTrees:
        """Reads what :meth:`arrays` gave.

        Args:
            arrays: Name -> array.
            schema: The model's: its outcomes, and which columns the flattened table has.
            where: The file, for messages.

        Raises:
            InputError: An array is missing, or points elsewhere than it may.
        """
        parts: dict[tuple[int, int], tuple[str, dict[str, NDArray[Any]]]] = {}
        for name, array in arrays.items():
            place = name.split(".")
            if len(place) != 4 or not (place[0].isdecimal() and place[1].isdecimal()) or place[2] not in _KINDS:
                raise InputError(f"{where}: damaged (no array is called {name!r}); copy the folder again")
            parts.setdefault((int(place[0]), int(place[1])), (place[2], {}))[1][place[3]] = array
        width, models = flat_width(schema), []
        for outcome in range(len(schema.outcomes)):
            folds = sorted(fold for number, fold in parts if number == outcome)
            if folds != list(range(len(folds))) or not folds:
                raise InputError(f"{where}: damaged (outcome {outcome} has the folds {folds}); copy the folder again")
            kept = [parts[outcome, fold] for fold in folds]
            models.append([_KINDS[kind].from_arrays(own, where, width) for kind, own in kept])
        return cls(models, schema.multiclass)
