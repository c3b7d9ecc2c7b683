"""How much there is to read, so that a bar can say how fast that goes and how long the rest will take."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gdsfd.cohort.sources.database_file import is_database_table
from gdsfd.cohort.sources.files import find_files
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import GdsfdError

__all__ = ["amounts_to_read"]


def amounts_to_read(spec: CohortSpec) -> tuple[list[int], str]:
    """How much the cohort table and each modality have to read.

    Args:
        spec: The spec.

    Returns:
        Amounts, the cohort table's first, and their unit: bytes (``"B"``) where all sources are files; else, for a
        table of a database or of Python, whose size nobody knows before it is read, each source counts 1.
    """
    sources = [spec.cohort.source, *(modality.source for modality in spec.modality)]
    sizes = [_bytes_of(source, Path(spec.base_dir)) for source in sources]
    if any(size is None for size in sizes):
        return [1] * len(sources), "source"
    return [size or 0 for size in sizes], "B"


def _bytes_of(source: Any, base_dir: Path) -> int | None:
    """The size of a source's files; None where it has none, or none that can be found: reading says what is wrong."""
    if not isinstance(source, (str, Path)) or is_database_table(source):
        return None
    try:
        return sum(os.path.getsize(path) for path in find_files(source, base_dir).paths)
    except (GdsfdError, OSError):
        return None
