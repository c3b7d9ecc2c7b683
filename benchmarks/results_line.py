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

__all__ = ["RESULTS", "append_line"]

RESULTS = Path(__file__).parent / "results"


def append_line(file: str, **fields: Any) -> None:
    """Appends a JSON line to ``results/<file>`` with versions, machine, load, commit and command beside the fields."""

    def git(*words: str) -> str:
        folder = Path(__file__).parent
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False).stdout.strip()

    line = {
        **fields,
        "load": round(os.getloadavg()[0], 2),
        "commit": git("rev-parse", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--untracked-files=no", "--", "../gdsfd")),
        "versions": versions(),
        "command": " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / file).open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
