"""The protocol of dependence measures, between encoders, critics and the training loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.ops.dropout import plain_float
from gdsfd.ops.traced import is_traced

__all__ = ["CodeGroup", "Dependence"]


@dataclass(frozen=True)
class CodeGroup:
    """The codes of patients among whom dependence is looked for: the whole batch, or one class of it.

    Args:
        causal: Causal codes, [n, d_c].
        biased: Biased codes, [n, d_b].
        label: The class, or None for the whole batch.
        suspects: int64 [n, columns] with -1 = missing, or None.
    """

    causal: Tensor
    biased: Tensor
    label: int | None = None
    suspects: Tensor | None = None

    @property
    def rows(self) -> int:
        """How many patients, n."""
        return self.causal.size(0)


class Dependence(nn.Module, ABC):
    """How much two codes share, as a scalar that encoders minimise.

    A subclass says in :meth:`estimate` what it finds among the rows of one group. This class does the rest: with a
    ``condition``, each class is a group of its own and the estimates are averaged by class share, which makes of an
    estimate of :math:`I(z_c; z_b)` one of :math:`I(z_c; z_b | y)`. A group of fewer than ``fewest_rows`` is left out;
    when none is left the estimate is 0 with a gradient of 0.

    An estimator that learns a critic is used in turns, critic first
    (:func:`~gdsfd.nn.dependence.alternate.critic_step`): the gradient of ``forward`` reaches the codes and never the
    critic, that of ``critic_loss`` the critic and never the codes.

    Args:
        channels_causal: Width d_c of the causal code.
        channels_biased: Width d_b of the biased code.
        num_suspects: Levels of each declared suspect; only adversaries read them.

    Attributes:
        bound: Which side of the mutual information the expected estimate is on, in nats; ``none`` for a measure of
            dependence that is no bound.
        has_critic: Whether there is a critic to train.
        needs_suspects: Whether ``suspects`` must be given.
        fewest_rows: The smallest group that is looked at.

    Raises:
        InputError: A width below 1.
    """

    bound: ClassVar[Literal["lower", "upper", "none"]]
    has_critic: ClassVar[bool] = False
    needs_suspects: ClassVar[bool] = False
    fewest_rows: ClassVar[int] = 3

    def __init__(self, channels_causal: int, channels_biased: int, num_suspects: Sequence[int] = ()) -> None:
        super().__init__()
        if min(channels_causal, channels_biased) < 1:
            raise InputError(f"codes need a width of at least 1, got {channels_causal} and {channels_biased}")
        self.channels_causal = channels_causal
        self.channels_biased = channels_biased
        self.num_suspects = tuple(int(levels) for levels in num_suspects)

    @abstractmethod
    def estimate(self, group: CodeGroup) -> Tensor:
        """The dependence within one group of at least ``fewest_rows`` patients, a scalar.

        Its gradient must not reach the critic (:func:`~gdsfd.nn.dependence.learned.frozen_call`).
        """

    def within(self, causal: Tensor, biased: Tensor, inside: Tensor) -> Tensor | None:
        """:meth:`estimate` of several groups in fixed shapes, so that no step waits for how many rows a class has.

        Args:
            causal: [B, d_c].
            biased: [B, d_b].
            inside: 1 where a patient is of the group, else 0, in one group at most; float [groups, B].

        Returns:
            One for each group, finite also where it has too few rows; None for a measure that has to be asked group by
            group.
        """
        return None

    def among(self, causal: Tensor, biased: Tensor, groups: Sequence[Tensor]) -> Tensor | None:
        """As :meth:`within`, where looking at how many rows a class has costs nothing.

        Args:
            causal: [B, d_c].
            biased: [B, d_b].
            groups: Rows of each group, int64, no row twice.
        """
        return None

    def forward(
        self, causal: Tensor, biased: Tensor, condition: Tensor | None = None, suspects: Tensor | None = None
    ) -> Tensor:
        """What the encoders minimise.

        Args:
            causal: [B, d_c].
            biased: [B, d_b].
            condition: Classes, int64 [B] with -1 = leave the row out; None for marginal dependence.
            suspects: int64 [B] or [B, columns], -1 = missing; only adversaries read them.

        Returns:
            A scalar, in nats where it is a bound; 0 when there are too few rows.

        Raises:
            InputError: Shapes that do not fit each other.
        """
        found = self._average(self.estimate, causal, biased, condition, suspects)
        return (causal.sum() + biased.sum()) * 0 if found is None else found

    def by_class(
        self,
        causal: Tensor,
        biased: Tensor,
        condition: Tensor,
        suspects: Tensor | None,
        num_classes: int,
        fixed: bool = True,
    ) -> Tensor:
        """``forward`` within classes whose number is known; where a measure has :meth:`within`, in fixed shapes.

        Args:
            causal: [B, d_c].
            biased: [B, d_b].
            condition: Classes from 0, int64 [B] with -1 = leave the row out.
            suspects: As in ``forward``.
            num_classes: How many there are.
            fixed: Whether shapes must not depend on values; otherwise :meth:`among` is asked first.
        """
        self._check(causal, biased, condition, suspects)
        inside = (condition == torch.arange(num_classes, device=condition.device).unsqueeze(1)).to(causal.dtype)
        each = None
        if not fixed and not is_traced() and plain_float(causal, biased):
            each = self.among(causal, biased, [flags.nonzero().squeeze(1) for flags in inside])
        if each is None:
            each = self.within(causal, biased, inside)
        if each is None:
            return cast(Tensor, self(causal, biased, condition, suspects))
        rows = inside.sum(1)
        counted = torch.where(rows >= self.fewest_rows, rows, 0.0)
        return (each * counted).sum() / counted.sum().clamp(min=1)

    def critic_loss(
        self, causal: Tensor, biased: Tensor, condition: Tensor | None = None, suspects: Tensor | None = None
    ) -> Tensor | None:
        """What the critic's own optimiser minimises; None without a critic. Arguments as in ``forward``."""
        return None

    def critic_parameters(self) -> list[nn.Parameter]:
        """The parameters for the critic's own optimiser, and for no other."""
        return list(self.parameters())

    def _average(
        self,
        term: Callable[[CodeGroup], Tensor],
        causal: Tensor,
        biased: Tensor,
        condition: Tensor | None,
        suspects: Tensor | None,
    ) -> Tensor | None:
        """A term averaged over groups by their share of the rows; None when no group is large enough."""
        self._check(causal, biased, condition, suspects)
        columns = suspects.unsqueeze(1) if suspects is not None and suspects.dim() == 1 else suspects
        total: Tensor | None = None
        rows = 0
        for group in _groups(causal, biased, condition, columns):
            if group.rows >= self.fewest_rows:
                part = term(group) * group.rows
                total = part if total is None else total + part
                rows += group.rows
        return None if total is None else total / rows

    def _check(self, causal: Tensor, biased: Tensor, condition: Tensor | None, suspects: Tensor | None) -> None:
        name, rows = type(self).__name__, causal.size(0)
        if causal.shape != (rows, self.channels_causal) or biased.shape != (rows, self.channels_biased):
            raise InputError(
                f"{name}: expected codes of shape [B, {self.channels_causal}] and [B, {self.channels_biased}], got "
                f"{list(causal.shape)} and {list(biased.shape)}"
            )
        if condition is not None and (condition.is_floating_point() or condition.shape != (rows,)):
            raise InputError(
                f"{name}: expected condition as int64 [{rows}] (-1 = leave the row out), got {condition.dtype} "
                f"{list(condition.shape)}"
            )
        if self.needs_suspects:
            shape = (rows, len(self.num_suspects))
            if suspects is None:
                raise InputError(f"{name} predicts declared suspects: pass suspects as int64 {list(shape)}")
            if suspects.shape != shape and (shape[1] != 1 or suspects.shape != (rows,)):
                raise InputError(f"{name}: expected suspects of shape {list(shape)}, got {list(suspects.shape)}")


def _groups(causal: Tensor, biased: Tensor, condition: Tensor | None, suspects: Tensor | None) -> Iterator[CodeGroup]:
    if condition is None:
        yield CodeGroup(causal, biased, None, suspects)
        return
    for label in torch.unique(condition[condition >= 0]).tolist():
        rows = (condition == label).nonzero().squeeze(1)
        yield CodeGroup(causal[rows], biased[rows], label, None if suspects is None else suspects[rows])
