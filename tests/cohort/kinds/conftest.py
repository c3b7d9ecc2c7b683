from __future__ import annotations

import pytest

from gdsfd.cohort.schema import NumericScale


@pytest.fixture
def scales() -> tuple[NumericScale, ...]:
    """Three scales that can be told apart."""
    return tuple(NumericScale(10, mean, 1.0, ()) for mean in (0.0, 1.0, 2.0))
