"""An adversary that predicts declared suspects from the causal code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.errors import InputError
from gdsfd.nn.dependence.code_network import CodeNetwork
from gdsfd.nn.dependence.dependence import CodeGroup
from gdsfd.nn.dependence.learned import LearnedDependence, frozen_call
from gdsfd.nn.dependence.registry import register_dependence
from gdsfd.nn.dependence.running_scale import RunningScale
from gdsfd.setting_checks import Number, Whole

__all__ = ["Adversary"]


@register_dependence("grl")
class Adversary(LearnedDependence):
    r"""What an adversary reads of the suspects :math:`s` from the causal code, in nats.

    .. math:: I(z_c; s) \ge H(s) - E[-\log q(s | z_c)]

    The adversary :math:`q` descends its cross-entropy, the encoder ascends it: the gradient-reversal game, with the
    reversal done by turns (``critic_loss`` and ``forward``) in place of a layer that flips signs. Here the entropy
    :math:`H(s)` of the suspects among the rows stands beside it, so that 0 means that nothing is read; below ``floor``
    the encoder stops, and does not go on to teach the adversary the opposite. Averaged over the suspect columns. With a
    condition, the adversary is told the class and :math:`H(s | y)` takes the place of :math:`H(s)`. The biased code is
    not read.

    A suspect that is missing (-1), or of a level not declared, takes no part; a column with fewer than three known rows
    is left out. Entropy among few rows is underestimated, by about (levels - 1) / (2 rows) nats.

    Args:
        channels_causal: Width d_c.
        channels_biased: Not read.
        num_suspects: Levels of each suspect column, at least one column.
        hidden: Width of the adversary's hidden layers.
        floor: Nats below which nothing is descended.

    Raises:
        InputError: No suspect column, or one of fewer than one level.

    References:
        Ganin and Lempitsky, ICML 2015 (the game); Barber and Agakov, NeurIPS 2003 (the bound).
    """

    bound: ClassVar[Literal["lower", "upper", "none"]] = "lower"
    needs_suspects: ClassVar[bool] = True

    def __init__(
        self,
        channels_causal: int,
        channels_biased: int,
        num_suspects: Sequence[int] = (),
        hidden: Annotated[int, Whole(1, 4096)] = 64,
        floor: Annotated[float, Number(-1000, 1000)] = -1.0,
    ) -> None:
        super().__init__(channels_causal, channels_biased, num_suspects, floor)
        if not self.num_suspects or min(self.num_suspects) < 1:
            raise InputError(
                f"grl predicts declared suspects: num_suspects must give the number of levels of each, got "
                f"{list(self.num_suspects)}; declare suspects, or use an estimator that needs none, such as 'xcov'"
            )
        self.critic = CodeNetwork(channels_causal, sum(self.num_suspects), hidden)

    def estimate(self, group: CodeGroup) -> Tensor:
        """The bound within one group, in nats."""
        return self._mean_over_suspects(frozen_call(self.critic, group.causal, group.label), group, entropy=True)

    def critic_term(self, group: CodeGroup) -> Tensor:
        """The adversary's cross-entropy within one group, in nats."""
        return self._mean_over_suspects(self.critic(group.causal, group.label), group, entropy=False)

    def scales(self) -> tuple[RunningScale, RunningScale | None]:
        """Of the causal code, the only one read."""
        return self.critic.scale, None

    def _mean_over_suspects(self, logits: Tensor, group: CodeGroup, entropy: bool) -> Tensor:
        """Mean over columns of the cross-entropy, or of the entropy less the cross-entropy."""
        assert group.suspects is not None  # forward has checked it
        total, columns = logits.sum() * 0, logits.new_zeros(())
        for column, scores in enumerate(logits.split(self.num_suspects, dim=1)):
            levels = group.suspects[:, column]
            known = (levels >= 0) & (levels < scores.size(1))
            counted = known.sum()
            told = torch.where(known, levels, -1)
            missed = F.cross_entropy(scores, told, ignore_index=-1, reduction="sum") / counted.clamp(min=1)
            enough = (counted >= self.fewest_rows).to(scores.dtype)
            share = F.one_hot(told[known], scores.size(1)).to(scores.dtype).sum(0) / counted.clamp(min=1)
            value = torch.special.entr(share).sum() - missed if entropy else missed
            total, columns = total + enough * value, columns + enough
        return total / columns.clamp(min=1)
