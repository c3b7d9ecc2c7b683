"""A fitted logistic regression as plain arrays: the table's standardisation and the coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from gdsfd.baselines.labels import Floats
from gdsfd.baselines.standardiser import Standardiser
from gdsfd.errors import InputError

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

__all__ = ["LinearModel"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LinearModel:
    """Log-odds that are linear in standardised columns. The numbers are those of scikit-learn's ``predict_proba``.

    Args:
        standardise: Makes the columns.
        coefficient: float64 [scores, columns].
        intercept: float64 [scores].
        seen: Numbers of the classes seen in training, ascending; two of them give one score.
        num_classes: All classes.
    """

    standardise: Standardiser
    coefficient: Floats
    intercept: Floats
    seen: Ints
    num_classes: int

    @classmethod
    def of(cls, standardise: Standardiser, model: LogisticRegression, classes: int) -> LinearModel:
        """Takes the coefficients of a fitted model.

        Args:
            standardise: What made its columns.
            model: Fitted on them, classes numbered.
            classes: Number of all classes, also those not seen.
        """
        seen = np.asarray(model.classes_).astype(np.int64)
        return cls(standardise, np.asarray(model.coef_), np.asarray(model.intercept_), seen, classes)

    def predict_proba(self, features: NDArray[np.float32]) -> Floats:
        """Probabilities of all classes; classes not seen in training get 0; [n, classes].

        Args:
            features: Rows of the flattened table, NaN = not measured; [n, F].
        """
        answer = np.zeros((len(features), self.num_classes))
        if len(features):
            scores = self.standardise(features) @ self.coefficient.T + self.intercept
            if scores.shape[1] == 1:
                positive = expit(scores[:, 0])
                answer[:, self.seen] = np.column_stack([1 - positive, positive])
            else:
                answer[:, self.seen] = softmax(scores, axis=1)
        return answer

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        own = {name: getattr(self, name) for name in ("coefficient", "intercept", "seen")}
        return {**own, "num_classes": np.array([self.num_classes]), **self.standardise.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], where: str, width: int) -> LinearModel:
        """Reads what :meth:`arrays` gave.

        Args:
            arrays: Name -> array.
            where: The file, for messages.
            width: Columns of the flattened table.

        Raises:
            InputError: An array is missing, or of another type or size.
        """
        wrong = _what_is_wrong(arrays, width)
        if wrong:
            raise InputError(f"{where}: damaged ({wrong}); copy the folder again, or train the model anew")
        coefficient, intercept, seen = (arrays[name] for name in ("coefficient", "intercept", "seen"))
        return cls(Standardiser.from_arrays(arrays), coefficient, intercept, seen, int(arrays["num_classes"][0]))


def _what_is_wrong(arrays: Mapping[str, NDArray[Any]], width: int) -> str:
    """Why arrays are not a linear model, or nothing."""
    whole = ("columns", "flags", "seen", "num_classes")
    real = ("low", "median", "high", "mean", "scale", "coefficient", "intercept")
    for name in (*whole, *real, "varying"):
        kind = "i" if name in whole else "f" if name in real else "b"
        if name not in arrays:
            return f"no array {name!r}"
        if arrays[name].dtype.kind != kind or arrays[name].ndim != (2 if name == "coefficient" else 1):
            return f"array {name!r}: got {arrays[name].dtype} {arrays[name].shape}"
        if kind == "f" and not np.isfinite(arrays[name]).all():
            return f"array {name!r} is not finite"
    columns, flags, seen, classes = (arrays[name] for name in whole)
    if any(len(arrays[name]) != len(columns) for name in ("low", "median", "high")):
        return "the columns' arrays differ in length"
    if any(len(arrays[name]) != len(columns) + len(flags) for name in ("mean", "scale", "varying")):
        return "the standardised columns' arrays differ in length"
    if len(classes) != 1 or len(seen) < 2 or not _inside(seen, int(classes[0])):
        return "its classes do not fit together"
    if not (_inside(columns, width) and _inside(flags, len(columns)) and (arrays["scale"] > 0).all()):
        return "a column is out of range"
    scores = 1 if len(seen) == 2 else len(seen)
    if arrays["coefficient"].shape != (scores, int(arrays["varying"].sum())) or len(arrays["intercept"]) != scores:
        return "its coefficients are of another table"
    return ""


def _inside(numbers: Ints, below: int) -> bool:
    return bool(numbers.min(initial=0) >= 0 and numbers.max(initial=-1) < below)
