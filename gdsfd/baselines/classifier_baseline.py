"""Any classifier with scikit-learn's interface as a baseline: fitted on the same table, judged in the same figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.flat_baseline import Classifier, FlatBaseline, Labels, Matrix
from gdsfd.baselines.labels import Floats
from gdsfd.baselines.standardiser import Standardiser
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError

__all__ = ["ClassifierBaseline"]

#: What classifiers raise at data that they do not take, and at weights that are not there.
_TOLD = (ValueError, TypeError, RuntimeError, OSError, ImportError, AttributeError, KeyError)


class ClassifierBaseline(FlatBaseline):
    """A classifier with ``fit`` and ``predict_proba``, as scikit-learn, XGBoost, CatBoost and others have them.

    It sees what gradient boosting sees, the flattened table (:func:`gdsfd.graph.flatten.flatten`), fitted on the
    labelled training patients with its settings as they are: nothing is chosen, tuning patients are not looked at.
    Several outcomes get a copy each, and patients whose label is unknown are left out of that outcome's fit. A
    classifier that takes missing values (its scikit-learn tag ``allow_nan`` says so) gets them as NaN; others get
    medians, flags for what was missing, and scaled columns, as logistic regression does.

    It is not stored: scikit-learn's own storage is pickle, and loading that runs code. Judge it with
    ``gdsfd.evaluate(model, graph, baselines={"forest": fitted})``, or in ``gdsfd compare``.

    Args:
        estimator: The classifier, unfitted; it is copied. None: what :meth:`make` gives.
        seed: For its ``random_state``, where it has one that is not set.
        missing: ``"nan"`` or ``"imputed"``; default: by the classifier's tag.
        name: What reports call it; default: its class.

    Raises:
        InputError: It is no classifier, or gives no probabilities.

    Example:
        >>> from sklearn.ensemble import ExtraTreesClassifier
        >>> ClassifierBaseline(ExtraTreesClassifier(n_estimators=300), seed=1)
        ClassifierBaseline(ExtraTreesClassifier(n_estimators=300), seed=1)
    """

    name = "a classifier"
    key = "classifier"
    on_request: ClassVar[bool] = True
    chosen_as = "chosen"

    def __init__(
        self, estimator: Any = None, seed: int = 0, missing: str | None = None, name: str | None = None
    ) -> None:
        super().__init__(seed)
        self.estimator = self.make(seed) if estimator is None else estimator
        if missing not in (None, "nan", "imputed"):
            raise InputError(f"ClassifierBaseline: missing: expected 'nan' or 'imputed', got {missing!r}")
        self.missing = missing
        self.chosen: list[None] = []
        self._check()
        self.name = name or (type(self).name if estimator is None else type(self.estimator).__name__)

    def make(self, seed: int) -> Any:
        """The classifier of a subclass that has one of its own.

        Args:
            seed: For its generator.
        """
        raise InputError(
            "ClassifierBaseline: expected a classifier, for example sklearn.ensemble's RandomForestClassifier()"
        )

    def _check(self) -> None:
        estimator = self.estimator
        if isinstance(estimator, type):
            raise InputError(f"ClassifierBaseline: expected a classifier, got the class; write {estimator.__name__}()")
        for method in ("fit", "predict_proba", "get_params"):
            if not hasattr(estimator, method):
                more = " (sklearn.calibration.CalibratedClassifierCV adds it)" if method == "predict_proba" else ""
                raise InputError(
                    f"ClassifierBaseline: {type(estimator).__name__} has no {method}{more}; expected a classifier with "
                    "scikit-learn's interface and probabilities"
                )

    def fit(self, graph: Any) -> Self:
        """Fits on the graph's training rows.

        Raises:
            InputError: There is no labelled training patient, or the classifier does not take the table; its own words
                are in the message.
        """
        self.chosen = []
        return super().fit(graph)

    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier | None:
        from sklearn.base import clone  # slow to import

        standardise = None if self._takes_missing() else Standardiser(x)
        table = x if standardise is None else standardise(x).astype(np.float32)
        if not table.shape[1]:
            return None
        seen, numbered = np.unique(y, return_inverse=True)  # without gaps, as some classifiers ask for
        model = _seeded(clone(self.estimator), self.seed)
        try:
            model.fit(table, numbered)
        except _TOLD as error:
            raise InputError(f"{self.name} could not be fitted: {_first_line(error)}{self.hint()}") from error
        self.chosen.append(None)
        return _Fitted(model, standardise, seen, classes, self.name)

    def hint(self) -> str:
        """What a user could do about a fit that failed."""
        return ""

    def _takes_missing(self) -> bool:
        if self.missing is not None:
            return self.missing == "nan"
        from sklearn.utils import get_tags

        return bool(get_tags(self.estimator).input_tags.allow_nan)

    def _chose_nothing(self) -> None:
        self.chosen.append(None)

    def describe(self) -> dict[str, Any]:
        """What was fitted, in words."""
        table = "missing as NaN" if self._takes_missing() else "median imputation, flags for missing values, scaled"
        return {"name": self.name, "features": f"flattened table; {table}", "classifier": _one_line(self.estimator)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Refuses: there is no storage that would not run code.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"{self.name} cannot be stored with a model: its own storage is pickle, and loading that runs code. Fit it "
            "where it is judged: evaluate(..., baselines={...}), or gdsfd compare"
        )

    def to_dict(self) -> dict[str, Any]:
        """Refuses, as :meth:`arrays`.

        Raises:
            InputError: Always.
        """
        self.arrays()
        return {}

    @classmethod
    def from_stored(
        cls, arrays: Mapping[str, NDArray[Any]], described: Mapping[str, Any], schema: CohortSchema, where: str
    ) -> Self:
        """Refuses, as :meth:`arrays`.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{where}: a {cls.key} is never stored with a model; copy the folder again")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_one_line(self.estimator)}, seed={self.seed})"


@dataclass(frozen=True)
class _Fitted:
    """A fitted classifier of some of the classes.

    Args:
        model: The classifier.
        standardise: What makes its columns; None = the table as it is.
        seen: Numbers of the classes seen in training, ascending.
        classes: Number of all classes.
        name: What messages call it.
    """

    model: Any
    standardise: Standardiser | None
    seen: Labels
    classes: int
    name: str

    def predict_proba(self, features: Matrix) -> Floats:
        """Probabilities of all classes; those not seen in training get 0; [n, classes]."""
        answer = np.zeros((len(features), self.classes))
        if not len(features):
            return answer
        table = features if self.standardise is None else self.standardise(features).astype(np.float32)
        try:
            given = np.asarray(self.model.predict_proba(table), dtype=np.float64)
        except _TOLD as error:
            raise InputError(f"{self.name} could not predict: {_first_line(error)}") from error
        if given.shape != (len(features), len(self.seen)) or not np.isfinite(given).all():
            raise InputError(
                f"{self.name}: expected probabilities of {len(features)} patients and {len(self.seen)} classes, got "
                f"an array {given.shape}{'' if np.isfinite(given).all() else ' with gaps'}"
            )
        answer[:, self.seen] = given
        return answer

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Nothing of it is stored."""
        return {}


def _seeded(model: Any, seed: int) -> Any:
    """The classifier with a seed, where it takes one and has none."""
    given = model.get_params()
    return model.set_params(random_state=seed) if "random_state" in given and given["random_state"] is None else model


def _one_line(estimator: Any) -> str:
    return (
        " ".join(str(estimator).split())
        if type(estimator).__repr__ is not object.__repr__
        else type(estimator).__name__
    )


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[0][:300]
