"""Settings of logistic regression, with a margin and without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gdsfd.baselines.flat_baseline import FlatBaseline
from gdsfd.baselines.linear_model import LinearModel

__all__ = ["LogisticSettings"]


class LogisticSettings(FlatBaseline):
    """Arguments and what was chosen; the arguments are those of the class that fits."""

    model_types: ClassVar[dict[str, Any]] = {"linear": LinearModel, **FlatBaseline.model_types}
    chosen_as = "chosen"

    def __init__(
        self,
        seed: int = 0,
        strengths: Sequence[float] = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
        max_iter: int = 300,
        min_tuning: int = 10,
    ) -> None:
        super().__init__(seed)
        self.strengths = tuple(strengths)
        self.max_iter = max_iter
        self.min_tuning = min_tuning
        #: Inverse penalty used, one number per outcome; 0 = nothing to learn from, training shares.
        self.chosen: list[float] = []

    def _chose_nothing(self) -> None:
        self.chosen.append(0.0)
