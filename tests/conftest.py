"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Plug-ins: collecting their doctests would import them, and declare their parts for every test.
collect_ignore_glob = ["plugin_parts/*"]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real cohorts: ``$GDSFD_DATA``, or ``../shared/data`` beside the checkout; skips without it."""
    folder = Path(os.environ.get("GDSFD_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real cohorts are not at {folder}; set GDSFD_DATA to their folder")
    return folder
