"""Targets of a training step: labels, weights, margins and suspects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

__all__ = ["Targets"]


@dataclass(eq=False)
class Targets:
    """Labels of some patients, and what their declared suspects say of them.

    Args:
        y: float [B, outcomes] with NaN = unlabelled, or int64 [B] with -1 = unlabelled.
        rows: Rows of the graph's patients; int64 [B].
        weight: ``P(y) / P(y | suspects)`` or ``P(pattern) / P(pattern | what is always observed)``, clipped, mean 1
            over training patients; as ``y``. None = all 1.
        margin: ``log P(y | suspects) - log P(y)`` per output; float [B, outputs]. None = all 0.
        suspects: Codes of the declared suspects, -1 = missing; int64 [B, S]. None = none declared.
        group: Pattern (and environment) class that the patients' strata are within; int64 [B]. None = no strata.
        strata_share: ``P(u | x, v, y)``, the responsibilities of found strata for patients of ``train`` and ``tuning``;
            float [B, K], or [B, K, outcomes] where each of several outcomes has strata of its own. None = none found.
        strata_margin: ``log P(y | u) - log P(y)`` per output; float [B, K, outputs]. Where there is one ``margin`` is
            not looked at.
        trees: Log-odds of boosted trees that some members start from (:mod:`gdsfd.training.boosted_start`); float
            [B, outputs]. None = no member does.
    """

    y: Tensor
    rows: Tensor
    weight: Tensor | None = None
    margin: Tensor | None = None
    suspects: Tensor | None = None
    group: Tensor | None = None
    strata_share: Tensor | None = None
    strata_margin: Tensor | None = None
    trees: Tensor | None = None

    def beside_trees(self) -> Targets:
        """The targets of a member that starts from trees: its logits are trained beside theirs, and any margin."""
        assert self.trees is not None
        margin = self.trees if self.margin is None else self.margin + self.trees
        if self.strata_margin is None:
            return replace(self, margin=margin)
        return replace(self, margin=margin, strata_margin=self.strata_margin + self.trees.unsqueeze(-2))

    def take(self, places: Tensor) -> Targets:
        """Some of the patients; ``places`` int64 [b]."""
        return self._each(lambda part: part[places])

    def to(self, device: torch.device | str) -> Targets:
        """Everything on ``device``."""
        return self._each(lambda part: part.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> Targets:
        return replace(self, **{name: change(part) for name, part in vars(self).items() if part is not None})
