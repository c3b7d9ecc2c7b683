"""Checks that all contestants agree before timing them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gdsfd.errors import GdsfdError

__all__ = ["DisagreementError", "check", "difference", "distance"]


class DisagreementError(GdsfdError, AssertionError):
    """Contestants differ; their times would mean nothing."""


def difference(found: Tensor, expected: Tensor) -> float:
    """Largest difference, as a share of the largest expected value; 0 for empty tensors."""
    if found.shape != expected.shape:
        return float("inf")
    if not expected.numel():
        return 0.0
    gap = (found.double() - expected.double()).abs().max()
    return float(gap / expected.double().abs().max().clamp(min=1e-30))


def distance(found: Tensor, expected: Tensor) -> float:
    """Euclidean distance, as a share of the expected length.

    For gradients in float32: rounding turns a ReLU over in a few of millions of messages, which changes single entries
    by much and the whole by little.
    """
    if found.shape != expected.shape:
        return float("inf")
    if not expected.numel():
        return 0.0
    gap = torch.linalg.vector_norm(found.double() - expected.double())
    return float(gap / torch.linalg.vector_norm(expected.double()).clamp(min=1e-30))


def check(contestant: str, what: str, differences: Sequence[float], most: float) -> float:
    """The largest of some differences.

    Raises:
        DisagreementError: It is above ``most``, or not a number.
    """
    worst = max(differences, default=0.0)
    if any(value != value for value in differences) or worst > most:
        raise DisagreementError(
            f"{contestant}: {what} differ from the comparison's by {worst:.1e}, at most {most:.0e} was expected; "
            "nothing was timed"
        )
    return worst
