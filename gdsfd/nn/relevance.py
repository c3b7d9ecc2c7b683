"""Relevance of each input feature for the outcome, on training patients."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["FeatureStatistics", "outcome_columns"]

_LEAST_SPREAD = 0.05
_MOST_COMPARED = 4096  # above this many features their redundancy is not worked out (a matrix of F x F)


def outcome_columns(y: Tensor, num_outputs: int) -> tuple[Tensor, Tensor]:
    """Labels as columns with a mask.

    Args:
        y: float [B, outcomes] with NaN = unlabelled, or int64 [B] with -1 = unlabelled.
        num_outputs: Outcomes, or classes.

    Returns:
        Labels with 0 where unlabelled, and whether each is labelled; both float64 [B, outputs].
    """
    if y.is_floating_point():
        labelled = ~torch.isnan(y)
        return torch.where(labelled, y, 0.0).double(), labelled.double()
    labelled = (y >= 0).double().unsqueeze(1).expand(-1, num_outputs)
    return torch.nn.functional.one_hot(y.clamp(min=0), num_outputs).double() * labelled, labelled


class FeatureStatistics:
    r"""Running moments of features and of their products with the labels, in float64.

    The relevance of feature :math:`j` of a modality that :math:`n` of :math:`N` training patients have is
    :math:`|r_j| \sqrt{n / N} / \sqrt{m_j}` with :math:`r_j` its correlation with the outcome among those :math:`n` (the
    largest over outcomes): up to a factor its score statistic, divided by its redundancy
    :math:`m_j = \sum_k \rho_{jk}^2`, the sum of its squared correlations with all features of the modality: a fact that
    is written down in many features would otherwise be learned many times as fast.

    Args:
        num_features: Features F.
        num_outputs: Outcomes or classes O.
    """

    def __init__(self, num_features: int, num_outputs: int) -> None:
        self.count = torch.zeros((), dtype=torch.float64)
        self.total = torch.zeros(num_features, dtype=torch.float64)
        self.square = torch.zeros(num_features, dtype=torch.float64)
        self.labelled = torch.zeros(num_outputs, dtype=torch.float64)
        self.label = torch.zeros(num_outputs, dtype=torch.float64)
        self.under = torch.zeros(num_features, num_outputs, dtype=torch.float64)
        self.product = torch.zeros(num_features, num_outputs, dtype=torch.float64)
        compared = num_features if num_features <= _MOST_COMPARED else 0
        self.gram = torch.zeros(compared, compared)

    def add(self, features: Tensor, label: Tensor, labelled: Tensor) -> None:
        """Takes in a batch of observations.

        Args:
            features: [E, F], dense or sparse.
            label: Labels, 0 where unlabelled; float64 [E, O].
            labelled: 1 where labelled; float64 [E, O].
        """
        if self.gram.numel():
            single = features.to_dense() if features.is_sparse else features
            self.gram += single.t() @ single
        features = features.double()
        dense = not features.is_sparse
        self.count += label.size(0)
        self.total += features.sum(0) if dense else torch.sparse.sum(features, 0).to_dense()
        self.square += (features**2).sum(0) if dense else torch.sparse.sum(features * features, 0).to_dense()
        self.labelled += labelled.sum(0)
        self.label += label.sum(0)
        self.under += features.t() @ labelled
        self.product += features.t() @ label

    @property
    def center(self) -> Tensor:
        """Mean of each feature, float64 [F]."""
        return self.total / self.count.clamp(min=1)

    @property
    def spread(self) -> Tensor:
        """Standard deviation of each feature, at least 0.05 (1 for a constant), float64 [F]."""
        variance = self.square / self.count.clamp(min=1) - self.center**2
        return torch.where(variance > 1e-12, variance.clamp(min=0).sqrt().clamp(min=_LEAST_SPREAD), 1.0)

    @property
    def redundancy(self) -> Tensor:
        """Sum of each feature's squared correlations with all features, itself included; at least 1, float64 [F]."""
        if not self.gram.numel():
            return torch.ones_like(self.total)
        covariance = self.gram.double() / self.count.clamp(min=1) - torch.outer(self.center, self.center)
        correlation = covariance / torch.outer(self.spread, self.spread)
        return correlation.square().sum(1).clamp(min=1)

    def relevance(self, patients: int) -> Tensor:
        """Relevance of each feature before scaling to 1, float64 [F].

        Args:
            patients: Training patients N, with or without this modality.
        """
        labelled = self.labelled.clamp(min=1)
        share = self.label / labelled
        covariance = (self.product - self.under * share) / labelled
        deviation = (share * (1 - share)).clamp(min=1e-12).sqrt()
        correlation = covariance.abs() / (self.spread.unsqueeze(1) * deviation)
        weight = (self.labelled / max(patients, 1)).sqrt()
        return (correlation * weight).amax(1) / self.redundancy.sqrt()
