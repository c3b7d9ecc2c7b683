"""The back-door average over found strata, linear and Gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, ClassVar, Self

from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.flat_baseline import Classifier, FlatBaseline, Labels, Matrix, OutcomeRows
from gdsfd.baselines.linear_model import LinearModel
from gdsfd.baselines.logistic import Logistic
from gdsfd.baselines.strata_finder import declared, strata_or_why
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.errors import NotFittedError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.loader import rows_of
from gdsfd.latent.back_door import BackDoor

__all__ = ["LatentLinear"]


@BASELINES.register("latent_linear")
class LatentLinear(FlatBaseline):
    """Averages found strata out where they are a practice, and is logistic regression where they are not.

    Strata are those of :func:`gdsfd.latent.find_strata`: of numbers, and of codes and categories where these show a
    practice that numbers do not; the average reads what the strata were found in. They count only when they are tied
    to a declared suspect and write elsewhere than the outcome does; otherwise nothing is done, and :attr:`found` says
    why.

    Args:
        seed: Of EM's starts.
        force: Average over at least two classes whatever the evidence says.
    """

    name = "back-door average over found strata (linear)"
    key = "latent_linear"
    reads_suspects: ClassVar[bool] = True
    model_types: ClassVar[dict[str, Any]] = {
        "back_door": BackDoor,
        "linear": LinearModel,
        **FlatBaseline.model_types,
    }
    chosen_as = "found"

    def __init__(self, seed: int = 0, force: bool = False) -> None:
        super().__init__(seed)
        self.force = force
        self.found: list[str] = []  #: What was found and done, one sentence per outcome.
        self._graph: Any = None
        self._suspects: tuple[str, ...] = ()

    def fit(self, graph: Any, suspects: SuspectFacts | None = None) -> Self:
        """Fits on labelled training patients; strata on labelled tuning patients, too.

        Args:
            graph: The graph.
            suspects: What the declared suspects say; only which there are is looked at.

        Raises:
            InputError: They are not given; there is no labelled training patient.
        """
        self._suspects, self.found = declared(suspects, self.name), []
        self._graph = graph
        try:
            return super().fit(graph)
        finally:
            self._graph = None

    def adapt(self, graph: Any, split: str | None = None, ids: Sequence[str] | None = None) -> Self:
        """A copy whose strata weigh what they weigh among other patients, worked out without their labels.

        Args:
            graph: Their graph, built like the one fitted on.
            split: A split's name.
            ids: Ids of patients.

        Raises:
            NotFittedError: :meth:`fit` was not called.
        """
        if self.models is None:
            raise NotFittedError(f"{self.name} was not fitted; call fit(graph) first")
        table, _ = flatten(graph, rows_of(graph, split=split, ids=ids).numpy())
        other = copy(self)
        other.models = [each.adapted(table) if isinstance(each, BackDoor) else each for each in self.models]
        return other

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "features": "numbers of tables, means of events, vectors; what is missing is integrated out",
            "strata": self.found,
        }

    def _chose_nothing(self) -> None:
        self.found = [*self.found, "There is nothing to learn from."]

    def _fit_outcome(self, rows: OutcomeRows) -> Classifier | None:
        found, sentence = strata_or_why(self._graph, rows.number, self._suspects, self.seed, self.force)
        if found is None:
            model = self._fit_one(rows.x, rows.y, rows.x_tuning, rows.y_tuning, rows.classes)
            sentence += " Predictions are those of logistic regression."
        else:
            model = BackDoor.of(found)
        if model is not None:
            self.found = [*self.found, sentence]
        return model

    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier | None:
        return Logistic(self.seed)._fit_one(x, y, x_tuning, y_tuning, classes)
