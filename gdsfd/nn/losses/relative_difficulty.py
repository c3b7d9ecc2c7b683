"""How much harder a patient is for the causal head than for the biased one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["RelativeDifficulty", "batch_difficulty"]


class RelativeDifficulty(nn.Module):
    r"""Per-patient weights :math:`W_i = \ell_b(i) / (\ell_b(i) + \ell_c(i))` from running losses of both heads.

    :math:`\ell` are exponential moving averages per patient, divided by the largest of the same label.

    Warning:
        Unsafe where the outcome stays noisy given everything that is known, which is nearly every clinical task: a
        patient whom the causal head gets wrong is weighted down further, the weight gathers on patients whose outcome
        cannot be foretold, and the predictions can come out **inverted**. Opt-in, for comparison with the literature.

    Args:
        num_rows: Patients of the graph N.
        num_outputs: Outcomes (1 for a multi-class outcome).
        rate: Weight of the past in the moving averages.

    References:
        LfF (Nam et al., NeurIPS 2020); DisC (Fan et al., NeurIPS 2022) uses it in a dual-stream graph network. Whether
        DFD does is unknown.
    """

    biased: Tensor
    causal: Tensor

    def __init__(self, num_rows: int, num_outputs: int, rate: float = 0.7) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("biased", torch.full((num_rows, num_outputs), -1.0))
        self.register_buffer("causal", torch.full((num_rows, num_outputs), -1.0))

    @torch.no_grad()
    def forward(self, biased: Tensor, causal: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        """Takes in a batch's losses and gives its weights.

        Args:
            biased: Cross-entropy of the biased head, in nats; as ``y``.
            causal: Cross-entropy of the causal head; as ``y``.
            y: Labels; NaN or -1 = unlabelled.
            rows: Rows of the graph's patients; int64 [B].

        Returns:
            Weights in [0, 1], as ``y``; 1 where unlabelled.
        """
        labels = y.unsqueeze(-1) if y.dim() == 1 else y
        labelled = labels >= 0  # False for NaN, too
        shares = []
        for store, loss in ((self.biased, biased), (self.causal, causal)):
            loss, past = loss.detach().float().view_as(labels), store[rows]
            now = torch.where(past < 0, loss, self.rate * past + (1 - self.rate) * loss)
            store[rows] = torch.where(labelled, now, past)
            shares.append(now / self._largest(now, labels, labelled))
        weight = shares[0] / (shares[0] + shares[1]).clamp(min=1e-8)
        return torch.where(labelled, weight, 1.0).view_as(y).to(biased.dtype)

    @staticmethod
    def _largest(loss: Tensor, labels: Tensor, labelled: Tensor) -> Tensor:
        """Per element the largest loss in the batch among elements with its label."""
        largest = torch.ones_like(loss)
        for label in labels[labelled].unique():
            same = labels == label
            most = torch.where(same, loss, 0.0).amax(0, keepdim=True).clamp(min=1e-8)
            largest = torch.where(same, most.expand_as(loss), largest)
        return largest


def batch_difficulty(biased: Tensor, causal: Tensor, labelled: Tensor) -> Tensor:
    """The same ratio of the batch's mean losses: one number for all patients, which is what released code often does.

    Args:
        biased: Cross-entropy of the biased head per element, in nats.
        causal: Of the causal head.
        labelled: Whether an element is labelled.

    Returns:
        A scalar in [0, 1].
    """
    count = labelled.sum().clamp(min=1)
    easy, hard = (biased.detach() * labelled).sum() / count, (causal.detach() * labelled).sum() / count
    return easy / (easy + hard).clamp(min=1e-8)
