"""Chunks small enough for tests to have several of them."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 4096 edges, hubs of their own from 1024: what is right must not hang on the tuned sizes."""
    module = import_module("gdsfd.ops.chunks")
    monkeypatch.setattr(module, "_ROWS", 4096)
    monkeypatch.setattr(module, "_LONG", 1024)
