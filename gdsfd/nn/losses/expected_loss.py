"""Cross-entropy in expectation over strata that are known by their responsibilities only."""

from __future__ import annotations

from torch import Tensor

from gdsfd.nn.losses.outcome_loss import element_loss, mean_over_labelled
from gdsfd.nn.losses.targets import Targets

__all__ = ["beside_margin", "elements_beside_margin", "expected_loss", "loss_beside_margin", "shares_of_elements"]


def expected_loss(logits: Tensor, y: Tensor, share: Tensor, margin: Tensor, weight: Tensor | None = None) -> Tensor:
    r"""Mean over labelled elements of the cross-entropy expected over strata, in nats.

    .. math:: L = \operatorname{mean}_i w_i \sum_u q_i(u) \, CE(z_i + m_{iu}, y_i)

    what EM's M-step fits of a predictor, with :math:`q_i(u) = P(u \mid x_i, v_i, y_i)` and
    :math:`m_{iu} = \log P(y \mid u) - \log P(y)`. Where content and stratum are independent given the outcome,
    :math:`z` comes to estimate :math:`\log P(x \mid y) + \log P(y)`, up to what is the same for every outcome: the
    prediction where the outcome does not depend on the stratum.

    Args:
        logits: :math:`z`; float [B, outcomes], or [B, classes].
        y: float [B, outcomes] with NaN = unlabelled, or int64 [B] with -1 = unlabelled.
        share: :math:`q`, sums to 1 over strata; float [B, K], or [B, K, outcomes]: each outcome by its own strata.
        margin: :math:`m`; float [B, K, outputs].
        weight: Weight of each element, as ``y``; default 1.

    References:
        Our formulation; the M-step is that of any mixture of experts (Jacobs et al. 1991).

    Example:
        >>> import torch
        >>> sure = torch.tensor([[1.0, 0.0]])
        >>> expected_loss(torch.zeros(1, 1), torch.ones(1, 1), sure, torch.tensor([[[0.0], [9.0]]]))
        tensor(0.6931)
    """
    return mean_over_labelled(*_expected(logits, y, share, margin), weight)


def _expected(logits: Tensor, y: Tensor, share: Tensor, margin: Tensor) -> tuple[Tensor, Tensor]:
    """The expected cross-entropy of every element and whether it is labelled; both as ``y``."""
    size, strata = share.shape[:2]
    told = y.unsqueeze(1).expand(size, strata, *y.shape[1:]).flatten(0, 1)
    loss, labelled = element_loss((logits.unsqueeze(1) + margin).flatten(0, 1), told)
    loss = loss.view(size, strata, *y.shape[1:])
    expected = (loss * shares_of_elements(share, y)).sum(1)
    return expected, labelled.view(loss.shape)[:, 0]


def shares_of_elements(share: Tensor, y: Tensor) -> Tensor:
    """Shares of strata, one axis for each of the labels' and one more, of size 1 where outcomes have the same."""
    return share if share.dim() > y.dim() else share.view(*share.shape[:2], *[1] * (y.dim() - 1))


def beside_margin(logits: Tensor, targets: Targets) -> Tensor:
    """Logits beside the targets' margin: [B, outputs], or with found strata once per stratum, [B, K, outputs]."""
    if targets.strata_margin is not None:
        return logits.unsqueeze(1) + targets.strata_margin
    return logits if targets.margin is None else logits + targets.margin


def elements_beside_margin(logits: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Cross-entropy of every element beside the targets' margin, in nats, and whether it is labelled; as ``y``.

    In expectation where the targets have found strata.
    """
    if targets.strata_share is not None:
        assert targets.strata_margin is not None
        return _expected(logits, targets.y, targets.strata_share, targets.strata_margin)
    return element_loss(logits if targets.margin is None else logits + targets.margin, targets.y)


def loss_beside_margin(logits: Tensor, targets: Targets, weight: Tensor | None = None) -> Tensor:
    """Cross-entropy beside the targets' margin, in expectation where they have found strata, in nats.

    Args:
        logits: float [B, outputs].
        targets: Labels, margins and responsibilities of the same patients.
        weight: Weight of each element, as the labels; default 1.
    """
    return mean_over_labelled(*elements_beside_margin(logits, targets), weight)
