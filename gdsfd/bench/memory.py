"""Peak memory of one contestant, measured in its own process.

On the CPU two figures, both the kernel's: ``peak_bytes`` is the largest resident size of the whole process, with the
interpreter, torch and the inputs; ``step_bytes`` is how far the resident size rose above what it was when the inputs
were there and everything had been called once on a tiny graph. The second is what a contestant itself needs, and what
is compared. On a GPU both are the allocator's: ``torch.cuda.max_memory_allocated`` with and without the inputs.

    python -m gdsfd.bench.memory '{"module": ..., "arguments": {...}, "threads": 2, "device": "cpu"}'
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from gdsfd.errors import GdsfdError

__all__ = ["measure_memory", "step_account"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measure_memory(module: str, arguments: dict[str, Any], threads: int, device: str) -> dict[str, Any]:
    """Runs one call of a contestant in a fresh process.

    Args:
        module: A module of this folder with ``memory_call(warm_up, device, **arguments)``, which returns a function
            of no arguments; with ``warm_up`` on a tiny graph.
        arguments: For ``memory_call``.
        threads: Threads of torch.
        device: ``cpu`` or ``cuda``.

    Returns:
        ``peak_bytes``, ``step_bytes``, ``step_seconds`` of that one cold call, and whatever the call returned if that
        is a dict.

    Raises:
        GdsfdError: The process failed.
    """
    given = json.dumps({"module": module, "arguments": arguments, "threads": threads, "device": device})
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-W", "ignore", "-m", "gdsfd.bench.memory", given]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines() or [f"exit code {done.returncode}; out of memory?"]
        raise GdsfdError(f"{module} {arguments}: the process that measures memory failed: {reason[-1]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def step_account(call: Any, device: str) -> dict[str, Any]:
    """Calls once and takes account of memory and time.

    Args:
        call: What is measured.
        device: ``cpu`` or ``cuda``.
    """
    gc.collect()
    if device != "cpu":
        import torch

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        start = time.perf_counter()
        result = call()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
        peak = torch.cuda.max_memory_allocated()
        return {"peak_bytes": peak, "step_bytes": peak - before, "step_seconds": seconds, **_extra(result)}
    earlier = _status("VmHWM")  # not getrusage's, which a process inherits from the one that started it
    before = _reset_peak()
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    peak = _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    account = {"peak_bytes": max(peak, earlier), "step_bytes": peak - before, "step_seconds": seconds}
    return {**account, **_extra(result)}


def _extra(result: Any) -> dict[str, Any]:
    return result if isinstance(result, dict) else {}


def _reset_peak() -> int:
    """Forgets the peak so far where the kernel allows it; the resident bytes now (or the peak, where it does not)."""
    try:
        _CLEAR.write_text("5", encoding="ascii")
        return _status("VmRSS")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(name: str) -> int:
    """Bytes from the kernel's account of this process; 0 where there is none."""
    try:
        for row in _STATUS.read_text(encoding="ascii").splitlines():
            if row.startswith(f"{name}:"):
                return int(row.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _main(text: str) -> None:
    given = json.loads(text)
    import torch

    torch.set_num_threads(given["threads"])
    module = importlib.import_module(f"gdsfd.bench.{given['module']}")
    module.memory_call(warm_up=True, device=given["device"], **given["arguments"])()
    call = module.memory_call(warm_up=False, device=given["device"], **given["arguments"])
    sys.stdout.write(json.dumps(step_account(call, given["device"])) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1])
