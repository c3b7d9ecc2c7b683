"""One line of results: what was measured, on what, from which commit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gdsfd.versions import versions

__all__ = ["RESULTS", "append_line", "provenance"]

RESULTS = Path(__file__).parent / "results"


def _git(*words: str) -> str:
    folder = Path(__file__).parent
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False).stdout.strip()


# As the run began: what is measured is the code that was there then, whatever is committed while it runs.
_COMMIT = _git("rev-parse", "HEAD")
_DIRTY = bool(_git("status", "--porcelain", "--untracked-files=no", "--", "../gdsfd"))
_LOAD = round(os.getloadavg()[0], 2)


def provenance() -> dict[str, Any]:
    """Where a line comes from: versions, load before the run, commit and command."""
    return {
        "load": _LOAD,
        "commit": _COMMIT,
        "dirty": _DIRTY,
        "versions": versions(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *map(_elsewhere, sys.argv[1:])]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _elsewhere(word: str) -> str:
    """A word of the command; a path on this machine becomes FOLDER, since lines are read on others."""
    before, given, value = word.partition("=")
    if Path(value if given else before).is_absolute():
        return f"{before}=FOLDER" if given else "FOLDER"
    return word


def append_line(file: str | Path, **fields: Any) -> None:
    """Appends a JSON line with versions, load before the run, commit and command beside the fields.

    Args:
        file: Name inside ``results/``, or an absolute path.
        **fields: What was measured; a field given here is kept as it is.
    """
    line = provenance()
    line = fields | {name: value for name, value in line.items() if name not in fields}
    path = RESULTS / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
