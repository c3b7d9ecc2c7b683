"""What models of the flattened table beside a margin share: which offset belongs to which patient and class."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from gdsfd.baselines.flat_baseline import Classifier, FlatBaseline, Labels, Matrix, OutcomeRows
from gdsfd.baselines.labels import Floats
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.errors import InputError

__all__ = ["MarginBaseline", "Sample", "log_loss_beside"]


@dataclass(frozen=True)
class Sample:
    """Patients and what their suspects say.

    Args:
        x: The flattened table, NaN = not measured; [n, F].
        y: Numbers of the classes seen in training, 0 to k - 1; [n].
        offset: The margin on the scale of scores, which two classes have one of and more have k; float64 [n, scores].
        weight: Of the patients' losses; None = the same for all; [n].
    """

    x: Matrix
    y: Labels
    offset: Floats
    weight: Floats | None = None


class MarginBaseline(FlatBaseline):
    r"""A model of the flattened table, fitted beside the margin of the declared suspects and predicting without it.

    With scores :math:`f(x)` and the margin :math:`m = \log P(y \mid s) - \log P(y)` it minimises the cross-entropy of
    :math:`\operatorname{softmax}(f(x) + m)` and predicts :math:`\operatorname{softmax} f(x)`: what is left of the
    outcome once the suspects are known, as a network with ``margin`` does. What is chosen on tuning rows is chosen
    beside their margin, too.

    Args:
        seed: Of the model's own generator.

    References:
        Our formulation; see :func:`gdsfd.nn.losses.outcome_loss`.
    """

    reads_suspects: ClassVar[bool] = True
    min_tuning: int = 10

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._margin: Floats | None = None
        self._per_class = False

    def fit(self, graph: Any, suspects: SuspectFacts | None = None) -> Self:
        """Fits on the graph's training rows.

        Args:
            graph: The graph.
            suspects: What the declared suspects say of all its patients.

        Raises:
            InputError: They are not given, or of another graph; there is no labelled training patient.
        """
        self.check_available()
        if suspects is None:
            raise InputError(
                f"{self.name}: fit takes what the declared suspects say, too: fit(graph, suspect_facts(graph, "
                "('pattern', 'environment'))) of gdsfd.training.suspects.suspect_facts"
            )
        patients, outputs = len(graph["patient"].id), graph.schema.num_outputs
        if suspects.margin.shape != (patients, outputs):
            raise InputError(
                f"{self.name}: expected margins of {patients} patients and {outputs} outputs, got "
                f"{suspects.margin.shape}; work them out on the graph that is fitted on"
            )
        self._begin()
        self._margin, self._per_class = suspects.margin, graph.schema.multiclass
        try:
            return super().fit(graph)
        finally:
            self._margin = None

    @abstractmethod
    def _begin(self) -> None:
        """Forgets what an earlier fit chose."""

    @abstractmethod
    def _fit_beside(self, train: Sample, tuning: Sample | None, seen: Labels, classes: int) -> Classifier | None:
        """Fits beside the offsets.

        Args:
            train: Fitted on.
            tuning: Chosen by; None = too few patients of a class.
            seen: Numbers of the classes seen in training, ascending.
            classes: Number of all classes.
        """

    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier | None:
        """Where suspects say nothing: all offsets are 0."""
        both = [np.zeros((len(rows), classes)) for rows in (y, y_tuning)]
        return self.fit_beside((x, y, both[0]), (x_tuning, y_tuning, both[1]), classes)

    def _fit_outcome(self, rows: OutcomeRows) -> Classifier | None:
        assert self._margin is not None
        own = self._margin
        if not self._per_class:  # log-odds, one column per outcome
            own = np.column_stack([np.zeros(len(own)), own[:, rows.number]])
        train = (rows.x, rows.y, own[rows.train])
        return self.fit_beside(train, (rows.x_tuning, rows.y_tuning, own[rows.tuning]), rows.classes)

    def fit_beside(
        self,
        train: tuple[Matrix, Labels, Floats],
        tuning: tuple[Matrix, Labels, Floats],
        classes: int,
        weights: tuple[Floats, Floats] | None = None,
    ) -> Classifier | None:
        """Fits one outcome on given rows; None where no column can be used.

        Args:
            train: Rows of the flattened table, class numbers and a margin per class, [n, classes].
            tuning: The same of patients to choose by.
            classes: Number of all classes.
            weights: Of both; None = all alike.
        """
        seen = np.unique(train[1])
        judged = np.isin(tuning[1], seen)
        enough = min(np.bincount(tuning[1][judged], minlength=classes)[seen]) >= self.min_tuning
        kept: list[Sample] = []
        all_train = np.ones(len(train[1]), dtype=bool)
        for part, ((x, y, margin), chosen) in enumerate(((train, all_train), (tuning, judged))):
            offset = margin[chosen][:, seen]
            if len(seen) == 2:
                offset = offset[:, 1:] - offset[:, :1]
            weight = weights[part][chosen] if weights is not None else None
            kept.append(Sample(x[chosen], np.searchsorted(seen, y[chosen]).astype(np.int64), offset, weight))
        return self._fit_beside(kept[0], kept[1] if enough else None, seen, classes)


def log_loss_beside(scores: Floats, sample: Sample) -> float:
    """Mean cross-entropy of a sample's labels by scores and offsets, in nats.

    Args:
        scores: The model's own; float64 [n, scores].
        sample: The patients.
    """
    whole = scores + sample.offset
    if whole.shape[1] == 1:
        whole = np.column_stack([np.zeros(len(whole)), whole])
    rows = np.arange(len(whole))
    return float(np.mean(np.logaddexp.reduce(whole, axis=1) - whole[rows, sample.y]))
