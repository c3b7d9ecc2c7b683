"""What holds for all tests of the command line."""

from __future__ import annotations

import pytest

from gdsfd.cli import progress


@pytest.fixture(autouse=True)
def no_line_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine tests take longer than the time after which long work says how far it is."""
    monkeypatch.setattr(progress, "FIRST", 3600.0)
