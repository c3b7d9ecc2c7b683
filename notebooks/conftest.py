"""The longer notebooks are among the slow checks."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in ("debiasing.ipynb", "study.ipynb", "external_validation.ipynb", "own_exports.ipynb"):
            item.add_marker("slow")
