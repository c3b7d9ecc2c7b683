"""Loss weights: the protocol, the registry, and those that are fitted before training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from gdsfd.nn.losses.targets import Targets
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import Registry

__all__ = [
    "LOSS_WEIGHTS",
    "LossWeight",
    "PropensityWeight",
    "StratumWeight",
    "UniformWeight",
    "build_loss_weight",
    "check_loss_weight",
    "register_loss_weight",
]

LOSS_WEIGHTS: Registry[type[LossWeight]] = Registry("loss weight", ["gdsfd.nn.losses.loss_weight"])

#: Parameters of a loss weight that are no options: the training fills them in.
_FILLED_IN = ("num_rows", "num_outputs")


class LossWeight(nn.Module, ABC):
    """Weight of each label in the causal head's loss.

    Args:
        num_rows: Patients of the graph N (:attr:`Targets.rows` are their rows).
        num_outputs: Outcomes; 1 for a multi-class outcome.

    Attributes:
        fitted_from: What weights are worked out from before training, so that :attr:`Targets.weight` holds them and the
            epoch is chosen by them, too: ``"suspects"`` (``P(y) / P(y | suspects)``), ``"pattern"`` (``P(pattern) /
            P(pattern | what is always observed)``), or ``"nothing"``: they come from :meth:`forward` alone.
        needs_streams: Whether the biased head's logits are read.
    """

    fitted_from: ClassVar[Literal["nothing", "suspects", "pattern"]] = "nothing"
    needs_streams: ClassVar[bool] = False

    def __init__(self, num_rows: int, num_outputs: int) -> None:
        super().__init__()
        self.num_rows, self.num_outputs = num_rows, num_outputs

    @abstractmethod
    def forward(self, causal: Tensor, biased: Tensor | None, targets: Targets) -> Tensor | None:
        """Weights of a batch's labels.

        Args:
            causal: Logits of the head that is weighted, without gradient; float [B, outputs].
            biased: Logits of the biased head, without gradient; float [B, outputs]. None without streams.
            targets: Labels and what else is known of the patients.

        Returns:
            As ``targets.y``, best of mean 1; None = all 1.
        """


#: Class decorator that makes a loss weight known by a name, which the debias setting ``weight`` then takes.
register_loss_weight = LOSS_WEIGHTS.register


def check_loss_weight(name: object, options: Mapping[str, Any]) -> type[LossWeight]:
    """The class of a loss weight; refuses an unknown name, and options that it does not take.

    Raises:
        InputError: Names what is wrong.
    """
    return check_part(LOSS_WEIGHTS, name, options, _FILLED_IN, "debias setting 'weight'")


def build_loss_weight(name: str, num_rows: int, num_outputs: int, **options: Any) -> LossWeight:
    """Builds a loss weight; the arguments are those of :class:`LossWeight` and its own options.

    Raises:
        InputError: The name is unknown, or the weight does not take an option.

    Example:
        >>> build_loss_weight("uniform", 10, 1)
        UniformWeight()
    """
    return build_part(LOSS_WEIGHTS, name, num_rows, num_outputs, **options)


@register_loss_weight("uniform")
class UniformWeight(LossWeight):
    """All labels count alike."""

    def forward(self, causal: Tensor, biased: Tensor | None, targets: Targets) -> Tensor | None:
        """None."""
        return None


@register_loss_weight("stratum")
class StratumWeight(LossWeight):
    """``P(y) / P(y | suspects)``: among weighted patients the suspects tell nothing of the outcome."""

    fitted_from = "suspects"

    def forward(self, causal: Tensor, biased: Tensor | None, targets: Targets) -> Tensor | None:
        """What was worked out before training."""
        return targets.weight


@register_loss_weight("propensity")
class PropensityWeight(LossWeight):
    """``P(pattern) / P(pattern | what is always observed)``: inverse propensity of the pattern of modalities."""

    fitted_from = "pattern"

    def forward(self, causal: Tensor, biased: Tensor | None, targets: Targets) -> Tensor | None:
        """What was worked out before training."""
        return targets.weight
