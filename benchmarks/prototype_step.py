"""What the adjustment over strata costs: a training step with it beside the same dual streams without, and one patient.

    python benchmarks/prototype_step.py --backbones concat,muse,grape

Steps of all arms alternate on the same batches of the simulated cohort, so that whatever else the machine does meets
them alike. A step is forward, loss with every part (stage 2), backward, clipping and optimiser. ``none`` are the dual
streams of the mode ``prototypes`` without strata; ``own`` is the mode with them, ``exact`` and ``sampled`` train the
averaged prediction instead. All have the same number of strata and the same starting weights.

One line per backbone is appended to ``results/prototype_step.jsonl``: medians and quartiles of the time and of its
ratio to the step of ``none`` on the same batch, and of the time to predict one patient by a model that was saved and
loaded: on the clock, and of the processor, which other work on the machine hardly lengthens.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from results_line import append_line
from training_step import stepper

import gdsfd
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams import PRESETS, StreamConfig
from gdsfd.training import Debiaser
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig

SUSPECTS = ("pattern", "environment")


def arms_of(strata: int) -> dict[str, StreamConfig]:
    """The arms; the margin acts in all, also where it would be zero."""
    plain = PRESETS["prototypes"]
    assert plain is not None
    own = PrototypeConfig(strata=("cluster",), clusters=strata, least=1)
    inner: dict[str, PrototypeConfig | None] = {
        "none": None,
        "own": own,
        "exact": replace(own, fit="backdoor"),
        "sampled": replace(own, fit="backdoor", estimator="sampled"),
    }
    return {name: replace(plain, prototypes=prototypes) for name, prototypes in inner.items()}


def check_strata(network: Ensemble, asked: int) -> None:
    """That every member has as many strata as asked for."""
    for member in network.members:
        assert isinstance(member, StreamPredictor)
        found = 0 if member.deconfounder is None else member.deconfounder.prototypes.num_strata
        assert found == asked, f"{found} strata, expected {asked}"


def one_patient(
    backbone: str, graph: Any, streams: StreamConfig, channels: int, folder: Path, times: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of ``predict_proba(graph, ids=[...])`` after loading: on the clock, and of the processor."""
    settings = dict(members=1, channels=channels, max_epochs=1, guard="debiased", guard_folds=0)
    Debiaser(backbone, replace(streams, stage_one=0.0), SUSPECTS, **settings).fit(graph, baselines=False).save(folder)
    model, clock, processor = Debiaser.load(folder), [], []
    for name in graph["patient"].id[: times + 5]:
        start, spent = time.perf_counter(), time.process_time()
        model.predict_proba(graph, ids=[name])
        processor.append(1e3 * (time.process_time() - spent))
        clock.append(1e3 * (time.perf_counter() - start))
    return clock[5:], processor[5:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbones", default="concat,muse,grape")
    parser.add_argument("--channels", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--strata", type=int, default=64)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--patients", type=int, default=5000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        gdsfd.simulate(Path(work) / "exports", patients=arguments.patients, seed=0)
        graph = gdsfd.build_graph(Path(work) / "exports" / "spec.toml", progress=False)
        train = rows_of(graph, "train")
        settings = TrainConfig(members=1, channels=arguments.channels, batch_size=arguments.batch_size)
        config = settings.resolved(train.numel())
        for backbone in arguments.backbones.split(","):
            store, arms = PatientStore(graph), arms_of(arguments.strata)
            arm = Arm(backbone, None, config, 0, SUSPECTS)
            steps = {}
            for name, streams in arms.items():
                steps[name], network = stepper(replace(arm, streams=streams), graph, store)
                check_strata(network, 0 if name == "none" else arguments.strata)
            taken: dict[str, list[float]] = {name: [] for name in steps}
            generator = torch.Generator().manual_seed(0)
            for number in range(arguments.steps + 3):
                rows = train[torch.randperm(train.numel(), generator=generator)[: arguments.batch_size]]
                order = torch.randperm(len(steps), generator=generator).tolist()  # who follows whom is left to chance
                for name in [list(steps)[place] for place in order]:
                    start = time.perf_counter()
                    steps[name](rows)
                    if number >= 3:
                        taken[name].append(1e3 * (time.perf_counter() - start))
            ratio = {name: np.array(times) / np.array(taken["none"]) for name, times in taken.items()}
            clock, processor = one_patient(backbone, graph, arms["own"], arguments.channels, Path(work) / backbone, 200)
            line = {
                "benchmark": "prototype_step",
                "backbone": backbone,
                "channels": config.channels,
                "batch_size": arguments.batch_size,
                "strata": arguments.strata,
                "patients": arguments.patients,
                "steps": arguments.steps,
                "threads": torch.get_num_threads(),
                "milliseconds": {name: quartiles(times) for name, times in taken.items()},
                "ratio_to_none": {name: quartiles(each) for name, each in ratio.items()},
                "one_patient_milliseconds": quartiles(clock),
                "one_patient_processor_milliseconds": quartiles(processor),
            }
            append_line("prototype_step.jsonl", **line)
            shown = ", ".join(f"{name} {np.median(each):.2f}" for name, each in ratio.items())
            print(
                f"{backbone}: step time over that without strata: {shown}; "
                f"one patient {np.median(clock):.1f} ms, {np.median(processor):.1f} of the processor"
            )


def quartiles(values: Any) -> list[float]:
    """The three quartiles, rounded."""
    return [round(float(quartile), 3) for quartile in np.quantile(values, [0.25, 0.5, 0.75])]


if __name__ == "__main__":
    main()
