"""A training step on a GPU: plain PyG, compiled PyG, call by call, and repeated by the GPU itself; and epochs.

    python benchmarks/cuda_step.py               # what make bench BENCH=cuda begins with
    python benchmarks/cuda_step.py --rehearse    # tiny, on the CPU: only whether the script runs

Two streams on ``muse`` under the preset ``streams``, batches of 512 patients. Beside the times: the share of a step in
which the GPU works (kernel seconds of the profiler over seconds of an unprofiled step), launches, and how often the
host waits. Recorded steps are compared with the same steps call by call, nothing being dropped or hidden. Then seconds
per epoch of ``muse`` with default settings, ERM, on 12,000 simulated patients, with and without recording. Lines go to
``results/cuda_step.jsonl``; a table ends the run.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from results_line import append_line
from torch import Tensor, nn

import gdsfd
from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.opponents.plain_muse import PlainCohort
from gdsfd.bench.opponents.plain_streams import PlainStreams
from gdsfd.bench.problem import Shape
from gdsfd.bench.timing import in_turns
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.adamw import AdamW
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets
from gdsfd.nn.member_stack import MemberStack
from gdsfd.nn.objectives import StreamObjective
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams import PRESETS
from gdsfd.training.average import RunningAverage
from gdsfd.training.batches import TrainingBatches
from gdsfd.training.captured_step import CapturedSteps, why_not_repeatable
from gdsfd.training.config import TrainConfig
from gdsfd.training.critics import Critics
from gdsfd.training.devices import make_fabric
from gdsfd.training.hooks import BackboneHooks
from gdsfd.training.step import Step

RATE, STAGE = 1e-4, 2


@dataclass(frozen=True)
class Size:
    """How much is done."""

    device: str
    shape: Shape
    batch: int
    patients: int
    epochs: int
    turns: int


FULL = Size("cuda", Shape(patients=8192, modalities=5), 512, 12_000, 6, 15)
REHEARSAL = Size("cpu", Shape(patients=300, modalities=3, channels=8), 32, 400, 3, 3)


class Contestants:
    """The same streams in every form.

    Args:
        size: How much is done.
        random: Whether anything is dropped or hidden.
    """

    def __init__(self, size: Size, random: bool) -> None:
        torch.manual_seed(0)
        self.size = size
        self.graph = random_graph(size.shape, seed=0)
        streams, options = PRESETS["streams"], {"layers": size.shape.layers, "edge_drop": 0.15 if random else 0.0}
        assert streams is not None
        self.streams = streams
        self.first = StreamPredictor(
            self.graph.schema, "muse", size.shape.channels, 0.25 if random else 0.0, options=options, streams=streams
        )
        margin = torch.zeros(size.shape.patients, 1)
        self.targets = Targets(self.graph["patient"].y, torch.arange(size.shape.patients), margin=margin)
        self.targets = self.targets.to(size.device)

    def plain(self, compiled: bool) -> Callable[[Tensor], object]:
        """A step of the plain composition."""
        network = Ensemble([copy.deepcopy(self.first)], multiclass=False)
        objective = StreamObjective(network, self.streams, self.size.shape.patients).to(self.size.device)
        model = PlainStreams(self.first).train().to(self.size.device)
        cohort = PlainCohort(self.graph.clone().to(self.size.device))
        optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, fused=True)
        run = torch.compile(model, dynamic=True) if compiled else model

        def step(rows: Tensor) -> None:
            optimizer.zero_grad()
            objective([run(cohort, rows)], self.targets.take(rows), STAGE).backward()
            optimizer.step()

        return step

    def ours(self, captured: bool) -> tuple[Callable[[Tensor], object], nn.Module]:
        """A step as training takes it, and the network."""
        size = self.size
        config = TrainConfig(accelerator=size.device, captured=captured, members=1)
        fabric = make_fabric(config)
        network = Ensemble([copy.deepcopy(self.first)], multiclass=False).train().to(fabric.device)
        store = PatientStore(self.graph)
        batches = TrainingBatches(network, store, fabric.device, size.batch)
        objective = StreamObjective(network, self.streams, size.shape.patients)
        stack = MemberStack(network)
        adam = AdamW(stack.parameters(), lr=RATE, capturable=captured and fabric.device.type == "cuda")
        critics, whole = Critics(objective), nn.ModuleDict({"network": network, "objective": objective})
        model, optimizer = fabric.setup(stack, adam, move_to_device=False)
        objective.to(fabric.device)
        hooks = BackboneHooks(network, store, config)
        step = Step(fabric, model, optimizer, objective, critics, RunningAverage(network, 0.0), hooks, STAGE, 1.0)
        if why := why_not_repeatable(step, batches):
            raise SystemExit(f"the step is not the same calls every time: {why}")
        if not captured:
            return lambda rows: step(batches.at(rows), self.targets.take(rows), RATE), network
        steps = CapturedSteps(batches, self.targets, whole)
        steps.start_epoch(step)
        return lambda rows: steps(rows, RATE), network


def seen(step: Callable[[Tensor], object], rows: Tensor, seconds: float) -> dict[str, float]:
    """What the GPU does in a step: its share of busy time, launches, and how often the host waits."""
    from torch.profiler import ProfilerActivity, profile

    with warnings.catch_warnings(record=True) as waits:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        step(rows)
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    steps = 5
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as found:
        for _ in range(steps):
            step(rows)
        torch.cuda.synchronize()
    events = found.key_averages()
    busy = sum(event.self_device_time_total for event in events) / 1e6 / steps
    launches = sum(event.count for event in events if "LaunchKernel" in event.key or "GraphLaunch" in event.key)
    return {
        "gpu_seconds": busy,
        "gpu_busy": busy / seconds,
        "launches": launches / steps,
        "waits": sum("synchroniz" in str(each.message) for each in waits),
    }


def agree(size: Size, steps: int = 8) -> float:
    """Largest difference of a weight between recorded and ordinary steps, with nothing random."""
    made = Contestants(size, random=False)
    weights = []
    for captured in (False, True):
        step, network = made.ours(captured)
        generator = torch.Generator().manual_seed(1)
        for _ in range(steps):
            step(torch.randperm(size.shape.patients, generator=generator)[: size.batch].to(size.device))
        weights.append(torch.cat([each.detach().flatten() for each in network.parameters()]).double())
    return float((weights[0] - weights[1]).abs().max())


def epoch_seconds(size: Size, captured: bool) -> float:
    """Seconds per epoch of muse, ERM; the median without the first two, in which steps are recorded."""
    with tempfile.TemporaryDirectory() as folder:
        gdsfd.simulate(Path(folder) / "exports", patients=size.patients, seed=0)
        graph = gdsfd.build_graph(Path(folder) / "exports" / "spec.toml")
    model = gdsfd.Debiaser(
        "muse", debias="none", max_epochs=size.epochs, accelerator=size.device, captured=captured
    ).fit(graph, baselines=False)
    return statistics.median(row["seconds"] for row in model.history[2:])


def measured(size: Size) -> list[dict[str, Any]]:
    """A line per contestant."""
    made = Contestants(size, random=True)
    steps = {"plain pyg": made.plain(False)}
    if size.device == "cuda":
        steps["plain pyg, compiled"] = made.plain(True)
    steps |= {"gdsfd, call by call": made.ours(False)[0], "gdsfd, recorded": made.ours(True)[0]}
    rows = [torch.randperm(size.shape.patients)[: size.batch].to(size.device) for _ in range(8)]
    for name, step in list(steps.items()):
        try:
            for each in rows:
                step(each)
        except Exception as error:  # the compiler is a contestant, not a condition
            if "compiled" not in name:
                raise
            print(f"{name} did not run: {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
            del steps[name]
    calls = {name: lambda step=step: step(rows[0]) for name, step in steps.items()}
    times = in_turns(calls, size.turns, torch.get_num_threads(), size.device, budget=60)
    lines = []
    for name, timing in times.items():
        line: dict[str, Any] = {"benchmark": "cuda_step", "model": "streams", "contestant": name, **timing.fields()}
        line |= {"shape": {**size.shape.to_dict(), "batch": size.batch}, "dtype": size.shape.dtype}
        line["times_as_fast_as_plain"] = times["plain pyg"].median / timing.median
        if "plain pyg, compiled" in times:
            line["times_as_fast_as_compiled"] = times["plain pyg, compiled"].median / timing.median
        if size.device == "cuda":
            line |= seen(steps[name], rows[0], timing.median)
        lines.append(line)
    return lines


def main() -> None:
    """Everything, or why not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="tiny, on the CPU; nothing is written")
    rehearse = parser.parse_args().rehearse
    if not rehearse and not torch.cuda.is_available():
        print("There is no CUDA device here: nothing was measured.")
        return
    size, begun = REHEARSAL if rehearse else FULL, time.monotonic()
    differ = agree(size)
    if differ > 1e-4:
        raise SystemExit(f"recorded steps are not the ordinary ones: weights differ by {differ:.1e} after 8 steps")
    lines = measured(size)
    epochs = {captured: epoch_seconds(size, captured) for captured in (False, True)}
    for captured, seconds in epochs.items():
        lines.append(
            {"benchmark": "cuda_epoch", "model": "muse", "debias": "none", "patients": size.patients}
            | {"captured": captured, "seconds_per_epoch": seconds}
        )
    if not rehearse:
        device = torch.cuda.get_device_name()
        for line in lines:
            append_line("cuda_step.jsonl", **line, device=device, weights_differ=differ)
    print(f"\nweights after 8 recorded steps and after 8 ordinary ones differ by {differ:.1e}")
    print(f"{'step of two streams':24}{'ms':>8}{'x plain':>9}{'x compiled':>12}{'busy':>7}{'launches':>10}{'waits':>7}")
    for line in lines[:-2]:
        shown = [line.get(key) for key in ("times_as_fast_as_compiled", "gpu_busy", "launches", "waits")]
        compiled, busy, launches, waits = ("-" if each is None else f"{each:.2f}" for each in shown)
        first = f"{line['contestant']:24}{1e3 * line['seconds']:8.2f}{line['times_as_fast_as_plain']:9.2f}"
        print(f"{first}{compiled:>12}{busy:>7}{launches:>10}{waits:>7}")
    told = ", ".join(f"{'recorded' if key else 'call by call'} {value:.3f} s" for key, value in epochs.items())
    print(f"an epoch of muse, ERM, {size.patients:,} patients: {told}")
    print(f"({time.monotonic() - begun:.0f} s{', a rehearsal on the CPU: no figure counts' * rehearse})")


if __name__ == "__main__":
    main()
