"""Baselines: what a user would pick instead of a network, with the interface of a ``Debiaser`` and own storage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gdsfd.baselines.labels import Floats
from gdsfd.cohort.schema import CohortSchema
from gdsfd.registry import Registry

__all__ = ["BASELINES", "Baseline", "fitted_with_every_model"]


class Baseline(ABC):
    """A model that stands beside the one judged in every table.

    Args:
        seed: Of the model's own generator.

    Attributes:
        reads_suspects: Whether it adjusts for the declared suspects: ``fit(graph, facts)`` then takes their
            :class:`~gdsfd.baselines.suspect_facts.SuspectFacts`. Such a rival of debiased networks is fitted where it
            is asked for, by ``gdsfd compare`` and the studies, not with every model.
        on_request: Whether it is fitted only where it is asked for, whatever it reads.
    """

    reads_suspects: ClassVar[bool] = False
    on_request: ClassVar[bool] = False

    #: What reports call it.
    name: str = ""
    #: What ``metrics.json`` and files call it; the name it is registered under.
    key: str = ""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    @classmethod  # noqa: B027 -- most need nothing further
    def check_available(cls) -> None:
        """Refuses where something that fitting needs is not installed.

        Raises:
            InputError: Says what to install.
        """

    @abstractmethod
    def fit(self, graph: Any) -> Self:
        """Fits on the graph's training rows; what is chosen is chosen on tuning rows."""

    @abstractmethod
    def predict_proba(self, graph: Any, split: str | None = None, ids: Sequence[str] | None = None) -> Floats:
        """Two columns for a binary outcome, one per class or outcome otherwise; rows in the order of the graph."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What was fitted and chosen, in words and numbers."""

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What is stored of the fitted model, as arrays."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What else is stored, JSON-able."""

    @classmethod
    @abstractmethod
    def from_stored(
        cls, arrays: Mapping[str, NDArray[Any]], described: Mapping[str, Any], schema: CohortSchema, where: str
    ) -> Self:
        """Reads what :meth:`arrays` and :meth:`to_dict` gave.

        Args:
            arrays: Name -> array.
            described: The rest.
            schema: Of the model that the baseline stands beside.
            where: The file, for messages.

        Raises:
            InputError: Arrays are damaged.
            KeyError, TypeError, ValueError: The description is.
        """


#: Baselines by name; a class decorator declares one: ``@BASELINES.register("mine")``. Those registered are fitted with
#: every model that is trained with baselines, but for those that read the declared suspects or wait to be asked for.
BASELINES: Registry[type[Baseline]] = Registry(
    "baseline",
    built_in=[
        "gdsfd.baselines.boosting",
        "gdsfd.baselines.logistic",
        "gdsfd.baselines.boosting_margin",
        "gdsfd.baselines.logistic_margin",
        "gdsfd.baselines.latent_linear",
        "gdsfd.baselines.boosting_strata",
        "gdsfd.baselines.named_classifiers",
    ],
)


def fitted_with_every_model() -> tuple[str, ...]:
    """Names of the baselines that are fitted with every model; built-in ones first.

    Example:
        >>> fitted_with_every_model()[:2]
        ('boosting', 'logistic')
    """
    kinds = {name: BASELINES.find(name) for name in BASELINES.names()}
    return tuple(name for name, kind in kinds.items() if not (kind.reads_suspects or kind.on_request))
