"""Baselines on the flattened table, with the interface of a ``Debiaser`` (``fit``, ``predict_proba``)."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.baseline import Baseline
from gdsfd.baselines.labels import Floats, labels_of, task_of
from gdsfd.baselines.table_rows import fitted_rows, pieces
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, NotFittedError, SchemaError
from gdsfd.graph.check_graph import check_graph, check_subjects, check_values
from gdsfd.graph.flatten import flat_width, flatten
from gdsfd.graph.loader import rows_of

__all__ = ["Classifier", "FlatBaseline", "OutcomeRows", "TrainingShares"]

Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]


class Classifier(Protocol):
    """A fitted classifier of numbered classes."""

    def predict_proba(self, features: Matrix) -> Floats:
        """Probabilities of all classes; [n, classes]."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored of it."""


class TrainingShares:
    """Predicts the training shares where there is nothing to learn from: one class only, or no column that varies.

    Args:
        shares: Share of each class among the labelled training patients; [classes].
    """

    def __init__(self, shares: Floats) -> None:
        self.shares = shares

    def predict_proba(self, features: Matrix) -> Floats:
        return np.tile(self.shares, (len(features), 1))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        return {"shares": self.shares}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], where: str, width: int) -> TrainingShares:
        """Reads what :meth:`arrays` gave.

        Raises:
            InputError: It is no set of shares.
        """
        shares = arrays.get("shares", np.zeros(0))
        if shares.ndim != 1 or len(shares) < 2 or not np.isclose(shares.sum(), 1) or (shares < 0).any():
            raise InputError(f"{where}: damaged (no shares of classes); copy the folder again, or train the model anew")
        return cls(shares)


@dataclass(frozen=True)
class OutcomeRows:
    """The labelled patients of one outcome.

    Args:
        number: Of the outcome.
        classes: Its classes, those not seen in training among them.
        train: Rows of the graph that are fitted on; int64 [n].
        x: Their flattened table, NaN = not measured; [n, F].
        y: Their class numbers; [n].
        tuning: Rows of the graph to choose by; int64 [m].
        x_tuning: Their flattened table.
        y_tuning: Their class numbers.
    """

    number: int
    classes: int
    train: Labels
    x: Matrix
    y: Labels
    tuning: Labels
    x_tuning: Matrix
    y_tuning: Labels


class FlatBaseline(Baseline):
    """A model of the flattened table.

    Everything is fitted on the labelled training rows; what is chosen (penalty, number of trees) is chosen on the
    labelled tuning rows.

    Args:
        seed: Of the model's own generator.
    """

    #: Name of the attribute that lists what was chosen, one entry per outcome.
    chosen_as: str = ""
    #: Fitted models it may hold, by the name they are stored under.
    model_types: ClassVar[dict[str, Any]] = {"shares": TrainingShares}

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self.models: list[Classifier] | None = None  #: One fitted model per outcome.
        self.schema: Any = None  #: Of the graph fitted on.

    @abstractmethod
    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier | None:
        """Fits classes ``0 .. classes - 1`` of which at least two stand in ``y``; None where no column can be used."""

    def _fit_outcome(self, rows: OutcomeRows) -> Classifier | None:
        """Fits one outcome; for a model that has to know which of the graph's patients it sees."""
        return self._fit_one(rows.x, rows.y, rows.x_tuning, rows.y_tuning, rows.classes)

    @abstractmethod
    def _chose_nothing(self) -> None:
        """Notes that an outcome got :class:`TrainingShares`, so that what was chosen has one number per outcome."""

    def fit(self, graph: Any) -> Self:
        """Fits on the graph's training rows; of more than fit, on some drawn at random (:mod:`.table_rows`).

        Raises:
            InputError: There is no labelled training patient, or a person stands in several splits.
        """
        check_graph(graph)
        check_values(graph)
        check_subjects(graph)
        schema = graph.schema
        train, tuning = (
            fitted_rows(np.flatnonzero(np.asarray(graph["patient"].split, dtype=str) == part), schema)
            for part in ("train", "tuning")
        )
        x, _ = flatten(graph, train)
        x_tuning, _ = flatten(graph, tuning)
        y, y_tuning = self._numbered(graph, train), self._numbered(graph, tuning)
        classes = len(schema.outcomes[0].classes) if schema.multiclass else 2
        models: list[Classifier] = []
        for column, name in enumerate(outcome.name for outcome in schema.outcomes):
            known, known_tuning = y[:, column] >= 0, y_tuning[:, column] >= 0
            own, own_tuning = y[known, column], y_tuning[known_tuning, column]
            if not len(own):
                raise InputError(
                    f"outcome {name!r}: no training patient has a label, so {self.name} cannot be fitted on this "
                    "graph; leave the baselines out (baselines=False, --no-baselines), or give ones that are fitted"
                )
            model = None
            if len(np.unique(own)) > 1 and x.shape[1]:
                model = self._fit_outcome(
                    OutcomeRows(
                        column,
                        classes,
                        train[known],
                        x[known],
                        own,
                        tuning[known_tuning],
                        x_tuning[known_tuning],
                        own_tuning,
                    )
                )
            if model is None:
                self._chose_nothing()
                model = TrainingShares(np.bincount(own, minlength=classes) / len(own))
            models.append(model)
        self.models, self.schema = models, schema
        return self

    def predict_proba(self, graph: Any, split: str | None = None, ids: Sequence[str] | None = None) -> Floats:
        """Probabilities as a ``Debiaser`` gives them, rows in the order of the graph (or of ``ids``).

        Args:
            graph: The graph; its schema must be the one fitted on.
            split: A split's name.
            ids: Ids of patients.

        Returns:
            Two columns for a binary outcome, one per class or one per outcome otherwise.

        Raises:
            NotFittedError: :meth:`fit` was not called.
            SchemaError: The graph was built with another schema.
        """
        if self.models is None:
            raise NotFittedError(f"{self.name} was not fitted; call fit(graph) first")
        if graph.schema.modalities != self.schema.modalities:
            raise SchemaError(
                f"{self.name} was fitted on a graph with other columns or vocabularies; build the new patients with "
                "build_graph(spec, like=<the training graph>)"
            )
        rows = rows_of(graph, split=split, ids=ids).numpy()
        tables = (flatten(graph, some)[0] for some in pieces(rows, self.schema))
        parts = [[model.predict_proba(x) for model in self.models] for x in tables]
        answers = [np.concatenate(own) for own in zip(*parts)]
        if task_of(self.schema) == "multi-label":
            return np.column_stack([answer[:, 1] for answer in answers])
        return answers[0]

    def arrays(self) -> dict[str, NDArray[Any]]:
        assert self.models is not None
        return {
            f"{number}.{name}": array
            for number, model in enumerate(self.models)
            for name, array in model.arrays().items()
        }

    def to_dict(self) -> dict[str, Any]:
        assert self.models is not None
        return {
            "settings": {name: getattr(self, name) for name in self._settings()},
            "chosen": list(getattr(self, self.chosen_as)),
            "models": [
                next(name for name, kind in self.model_types.items() if isinstance(model, kind))
                for model in self.models
            ],
        }

    @classmethod
    def from_stored(
        cls, arrays: Mapping[str, NDArray[Any]], described: Mapping[str, Any], schema: CohortSchema, where: str
    ) -> Self:
        settings = {name: described["settings"][name] for name in cls._settings()}
        chosen, kinds = list(described["chosen"]), [cls.model_types[each] for each in described["models"]]
        baseline = cls(**settings)
        if not len(kinds) == len(chosen) == len(schema.outcomes):
            raise InputError(f"{where}: {len(kinds)} models for {len(schema.outcomes)} outcomes; copy the folder again")
        width = flat_width(schema)
        models: list[Classifier] = []
        for number, each in enumerate(kinds):
            prefix = f"{number}."
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            models.append(each.from_arrays(own, where, width))
        setattr(baseline, cls.chosen_as, chosen)
        baseline.models, baseline.schema = models, schema
        return baseline

    @classmethod
    def _settings(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    @staticmethod
    def _numbered(graph: Any, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Class numbers, -1 = unlabelled; one column per outcome."""
        if graph.schema.multiclass:
            return graph["patient"].y.numpy()[rows].reshape(-1, 1)
        labels = labels_of(graph, rows)
        return np.where(np.isfinite(labels), labels, -1).astype(np.int64)
