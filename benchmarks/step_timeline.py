"""Where the time of a training step goes, in another checkout and in this one: every tensor operation on a time line.

    python benchmarks/step_timeline.py OTHER examples/eicu.toml --backbone muse

OTHER is a clone of an earlier commit. Each checkout builds the graph and trains with default settings in a process of
its own; after some steps torch's profiler records one on one thread. A line per checkout is appended to
``results/step_timeline.jsonl`` (milliseconds and calls by kind of operation), and the picture is written to
``docs/pictures/step_timeline.svg``. The profiler itself makes every call slower: the lengths are for looking, the
ratio of two steps is in ``results/train_command.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from results_line import append_line

HERE = Path(__file__).parents[1]
PICTURE = HERE / "docs" / "pictures" / "step_timeline.svg"

#: Kind of operation -> words in the name of the outermost call, and the colour of the picture.
KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "products": (("linear", "mm", "matmul", "einsum"), "#1f77b4"),
    "gathering and scattering": (("index", "gather", "scatter", "embedding", "sort", "nonzero", "take"), "#d62728"),
    "optimiser": (("adam", "foreach", "norm", "lerp"), "#9467bd"),
    "everything else": ((), "#b0b0b0"),
}

#: Runs in a checkout: the spans of one step, as JSON.
RECORD = """
import json, os, sys
import torch
torch.set_num_threads(1)
import gdsfd
assert gdsfd.__file__.startswith(os.getcwd() + os.sep), gdsfd.__file__
from gdsfd.training import loop
Step = getattr(loop, "_Step", None) or loop.Step
from torch.profiler import ProfilerActivity, profile
graph, backbone, out, number = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
step, taken = Step.__call__, 0
def recorded(self, *arguments):
    global taken
    taken += 1
    if taken != number:
        return step(self, *arguments)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        found = step(self, *arguments)
    every = sorted(seen.events(), key=lambda event: (event.time_range.start, -event.time_range.end))
    spans, ends = [], {}
    for event in every:
        start, end, thread = event.time_range.start, event.time_range.end, event.thread
        if event.name.startswith("aten::") and start >= ends.get(thread, -1):
            spans.append((event.name, start, end))
            ends[thread] = end
    first = every[0].time_range.start
    whole = max(event.time_range.end for event in every) - first
    calls = sum(event.name.startswith("aten::") for event in every)
    with open(out, "w") as file:
        json.dump({"spans": [(n, s - first, e - first) for n, s, e in spans], "whole": whole, "calls": calls}, file)
    os._exit(0)
Step.__call__ = recorded
gdsfd.Debiaser(backbone=backbone, debias="none").fit(gdsfd.load_graph(graph))
"""


def recorded(checkout: Path, spec: Path, backbone: str, step: int, folder: Path) -> dict[str, Any]:
    """The spans of one step in a checkout, in microseconds."""
    graph, out = folder / f"{checkout.name}-graph", folder / f"{checkout.name}.json"
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    build = [sys.executable, "-m", "gdsfd", "build", str(checkout / spec), "--out", str(graph), "--quiet"]
    subprocess.run(build, cwd=checkout, env=environment, check=True)
    record = [sys.executable, "-c", RECORD, str(graph), backbone, str(out), str(step)]
    subprocess.run(record, cwd=checkout, env=environment, check=True)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def kind_of(name: str) -> str:
    """Which kind an operation is of."""
    return next((kind for kind, (words, _) in KINDS.items() if any(word in name for word in words)), "everything else")


def draw(steps: dict[str, dict[str, Any]]) -> None:
    """Both steps on one axis of milliseconds."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "gdsfd", "font.size": 9})
    figure, axes = plt.subplots(figsize=(8.5, 2.4))
    for row, found in enumerate(steps.values()):
        for kind, (_, colour) in KINDS.items():
            spans = [(s / 1e3, (e - s) / 1e3) for name, s, e in found["spans"] if kind_of(name) == kind]
            # one raster image per kind keeps the file small: a step has thousands of spans
            axes.broken_barh(spans, (1 - row - 0.32, 0.64), facecolors=colour, linewidth=0, rasterized=True)
        axes.text(
            found["whole"] / 1e3, 1 - row, f"  {found['whole'] / 1e3:.0f} ms, {found['calls']:,} calls", va="center"
        )
    axes.set_yticks([1, 0], list(steps))
    axes.set_xlabel(
        "milliseconds of one training step on one thread, with the profiler on; white: Python between operations"
    )
    axes.set_xlim(0, 1.25 * max(found["whole"] for found in steps.values()) / 1e3)
    axes.spines[["top", "right"]].set_visible(False)
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for _, colour in KINDS.values()]
    axes.legend(handles, list(KINDS), loc="upper center", bbox_to_anchor=(0.45, 1.28), ncols=4, frameon=False)
    figure.savefig(PICTURE, bbox_inches="tight", dpi=200, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("spec", type=Path, help="as seen from a checkout")
    parser.add_argument("--backbone", default="muse")
    parser.add_argument("--step", type=int, default=20, help="which step is recorded")
    arguments = parser.parse_args()
    steps: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for label, checkout in (("before", arguments.other.resolve()), ("now", HERE)):
            steps[label] = recorded(checkout, arguments.spec, arguments.backbone, arguments.step, Path(folder))
            commit = subprocess.run(
                ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
            ).stdout.strip()
            spent = {kind: 0.0 for kind in KINDS}
            for name, start, end in steps[label]["spans"]:
                spent[kind_of(name)] += (end - start) / 1e3
            line = append_line(
                "step_timeline.jsonl",
                benchmark="step_timeline",
                cohort=arguments.spec.stem,
                backbone=arguments.backbone,
                trained_by=commit,
                milliseconds=steps[label]["whole"] / 1e3,
                calls=steps[label]["calls"],
                milliseconds_by_kind=spent,
            )
            print(line if line is not None else (label, spent, steps[label]["calls"]))
    draw(steps)


if __name__ == "__main__":
    main()
