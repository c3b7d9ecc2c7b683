"""What is fixed on tuning patients beside a model, so that new patients are judged by it: thresholds, recalibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gdsfd.baselines.labels import Floats
from gdsfd.errors import InputError
from gdsfd.training.run_record.operating_point import OperatingPoint, choose_threshold
from gdsfd.training.run_record.recalibration import RecalibrationLine, fit_recalibration

__all__ = ["SENSITIVITIES", "TunedRules", "tune_rules"]

#: Sensitivities on tuning patients whose thresholds are kept.
SENSITIVITIES: tuple[float, ...] = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99)


@dataclass(frozen=True)
class TunedRules:
    """Of one model, for each of its targets.

    Args:
        targets: The targets' names.
        points: For each target a threshold per entry of :data:`SENSITIVITIES`.
        lines: For each target its recalibration line.
    """

    targets: tuple[str, ...]
    points: tuple[tuple[OperatingPoint, ...], ...]
    lines: tuple[RecalibrationLine, ...]

    def at(self, sensitivity: float) -> list[OperatingPoint] | None:
        """The thresholds of one sensitivity, target by target; None where it is not kept."""
        for place, kept in enumerate(SENSITIVITIES):
            if math.isclose(kept, sensitivity, abs_tol=1e-9):
                return [own[place] for own in self.points]
        return None

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; NaN becomes None."""
        return {
            "sensitivities": list(SENSITIVITIES),
            "targets": {
                name: {
                    "thresholds": [_number(point.threshold) for point in points],
                    "reached": [_number(point.reached) for point in points],
                    "no_threshold": points[0].reason,
                    "intercept": _number(line.intercept),
                    "slope": _number(line.slope),
                    "no_line": line.reason,
                }
                for name, points, line in zip(self.targets, self.points, self.lines)
            },
        }

    @classmethod
    def from_dict(cls, stored: Any, where: str) -> TunedRules:
        """Reads what :meth:`to_dict` wrote.

        Args:
            stored: The dict.
            where: The file, for messages.

        Raises:
            InputError: Something is missing, or a threshold is no probability.
        """
        try:
            targets, points, lines = [], [], []
            if [float(one) for one in stored["sensitivities"]] != list(SENSITIVITIES):
                raise ValueError("other sensitivities")
            for name, own in stored["targets"].items():
                thresholds, reached = _numbers(own["thresholds"]), _numbers(own["reached"])
                if any(one < 0 or one > 1 for one in thresholds):
                    raise ValueError(f"target {name!r}: a threshold outside 0 to 1")
                targets.append(str(name))
                points.append(
                    tuple(
                        OperatingPoint(threshold, aim, there, str(own["no_threshold"]))
                        for threshold, aim, there in zip(thresholds, SENSITIVITIES, reached, strict=True)
                    )
                )
                (intercept,), (slope,) = _numbers([own["intercept"]]), _numbers([own["slope"]])
                if slope <= 0 or math.isnan(slope) != math.isnan(intercept):
                    raise ValueError(f"target {name!r}: no recalibration line")
                lines.append(RecalibrationLine(intercept, slope, str(own["no_line"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"{where}: the thresholds kept with the model are damaged ({error}); copy the folder again, or train "
                f"the model anew"
            ) from None
        return cls(tuple(targets), tuple(points), tuple(lines))


def tune_rules(targets: Sequence[str], y: Floats, p: Floats, own: Floats | None = None) -> TunedRules:
    """Fixes thresholds and recalibration lines.

    Args:
        targets: The targets' names.
        y: Labels of tuning patients, NaN = unlabelled; [n, targets].
        p: Their probabilities; [n, targets].
        own: As the network itself gives them, where ``p`` is recalibrated; the lines are of these.
    """
    points, lines = [], []
    for column in range(len(targets)):
        known = np.isfinite(y[:, column])
        labels, risks = y[known, column], p[known, column]
        points.append(tuple(choose_threshold(labels, risks, aim) for aim in SENSITIVITIES))
        lines.append(fit_recalibration(labels, risks if own is None else own[known, column]))
    return TunedRules(tuple(targets), tuple(points), tuple(lines))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _numbers(values: Sequence[Any]) -> list[float]:
    return [math.nan if value is None else float(value) for value in values]
