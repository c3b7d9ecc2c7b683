"""Reports of these tests have no presence picture: it takes half a second, and no figure or word depends on it."""

from __future__ import annotations

import pytest

from gdsfd.evaluation.report.sections import presence


@pytest.fixture(autouse=True)
def _without_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "presence_picture", lambda graph: None)
