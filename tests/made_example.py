"""The scripts of ``examples/`` as modules, and their exports as plain rows."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
from pathlib import Path
from types import ModuleType
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def script(name: str) -> ModuleType:
    """A script of an example, ``"adni/generate"``."""
    described = importlib.util.spec_from_file_location(name.replace("/", "_"), EXAMPLES / f"{name}.py")
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file as texts."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def dropped(receipt: Any, name: str) -> dict[str, int]:
    """Rows of a modality that were left out, by reason."""
    (entry,) = [entry for entry in receipt.modalities if entry.name == name]
    assert entry.rows_read == entry.rows_kept + sum(drop.rows for drop in entry.drops)
    return {drop.reason: drop.rows for drop in entry.drops}
