"""Checksums of files and JSON: a changed, truncated or exchanged file is noticed when it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["digest_of_file", "digest_of_json"]

_BYTES = 16


def digest_of_file(path: Path) -> str:
    """BLAKE2b of a file's bytes, 128 bits, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_BYTES)).hexdigest()


def digest_of_json(value: Mapping[str, Any]) -> str:
    """BLAKE2b of a JSON-able mapping, whatever the order of its keys and the file's layout."""
    read_back = json.loads(json.dumps(value))  # tuples and numbers as keys as the file will have them
    text = json.dumps(read_back, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_BYTES).hexdigest()
