"""How a model's risks are corrected before they are given out: by nothing, a line on log-odds, or a rising curve."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gdsfd.baselines.labels import Floats, task_of
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.training.run_record.isotonic_steps import IsotonicSteps
from gdsfd.training.run_record.recalibration import RecalibrationLine

__all__ = ["METHODS", "Calibration", "calibrated", "columns_of"]

#: From the plainest to the freest.
METHODS = ("none", "logistic", "isotonic")
Correction = RecalibrationLine | IsotonicSteps


@dataclass(frozen=True)
class Calibration:
    """The correction of one outcome.

    Args:
        outcome: Its name.
        method: One of :data:`METHODS`.
        corrections: One per column of the outcome: a binary one has one, classes one each; none for ``none``.
        losses: Method -> cross-fitted log loss on tuning patients, nats per patient; of those that could be fitted.
        reason: Why it is ``none`` although another was asked for.
    """

    outcome: str
    method: str = "none"
    corrections: tuple[Correction, ...] = ()
    losses: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    def __call__(self, p: Floats) -> Floats:
        """The corrected risks. Those of classes are corrected one by one, and made to add up to 1 again.

        Args:
            p: One column per correction; [n, columns].
        """
        if self.method == "none":
            return p
        corrected = np.column_stack([each(p[:, k]) for k, each in enumerate(self.corrections)])
        return corrected if corrected.shape[1] == 1 else corrected / corrected.sum(1, keepdims=True)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        return {
            "outcome": self.outcome,
            "method": self.method,
            "corrections": [
                [each.intercept, each.slope]
                if isinstance(each, RecalibrationLine)
                else [list(each.risk), list(each.corrected)]
                for each in self.corrections
            ],
            "losses": dict(self.losses),
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, stored: Any, columns: int, where: str) -> Calibration:
        """Reads what :meth:`to_dict` wrote.

        Args:
            stored: The dict.
            columns: Columns of the outcome.
            where: The file, for messages.

        Raises:
            InputError: It is damaged.
        """
        try:
            method = str(stored["method"])
            read = {"none": None, "logistic": _line, "isotonic": _steps}[method]
            corrections = tuple(read(each) for each in stored["corrections"]) if read is not None else ()
            if len(corrections) != (0 if read is None else columns):
                raise ValueError("it is of another outcome")
            losses = {str(name): _finite(loss) for name, loss in stored["losses"].items()}
            return cls(str(stored["outcome"]), method, corrections, losses, str(stored["reason"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{where}: the recalibration kept with the model is damaged ({error}); copy the folder again, or train "
                "the model anew"
            ) from None


def columns_of(schema: CohortSchema) -> list[slice]:
    """The columns of each outcome among those of all targets."""
    if schema.multiclass:
        return [slice(0, len(schema.outcomes[0].classes))]
    return [slice(k, k + 1) for k in range(len(schema.outcomes))]


def calibrated(probability: Floats, schema: CohortSchema, calibrations: Sequence[Calibration]) -> Floats:
    """A model's probabilities, corrected.

    Args:
        probability: As ``predict_proba`` gives them; [n, columns].
        schema: The model's.
        calibrations: One per outcome; none: nothing is changed.
    """
    if all(each.method == "none" for each in calibrations) or not len(probability):
        return probability
    binary = task_of(schema) == "binary"
    targets = probability[:, 1:] if binary else probability
    parts = [each(targets[:, place]) for each, place in zip(calibrations, columns_of(schema), strict=True)]
    corrected = np.column_stack(parts)
    return np.column_stack([1 - corrected, corrected]) if binary else corrected


def _line(stored: Any) -> RecalibrationLine:
    intercept, slope = (_finite(each) for each in stored)
    if slope <= 0:
        raise ValueError("a line that does not rise")
    return RecalibrationLine(intercept, slope)


def _steps(stored: Any) -> IsotonicSteps:
    risk, corrected = (tuple(_finite(each) for each in row) for row in stored)
    if len(risk) != len(corrected) or len(risk) < 2 or min(corrected) <= 0 or max(corrected) >= 1:
        raise ValueError("no curve of risks")
    if any(later <= earlier for earlier, later in itertools.pairwise(risk)):
        raise ValueError("a curve whose risks do not rise")
    if any(later < earlier for earlier, later in itertools.pairwise(corrected)):
        raise ValueError("a curve that falls")
    return IsotonicSteps(risk, corrected)


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"expected a number, got {value!r}")
    return float(value)
