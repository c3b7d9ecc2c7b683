"""The Gaussian kernel of all pairs of codes, as wide as they are apart."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.nn.dependence.distances import squared_distances

__all__ = ["gaussian_kernel"]


def gaussian_kernel(codes: Tensor) -> Tensor:
    r"""Kernel values :math:`e^{-|z - z'|^2 / (2 m^2)}` of all pairs, [n, n]; all 1 when the codes are constant.

    :math:`m` is the median distance, and the gradient knows that it follows the codes: shrinking them changes nothing.

    Args:
        codes: At least two rows; float [n, d].

    Example:
        >>> gaussian_kernel(torch.tensor([[0.0], [1.0], [2.0]]))[0]
        tensor([1.0000, 0.6065, 0.1353])
    """
    n = codes.size(0)
    squared = squared_distances(codes)
    row, column = torch.triu_indices(n, n, 1, device=codes.device)
    mean = squared.sum() / (n * (n - 1))
    median = squared[row, column].detach().median()
    # The value is the median, the gradient that of the mean at the same scale: smooth, and it sees a code shrink. More
    # than half of the pairs equal have no median distance; they get the mean.
    share = torch.where(median > 0, median / mean.detach().clamp(min=torch.finfo(squared.dtype).tiny), 1.0)
    width = 2 * mean * share
    return torch.exp(-squared / torch.where(width > 0, width, 1.0))
