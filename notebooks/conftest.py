"""The longer notebook is one of the slow checks."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name == "debiasing.ipynb":
            item.add_marker("slow")
