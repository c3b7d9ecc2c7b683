"""The adjustment protocol (what predicts in place of the causal head), and its registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import Registry
from gdsfd.setting_checks import brief

__all__ = ["ADJUSTMENTS", "Adjustment", "build_adjustment", "check_adjustment", "register_adjustment"]

ADJUSTMENTS: Registry[type[Adjustment]] = Registry("adjustment", ["gdsfd.nn.adjustment"])

#: Parameters of an adjustment that are no options: the network fills them in.
_FILLED_IN = ("channels", "outputs", "multiclass", "dropout")


class Adjustment(nn.Module, ABC):
    """A head on the causal code whose prediction is adjusted for a confounder.

    It is fitted on the biased codes of training patients, without labels, when the first stage of training ends, and
    again every :attr:`refit_every` epochs. What it keeps of them stands in buffers, so that it is stored with the
    weights; buffers whose size is known only then are :class:`~gdsfd.nn.adjustment.fitted_buffers.FittedBuffers`.

    Args:
        channels: Width d of codes.
        outputs: Number of outputs.
        multiclass: Whether the outputs are classes of one outcome.
        dropout: Of numbers of the code.
    """

    #: Epochs between fits; 0 = only one.
    refit_every: int = 0

    def __init__(self, channels: int, outputs: int, multiclass: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        self.channels, self.outputs, self.multiclass = channels, outputs, multiclass

    @abstractmethod
    def forward(self, code: Tensor) -> Tensor:
        """The adjusted prediction: logits, [B, outputs].

        In evaluation mode a patient's must not depend on who else is in the batch.

        Args:
            code: Patients' causal codes, [B, d].
        """

    @torch.no_grad()
    def fit(self, source: Tensor, group: Tensor | None) -> None:
        """Takes in the training patients; nothing by default.

        Args:
            source: Their biased codes, [N, d].
            group: Their groups, where the adjustment has any; int64 [N].
        """

    def training_strata(self, source: Tensor, group: Tensor | None) -> Tensor | None:
        """The stratum of each patient of a training batch, int64 [B]; None = strata do not enter training.

        Args:
            source: Biased codes without gradient, [B, d].
            group: Groups of the patients, int64 [B].
        """
        return None

    def outcome_logits(self, code: Tensor, stratum: Tensor | None) -> Tensor:
        """The logits whose loss trains the causal stream, and by which epochs are chosen; the prediction by default.

        Args:
            code: Causal codes, [B, d].
            stratum: What :meth:`training_strata` gave.
        """
        logits: Tensor = self(code)
        return logits

    def start_from(self, bias: Tensor) -> None:
        """Sets the biases of the outputs, [outputs], for a start at the outcome's rate; nothing by default."""


#: Class decorator that makes an adjustment known by a name, which the debias setting ``adjustment`` then takes.
register_adjustment = ADJUSTMENTS.register


def check_adjustment(name: object, options: Mapping[str, Any]) -> None:
    """Refuses an unknown adjustment, and options that it does not take.

    Args:
        name: A registered name, or ``"none"``, which takes no options.
        options: The adjustment's own options.

    Raises:
        InputError: Names what is wrong.
    """
    if name == "none":
        if options:
            raise InputError(f"debias setting 'adjustment_options': adjustment='none' takes none, got {brief(options)}")
        return
    check_part(ADJUSTMENTS, name, options, _FILLED_IN, "debias setting 'adjustment'")


def build_adjustment(
    name: str, channels: int, outputs: int, multiclass: bool, dropout: float, **options: Any
) -> Adjustment:
    """Builds an adjustment; the arguments are those of :class:`Adjustment` and its own options.

    Raises:
        InputError: The name is unknown, or the adjustment does not take an option.
    """
    return build_part(ADJUSTMENTS, name, channels, outputs, multiclass, dropout, **options)
