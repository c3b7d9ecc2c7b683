"""Reading and changing ``model.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gdsfd.file_digest import digest_of_json

__all__ = ["read", "write"]


def read(run: Path) -> dict[str, Any]:
    return json.loads((run / "model.json").read_text())


def write(run: Path, stored: dict[str, Any], sealed: bool = False) -> None:
    """Writes a changed model.json; sealed: with the digest of what it says, as if gdsfd had written it so."""
    if sealed:
        stored["digest"] = digest_of_json({key: value for key, value in stored.items() if key != "digest"})
    (run / "model.json").write_text(json.dumps(stored))
