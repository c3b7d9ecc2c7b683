from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gdsfd.cohort.sources.sources import Sources


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    with Sources(tmp_path) as opened:
        yield opened
