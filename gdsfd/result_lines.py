"""Results as JSON lines: what was measured, on what machine, from which commit."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from gdsfd.versions import versions

__all__ = ["Line", "as_text", "environment"]

Line = dict[str, Any]

_LOAD = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # before this process does anything


def environment(threads: int, device: str) -> Line:
    """The fields that say where and from what a measurement comes. Ask before it begins: code may change meanwhile."""
    return {
        "device": device,
        "threads": threads,
        "processor": _processor(device),
        "load": round(_LOAD, 2),
        **_checkout(),
        "versions": versions(),
        "command": shlex.join(["gdsfd", *sys.argv[1:]]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def as_text(lines: Sequence[Line]) -> str:
    """JSON lines."""
    return "".join(json.dumps(line) + "\n" for line in lines)


@cache
def _checkout() -> Line:
    """Commit of the code, and whether it was changed since; unknown for an installed package."""
    folder = Path(__file__).resolve().parent

    def git(*words: str) -> str:
        # git status would refresh the index under a lock, which a process that is killed meanwhile leaves behind
        command = ["git", "--no-optional-locks", "-C", str(folder), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    try:
        if not git("ls-files", "--", "__init__.py"):
            return {"commit": "unknown", "dirty": False}
        changed = git("status", "--porcelain", "--untracked-files=no", "--", str(folder))
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(changed)}
    except OSError:  # no git here
        return {"commit": "unknown", "dirty": False}


@cache
def _processor(device: str) -> str:
    if device != "cpu":
        import torch

        return str(torch.cuda.get_device_name())
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for row in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if row.startswith("model name"):
                return row.partition(":")[2].strip()
    import platform

    return platform.processor() or "unknown"
