"""What counts as agreement."""

from __future__ import annotations

import pytest
import torch

from gdsfd.bench.agreement import DisagreementError, check, difference, distance


def test_differences_of_other_shapes_and_of_nan_are_not_small():
    one = torch.ones(3, 2)
    assert difference(one, torch.ones(2, 3)) == distance(one, torch.ones(2, 3)) == float("inf")
    assert difference(torch.ones(0, 2), torch.ones(0, 2)) == distance(torch.ones(0, 2), torch.ones(0, 2)) == 0
    assert difference(one * 1.5, one) == pytest.approx(0.5)
    with pytest.raises(DisagreementError):
        check("x", "outputs", [difference(one * float("nan"), one)], 1.0)
