"""Freed memory is used again inside, and given back afterwards."""

from __future__ import annotations

import resource
import sys

import pytest
import torch

from gdsfd.training import kept_memory as module
from gdsfd.training.kept_memory import kept_memory

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="of glibc on Linux")


def faults() -> int:
    """Pages asked of the kernel by making and freeing 30 arrays of 1.2 MB, ten times."""
    values = torch.ones(300_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        kept = [values + 1 for _ in range(30)]
        del kept
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_memory_is_asked_for_once_inside() -> None:
    if module._glibc() is None:
        pytest.skip("the C library is not glibc")
    with kept_memory(), kept_memory():  # a training inside a training
        faults()
        assert faults() < 300 * 30  # 290 pages an array: a thirtieth of asking for each anew


def test_what_it_is_told_ends_with_the_outermost(monkeypatch: pytest.MonkeyPatch) -> None:
    class Library:
        def __init__(self) -> None:
            self.told: list[dict[int, int]] = []
            self.trimmed = 0

        def mallopt(self, option: int, value: int) -> None:
            self.told.append({option: value})

        def malloc_trim(self, _: int) -> None:
            self.trimmed += 1

    library = Library()
    monkeypatch.setattr(module, "_glibc", lambda: library)

    def broken() -> None:
        with kept_memory():
            with kept_memory():
                pass
            assert library.trimmed == 0
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    assert library.trimmed == 1
    assert library.told[-3:] == [{option: value} for option, value in module._GIVE_BACK.items()]


def test_nothing_happens_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_glibc", lambda: None)
    with kept_memory():
        assert torch.ones(3).sum() == 3
