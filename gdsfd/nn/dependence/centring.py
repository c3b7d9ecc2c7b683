"""Unbiased covariance and correlation of two tables of pairwise values."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["u_centred", "u_correlation", "u_covariance"]

_LEAST = 1e-10


def u_centred(pairs: Tensor) -> Tensor:
    r"""A symmetric table with its row, column and grand means taken out so that products are unbiased.

    .. math:: \tilde A_{ij} = A_{ij} - \frac{\sum_l A_{il}}{n - 2} - \frac{\sum_k A_{kj}}{n - 2}
        + \frac{\sum_{kl} A_{kl}}{(n - 1)(n - 2)}, \quad \tilde A_{ii} = 0

    with sums that leave the diagonal out.

    Args:
        pairs: Distances or kernel values, [n, n] with n at least 3; the diagonal is not read.

    References:
        Székely and Rizzo, Annals of Statistics 42 (2014), definition 2.
    """
    n = pairs.size(0)
    own = torch.eye(n, dtype=torch.bool, device=pairs.device)
    pairs = pairs.masked_fill(own, 0)
    row = pairs.sum(1, keepdim=True) / (n - 2)
    centred = pairs - row - row.t() + pairs.sum() / ((n - 1) * (n - 2))
    return centred.masked_fill(own, 0)


def u_covariance(first: Tensor, second: Tensor) -> Tensor:
    """Unbiased estimate of the covariance of two U-centred tables [n, n], n at least 4; may be negative.

    For kernel values this is the unbiased HSIC, for distances the unbiased squared distance covariance.
    """
    n = first.size(0)
    return (first * second).sum() / (n * (n - 3))


def u_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Covariance of two tables over the geometric mean of their own; 0 where one is constant.

    Args:
        first: Distances or kernel values, [n, n] with n at least 4.
        second: Likewise.

    Returns:
        A scalar, at most 1, about 0 for independent rows and possibly below.

    Example:
        >>> table = torch.tensor([0.0, 1.0, 3.0, 7.0, 2.0])
        >>> table = (table[:, None] - table).abs()
        >>> round(float(u_correlation(table, 3 * table)), 4)
        1.0
        >>> u_correlation(table, torch.zeros(5, 5))
        tensor(0.)
    """
    a, b = u_centred(first), u_centred(second)
    own = torch.stack([u_covariance(a, a), u_covariance(b, b)])
    size = torch.stack([(first.detach() ** 2).mean(), (second.detach() ** 2).mean()])
    varies = own > _LEAST * size  # relative, as rounding leaves something of a constant table too
    scale = torch.where(varies, own, 1.0).sqrt().prod()
    return torch.where(varies.all(), u_covariance(a, b) / scale, 0 * u_covariance(a, b))
