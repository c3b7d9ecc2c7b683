"""The step of ``gdsfd bench train-step`` in another checkout and in this one, in turns, beside its bare products.

    python benchmarks/step_beside.py OTHER --model streams --threads 2

OTHER is a clone of an earlier commit. This checkout's step is taken call by call and, with a C++ compiler, compiled.
Each steps in a process of its own, twenty steps at a time, one process after the other; the bare products are this
checkout's. A line is appended to ``results/step_beside.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from results_line import append_line

from gdsfd.training.compiled_step import has_compiler

HERE = Path(__file__).parents[1]
STEPS = """
import json, os, sys, time
import torch
threads, model, who = int(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.set_num_threads(threads)
import gdsfd
assert gdsfd.__file__.startswith(os.getcwd() + os.sep), gdsfd.__file__
try:
    from gdsfd.bench.opponents.contest import STEPS
    from gdsfd.bench.train_step import stepper
except ImportError:  # as earlier commits have it
    from gdsfd.bench.contest import STEPS
    from gdsfd.bench.train_step import _stepper as stepper
from gdsfd.bench.problem import Shape
shape = Shape(patients=8192, modalities=3)
contest = STEPS[model](shape, 0, "cpu", True)
if who == "bare":
    step = contest.bare(512)
elif who == "compiled":
    from gdsfd.bench.train_step import compiled_stepper
    step = compiled_stepper(contest, model, shape, 512, threads)
else:
    step = stepper(contest, who, shape, 512, "cpu")
for _ in range(5):
    step()
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(3):
        step()
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    print(json.dumps(taken), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--model", default="streams")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=12)
    arguments = parser.parse_args()
    other = arguments.other.resolve()
    who = {"before": (other, "gdsfd"), "now": (HERE, "gdsfd"), "compiled": (HERE, "compiled")}
    who["bare products"] = (HERE, "bare")
    if not has_compiler():
        del who["compiled"]
    children = {}
    for name, (checkout, contestant) in who.items():
        environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": str(arguments.threads)}
        command = [sys.executable, "-c", STEPS, str(arguments.threads), arguments.model, contestant]
        children[name] = subprocess.Popen(
            command, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    seconds: dict[str, list[float]] = {name: [] for name in children}
    for turn in range(arguments.turns + 1):
        for name, child in children.items():
            assert child.stdin is not None
            assert child.stdout is not None
            if turn:
                child.stdin.write("go\n")
                child.stdin.flush()
            told = child.stdout.readline()
            if turn:
                seconds[name] += json.loads(told)
    for child in children.values():
        child.communicate()
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    commit = ["git", "-C", str(other), "rev-parse", "HEAD"]
    before = subprocess.run(commit, capture_output=True, text=True, check=True).stdout.strip()
    found = {
        "times_as_fast": medians["before"] / medians["now"],
        "times_bare_products": medians["now"] / medians["bare products"],
        "least_times_as_fast": min(seconds["before"]) / min(seconds["now"]),
        "least_times_bare_products": min(seconds["now"]) / min(seconds["bare products"]),
    }
    if "compiled" in medians:
        found |= {
            "compiled_times_as_fast": medians["before"] / medians["compiled"],
            "compiled_times_bare_products": medians["compiled"] / medians["bare products"],
        }
    append_line(
        "step_beside.jsonl",
        benchmark="step_beside", model=arguments.model, threads=arguments.threads, before=before,
        seconds=medians, repetitions=20 * arguments.turns, steps_in_a_row=20, **found,
    )  # fmt: skip
    print(arguments.model, {name: round(value, 4) for name, value in (medians | found).items()})


if __name__ == "__main__":
    main()
