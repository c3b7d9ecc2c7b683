r"""Gradient boosting with found strata.

EM's M-step for any predictor: with the responsibilities :math:`q_i(u)` of the mixture every patient stands in training
once per stratum, with weight :math:`q_i(u)` and the offset :math:`\operatorname{logit} P(y \mid u)`, which is left out
when predicting. Our formulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.flat_baseline import Classifier, Labels, Matrix, OutcomeRows
from gdsfd.baselines.labels import Floats
from gdsfd.baselines.strata_finder import declared, strata_or_why
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.cohort.schema import CohortSchema
from gdsfd.latent.found_strata import FoundStrata

__all__ = ["BoostingStrata", "once_per_stratum"]

#: Leaves of small trees -> the most of them.
FEW_LEAVES = MappingProxyType({4: 1000})
#: A patient does not stand in strata of a smaller responsibility.
LEAST_SHARE = 0.01


@BASELINES.register("boosting_strata")
class BoostingStrata(BoostingMargin):
    """LightGBM with found strata where they are a practice, and without any offset where they are not.

    Its settings are those of :class:`~gdsfd.baselines.boosting_margin.BoostingMargin`, except for the size of trees:
    trees of four leaves and those of ``max_leaf_nodes`` are both grown, and those with the lower log loss beside
    the offsets of the tuning rows are kept, as is their number. An offset that does not depend on content leaves it to
    the trees to learn how biased content goes with the stratum, which large trees learn badly from a few thousand
    patients.

    Args:
        seed: Of the model's own generator, and of EM's starts.
        force: Use at least two classes whatever the evidence says.
    """

    name = "gradient boosting + found strata"
    key = "boosting_strata"

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
            InputError: They are not given, or of another graph; there is no labelled training patient.
        """
        self._suspects, self._graph = declared(suspects, self.name), graph
        try:
            return super().fit(graph, suspects)
        finally:
            self._graph = None

    def describe(self) -> dict[str, Any]:
        return {
            **super().describe(),
            "name": self.name,
            "offset in training": "logit P(y | stratum), once per stratum, left out when predicting",
            "strata": self.found,
        }

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "found": list(self.found)}

    @classmethod
    def from_stored(
        cls, arrays: Mapping[str, NDArray[Any]], described: Mapping[str, Any], schema: CohortSchema, where: str
    ) -> Self:
        stored = super().from_stored(arrays, described, schema, where)
        stored.found = [str(sentence) for sentence in described["found"]]
        return stored

    def _begin(self) -> None:
        super()._begin()
        self.found = []

    def _chose_nothing(self) -> None:
        super()._chose_nothing()
        if len(self.found) < len(self.trees):
            self.found.append("There is nothing to learn from.")

    def _fit_outcome(self, rows: OutcomeRows) -> Classifier | None:
        found, sentence = strata_or_why(self._graph, rows.number, self._suspects, self.seed, self.force)
        self.other_sizes = {} if found is None else FEW_LEAVES
        if found is None:
            self.found.append(f"{sentence} Predictions are those of gradient boosting.")
            return self._fit_one(rows.x, rows.y, rows.x_tuning, rows.y_tuning, rows.classes)
        self.found.append(sentence)
        train = once_per_stratum(rows.x, rows.y, rows.train, found)
        tuning = once_per_stratum(rows.x_tuning, rows.y_tuning, rows.tuning, found)
        return self.fit_beside(train[:3], tuning[:3], rows.classes, (train[3], tuning[3]))


def once_per_stratum(x: Matrix, y: Labels, rows: Labels, found: FoundStrata) -> tuple[Matrix, Labels, Floats, Floats]:
    """Patients once per stratum in which they have a share.

    Args:
        x: Their flattened table; [n, F].
        y: Their class numbers; [n].
        rows: Their rows of the graph, all of them fitted on; [n].
        found: The strata.

    Returns:
        Table, classes, ``log P(y | u) - log P(y)`` per class, and weights; each of m rows.
    """
    order = np.argsort(found.rows)
    share = found.share[order[np.searchsorted(found.rows, rows, sorter=order)]]
    patient, stratum = np.nonzero(share >= LEAST_SHARE)
    return x[patient], y[patient], found.margins()[stratum], share[patient, stratum]
