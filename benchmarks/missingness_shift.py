"""Trained under one mechanism of missingness, tested under others, and with modalities taken away.

    python benchmarks/missingness_shift.py --seeds 10 --first-seed 10 --jobs 2

In the design ``missingness`` a latent care practice U acts on the outcome (P(U = Y) = .9) and on which modalities a
patient has, and on nothing else: no content is biased and sites say nothing of U. The contents of a seed's patients are
the same under every mechanism; only presence is drawn anew. ``missingness_site`` is the same with hospitals that tell
U, ``missingness_bias`` with biased content in labs and imaging, ``missingness_small`` with 2,000 patients,
``missingness_observed`` the same with age, sex and the other demographics of everybody.

An arm is a debiasing mode with settings, as ``prototypes:placebo=shuffled`` or ``streams:intervention=1.0``;
settings of prototypes and of the mode may be mixed, and ``mass=target`` takes the masses of the tested patients.
Networks are used as they are trained (no guard); what the guard would choose where no environment is declared stands in
the line. One line per fit is appended to ``results/missingness_shift.jsonl``; a fit that is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from fit_jobs import SETTINGS, alone, remove
from results_line import RESULTS, provenance

import gdsfd
from gdsfd.cli.settings import read_settings
from gdsfd.comparison.fit_log import FitLog, Record
from gdsfd.evaluation.metrics.formulas import auroc
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities, keep_modalities
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.streams.config import PRESETS, StreamConfig
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.config import TrainConfig
from gdsfd.training.inference import predict
from gdsfd.training.model_selection.guard import select_model
from gdsfd.training.suspects.strata import groups_of

MECHANISMS = ("mcar", "mar", "mnar", "mnar_outcome")
INFORMATIVE = ("labs", "imaging", "vitals", "history")
OPTIONS: dict[str, Any] = {"patients": 5000, "missing": 0.4, "informative": INFORMATIVE}
DESIGNS: dict[str, dict[str, Any]] = {
    "missingness": {**OPTIONS, "bias_modalities": (), "site_fidelity": 0.0},
    "missingness_site": {**OPTIONS, "bias_modalities": ()},
    "missingness_bias": {**OPTIONS, "site_fidelity": 0.0},
    "missingness_small": {**OPTIONS, "bias_modalities": (), "site_fidelity": 0.0, "patients": 2000},
    "missingness_observed": {
        **OPTIONS,
        "bias_modalities": (),
        "site_fidelity": 0.0,
        "patients": 2000,
        "missing": {"demographics": 0.0} | dict.fromkeys(INFORMATIVE, 0.4),
    },
}
ARMS = "none,strata,streams,prototypes,prototypes:placebo=shuffled"


def streams_of(arm: str) -> StreamConfig | None:
    """The parts of ``mode`` or ``mode:setting=value:...``."""
    mode, *settings = arm.split(":")
    parts = PRESETS[mode]
    if not settings:
        return parts
    assert parts is not None
    own = [each.name for each in fields(StreamConfig)]
    inner = [each.name for each in fields(PrototypeConfig) if each.name not in own]
    given: dict[bool, dict[str, Any]] = {True: {}, False: {}}  # of the mode itself, of its prototypes
    for pair in (each.replace("+", ",") for each in settings if each != "mass=target"):
        name, _, value = pair.partition("=")
        read = tuple(value.split(",")) if name == "strata" else read_settings([pair], [*own, *inner])[name]
        given[name in own][name] = read
    if given[False]:
        given[True]["prototypes"] = replace(parts.prototypes or PrototypeConfig(), **given[False])
    return replace(parts, **given[True])


def graphs_of(design: str, seed: int, trained: str, work: Path) -> dict[str, Any]:
    """Mechanism -> the seed's graph, read with the vocabularies and scales of the mechanism trained on."""
    found = {}
    for mechanism in MECHANISMS:
        folder = work / f"{design}-{seed}" / mechanism
        with alone(folder):
            if not (folder / "done").is_file():
                remove(folder)
                gdsfd.simulate(folder, seed=seed, mechanism=mechanism, **DESIGNS[design])
                (folder / "done").touch()
    own = gdsfd.build_graph(work / f"{design}-{seed}" / trained / "spec.toml", progress=False)
    for mechanism in MECHANISMS:
        spec = work / f"{design}-{seed}" / mechanism / "spec.toml"
        found[mechanism] = own if mechanism == trained else gdsfd.build_graph(spec, like=own, progress=False)
    return found


def score(network: Ensemble, graph: Any, split: str = "test") -> float:
    """AUROC on a split."""
    rows = rows_of(graph, split)
    probability = predict(network, PatientStore(graph), rows).probability
    return round(float(auroc(graph["patient"].y[rows, 0].numpy(), probability[:, 1])), 5)


def target_masses(network: Ensemble, graph: Any, tested: Any) -> None:
    """Sets the masses of strata to their shares among the tested patients (labels are not read)."""
    import torch

    rows = rows_of(tested, "test")
    store = PatientStore(tested)
    for member in network.members:
        group = groups_of(member, tested, rows_of(graph, "train"))[rows]
        with torch.no_grad():
            stratum = member.deconfounder.strata(member(store.batch(rows)).source, group)
        table = member.deconfounder.prototypes
        table.target(torch.bincount(stratum, minlength=table.num_strata).float())


def fit(design: str, seed: int, trained: str, arms: list[str], backbone: str, settings: dict[str, Any], work: Path,
        file: str, head: Record) -> int:  # fmt: skip
    """Fits and scores all arms of one seed and mechanism; the number of lines written."""
    import torch

    torch.set_num_threads(1)
    log, graphs = FitLog(file, head), graphs_of(design, seed, trained, work)
    graph = graphs[trained]
    config = TrainConfig.from_settings({**SETTINGS, **settings}).resolved(int(rows_of(graph, "train").numel()))
    erm = Arm(backbone, None, config, seed, ("pattern", "environment"))
    reference: FittedArm | None = None
    for arm in arms:
        streams, start = streams_of(arm), time.perf_counter()
        each = replace(erm, streams=streams)
        fitted = each.fit(graph)
        seconds = round(time.perf_counter() - start, 1)
        reference = fitted if streams is None else reference
        record: Record = {"design": design, "trained": trained, "seed": seed, "backbone": backbone, "arm": arm}
        record |= {"seconds": seconds, "best_epoch": fitted.state.best_epoch, "auroc": {}}
        if streams is not None and streams.prototypes is not None:
            record["strata"] = [member.deconfounder.prototypes.num_strata for member in fitted.network.members]
        for mechanism, other in graphs.items():
            if "mass=target" in arm:
                target_masses(fitted.network, graph, other)
            record["auroc"][mechanism] = score(fitted.network, other)
        record["unbiased"] = score(fitted.network, graph, "test_unbiased")
        for word, change in (("without", drop_modalities), ("only", keep_modalities)):
            record[word] = {}
            for name in graph.schema.names:
                changed = change(graph, [name])
                record[word][name] = {
                    split: score(fitted.network, changed, split) for split in ("test", "test_unbiased")
                }
        if reference is not None and streams is not None:
            pair = {"reference": reference, "debiased": fitted}
            record["guard"] = select_model(graph, erm, replace(each, suspects=("pattern",)), pair, folds=0).choice
        log.append([record])
    return len(arms)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default="missingness", help=f"comma-separated, of {', '.join(DESIGNS)}")
    parser.add_argument("--trained", default=",".join(MECHANISMS), help="mechanisms to train under")
    parser.add_argument("--arms", default=ARMS)
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--set", dest="settings", action="append", default=["max_epochs=30"], metavar="KEY=VALUE")
    parser.add_argument("--file", type=Path, default=RESULTS / "missingness_shift.jsonl")
    parser.add_argument("--work", type=Path, default=Path("/tmp/missingness_shift"))
    arguments = parser.parse_args()
    settings = read_settings(arguments.settings, list(TrainConfig.__dataclass_fields__))
    arms = arguments.arms.split(",")
    for arm in arms:
        streams_of(arm)  # wrong names are refused here
    done = set()
    if arguments.file.is_file():
        for text in arguments.file.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            done.add(tuple(line[name] for name in ("design", "trained", "seed", "backbone", "arm")))
    head = provenance()
    head = {name: head[name] for name in ("commit", "command", "time")} | {"settings": settings}
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        waiting = {}
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            for design in arguments.designs.split(","):
                for trained in arguments.trained.split(","):
                    case = (design, trained, seed, arguments.backbone)
                    missing = [arm for arm in arms if (*case, arm) not in done]
                    if missing:
                        given = (design, seed, trained, missing, arguments.backbone, settings)
                        future = pool.submit(fit, *given, arguments.work, str(arguments.file), head)
                        waiting[future] = case
        start = time.monotonic()
        for number, future in enumerate(as_completed(waiting), start=1):
            error = future.exception()
            said = f"FAILED {error!r}" if error is not None else f"{future.result()} lines"
            case = " ".join(map(str, waiting[future]))
            print(f"[{number}/{len(waiting)}, {time.monotonic() - start:.0f} s] {case}: {said}", flush=True)
            if error is not None:
                print(f"failed: {case}: {error!r}", file=sys.stderr)


if __name__ == "__main__":
    main()
