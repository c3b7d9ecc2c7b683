"""All lines behind the page on message passing, one after the other: ten to fifteen minutes on two idle cores.

    python benchmarks/message_passing.py               # or: make bench
    python benchmarks/message_passing.py shapes step   # only some
    python benchmarks/message_passing.py cuda          # on a GPU, in six minutes at most; ends with a table

Appends to ``results/message_passing.jsonl``, ``results/train_step.jsonl`` and ``results/inference.jsonl`` by running
``gdsfd bench``; the command of each line is stored with it. On a GPU ``benchmarks/cuda_step.py`` comes first.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = "benchmarks/results"

_SWEEP = "message-passing --part encoder --no-memory --turns 5 --budget 20"
_ON_GPU = "message-passing --device cuda --no-memory"
#: Name -> commands of ``gdsfd bench``.
RUNS: dict[str, list[str]] = {
    "shapes": [
        "message-passing --patients 20000 --modalities 5 --density 0.6",
        "message-passing --patients 4000 --modalities 256 --density 0.5 --part encoder --backends auto",
    ],
    "step": [
        "train-step --patients 8192 --batch 512 --modalities 3 --turns 25",
        "train-step --model streams --patients 8192 --batch 512 --modalities 3 --turns 25",
    ],
    "inference": ["inference --patients 100000 1000000"],
    "sweeps": [
        f"{_SWEEP} --patients 1000 5000 80000 --backends auto segment dense",
        f"{_SWEEP} --patients 2000 --modalities 3 16 64 256 --density 0.5 --backends auto segment dense",
        f"{_SWEEP} --patients 2000 --modalities 64 --density 0.1 0.3 0.6 0.9 --backends auto segment dense",
        f"{_SWEEP} --patients 20000 --channels 64 256 --backends auto segment dense",
    ],
    "cuda": [
        "train-step --device cuda --turns 15 --no-memory",
        f"{_ON_GPU} --patients 20000 --dtype float32 bfloat16 --turns 9",
        f"{_ON_GPU} --patients 1000000 --dtype float32 bfloat16 --backends auto --turns 5",
        f"{_ON_GPU} --patients 4000 --modalities 256 --density 0.5 --turns 9",
    ],
}
ON_CPU = ("shapes", "step", "inference", "sweeps")
#: Seconds on a GPU: no command is begun after the first, none goes on beyond the second.
_LAST_START, _END = 270, 355


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"among {', '.join(RUNS)}; default: all but cuda")
    asked = parser.parse_args().runs or list(ON_CPU)
    unknown = [name for name in asked if name not in RUNS]
    if unknown:
        parser.error(f"unknown {', '.join(unknown)}; there are {', '.join(RUNS)}")
    if "cuda" in asked:
        on_a_gpu()
        asked = [name for name in asked if name != "cuda"]
    load = os.getloadavg()[0] if asked else 0.0
    if load > 0.5:
        print(f"The load is {load:.1f}: wait for an idle machine, or the times are rough (it is stored with them).")
    for name in asked:
        for words in (command.split() for command in RUNS[name]):
            file = f"{RESULTS}/{words[0].replace('-', '_')}.jsonl"
            command = ["bench", *words, "--json", file]
            print(f"\n$ gdsfd {' '.join(command)}", flush=True)
            start = time.monotonic()
            subprocess.run([sys.executable, "-m", "gdsfd", *command], cwd=ROOT, check=True)
            print(f"({time.monotonic() - start:.0f} s)", flush=True)


def on_a_gpu() -> None:
    """The step and the epochs, then what there is time for; the first's table once more at the end."""
    begun = time.monotonic()
    first = [sys.executable, "benchmarks/cuda_step.py"]
    found = subprocess.run(first, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=_END)
    print(found.stdout, flush=True)
    if "nothing was measured" in found.stdout:
        return
    for words in (command.split() for command in RUNS["cuda"]):
        command = ["bench", *words, "--json", f"{RESULTS}/{words[0].replace('-', '_')}.jsonl"]
        gone = time.monotonic() - begun
        if gone > _LAST_START:
            print(f"\nleft out after {gone:.0f} s: gdsfd {' '.join(command)}", flush=True)
            continue
        print(f"\n$ gdsfd {' '.join(command)}", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "gdsfd", *command], cwd=ROOT, check=True, timeout=_END - gone)
        except subprocess.TimeoutExpired:
            print("ended: the six minutes are over", flush=True)
    print(found.stdout, flush=True)


if __name__ == "__main__":
    main()
