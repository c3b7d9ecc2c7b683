"""Many fits in several processes, each a JSON line in ``results/``; what is in the file already is not fitted again."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the jobs too: they are processes
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from results_line import RESULTS, provenance

from gdsfd.baselines.baseline import BASELINES
from gdsfd.cli.settings import read_settings
from gdsfd.comparison.fit_log import FitLog, Record, plain, read_fits
from gdsfd.comparison.fits import EVERY_BASELINE, MATCHED, Plan, fit_all
from gdsfd.errors import InputError
from gdsfd.nn.streams.config import PRESETS, StreamConfig
from gdsfd.training.config import TrainConfig

#: Arms whose guards look at tuning patients, to save time.
RIVALS = ("dfd", "strata", "group_dro", "vrex", "irm", "mmd")
ARMS = ("none", "margin", *RIVALS, "full")

#: The same for all arms of a run.
SETTINGS: dict[str, Any] = {"members": 1, "learning_rate": 1e-3, "patience": 6, "accelerator": "cpu"}


@dataclass(frozen=True)
class Job:
    """One graph, seed and backbone ("" = baselines and oracle); ``fields`` go into each of its lines."""

    fields: dict[str, Any]
    seed: int
    backbone: str
    prepare: Callable[[Path], tuple[Any, Any]]
    work: Path

    @property
    def key(self) -> tuple[Any, ...]:
        """What its lines have in common."""
        return self.fields["design"], self.fields["holdout"], self.seed


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds a lock beside a folder, so that two jobs do not make it at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f".{folder.name}.lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def add_arguments(parser: argparse.ArgumentParser, file: str) -> None:
    """The arguments that both programs share."""
    parser.add_argument("--arms", default=",".join(ARMS), help="comma-separated")
    parser.add_argument("--backbones", default="concat,muse,grape")
    parser.add_argument("--baselines", default=",".join(EVERY_BASELINE))
    parser.add_argument("--suspects", default="pattern,environment")
    parser.add_argument("--jobs", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument(
        "--dfd-folds",
        type=int,
        default=0,
        help=f"environments that the guards of {', '.join(RIVALS)} leave out; those of margin and full leave out more",
    )
    parser.add_argument("--no-matched", action="store_true", help="without ERM of the same size")
    parser.add_argument("--file", type=Path, default=RESULTS / file, help="where lines go, and are looked for")
    parser.add_argument("--work", type=Path, default=Path("/tmp") / file.removesuffix(".jsonl"), help="for graphs")


def plan_of(arguments: argparse.Namespace) -> Plan:
    """What the arguments ask for."""
    arms = [name for name in arguments.arms.split(",") if name]
    unknown = [name for name in arms if name not in PRESETS]
    if unknown:
        raise SystemExit(f"unknown arms {unknown}; known: {list(PRESETS)}")
    given = read_settings(arguments.settings, list(TrainConfig.__dataclass_fields__))
    return Plan(
        arms={name: PRESETS[name] for name in arms},
        backbones=tuple(name for name in arguments.backbones.split(",") if name),
        baselines=tuple(name for name in arguments.baselines.split(",") if name in BASELINES),
        suspects=tuple(name for name in arguments.suspects.split(",") if name),
        config=TrainConfig.from_settings({**SETTINGS, **given}),
        folds=dict.fromkeys(RIVALS, arguments.dfd_folds),
        matched=not arguments.no_matched,
    )


def run_jobs(jobs: Sequence[Job], plan: Plan, processes: int, file: Path) -> None:
    """Runs what is missing; a failed job is reported at the end and does not stop the others."""
    done = finished(file, plan)
    missing = [job for job in jobs if not done.get(job.key, set()) >= set(plan.only(job.backbone).rows())]
    if not missing:
        return
    head = provenance()
    run = f"{int(time.time()):x}-{os.getpid()}"
    log = FitLog(file)
    log.append([{"run": run, **head, **made_with(plan)}])
    short = {"run": run, "commit": head["commit"][:8]}
    failed = []
    start = time.monotonic()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(_run, job, plan.only(job.backbone), str(file), short, done.get(job.key, set())): job
            for job in missing
        }
        for number, future in enumerate(as_completed(waiting), start=1):
            job = waiting[future]
            what = " ".join(map(str, [*job.fields.values(), job.backbone or "baselines"]))
            error = future.exception()
            if error is not None:
                failed.append(f"{what}: {type(error).__name__}: {error}")
            said = f"FAILED {error!r}" if error is not None else f"{future.result()} lines"
            print(f"[{number}/{len(missing)}, {time.monotonic() - start:.0f} s] {what}: {said}", flush=True)
    for text in failed:
        print(f"failed: {text}", file=sys.stderr)


def made_with(plan: Plan) -> Record:
    """What fits depend on, as it stands in the line of a run."""
    default = TrainConfig().to_dict()
    return dict(
        plain(
            {
                "settings": {name: value for name, value in plan.config.to_dict().items() if value != default[name]},
                "suspects": plan.suspects,
                "arms": {name: streams.to_dict() for name, streams in plan.debiased().items()},
                "folds": {name: plan.folds.get(name, plan.config.guard_folds) for name in plan.debiased()},
            }
        )
    )


def finished(file: Path, plan: Plan) -> dict[tuple[Any, ...], set[tuple[str, str]]]:
    """The fits in a file that were made as the plan makes them: (design, holdout, seed) -> (backbone, arm).

    A fit of another run counts when that run had the same settings and, for a debiased arm, the same suspects and
    parts; that of a baseline when it reads no suspects, or that run had the same. What was changed is fitted again, and
    the newest line of a fit counts in all tables.
    """
    now, found = made_with(plan), {}
    runs: dict[str, Record] = {}
    if file.is_file():
        for text in file.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                line = json.loads(text)
                if isinstance(line, dict) and "command" in line:
                    runs[line["run"]] = line
    for record in read_fits(file):
        then, arm = runs.get(record.get("run", ""), {}), record["arm"].removesuffix(" (forced)")
        same_suspects = then.get("suspects") == now["suspects"]
        if record["backbone"] == "":
            same = same_suspects or arm not in BASELINES or not BASELINES.find(arm).reads_suspects
        else:
            same_parts = _parts(then, arm) == _parts(now, arm)
            same = then.get("settings") == now["settings"] and (
                arm in ("none", MATCHED) or (same_parts and same_suspects)
            )
        if same:
            key = (record["design"], record["holdout"], record["seed"])
            found.setdefault(key, set()).add((record["backbone"], record["arm"]))
    return found


def _parts(run: Record, arm: str) -> tuple[Any, Any]:
    """An arm's parts, those that the run's version did not have yet at their defaults, and its folds."""
    given = run.get("arms", {}).get(arm)
    with suppress(InputError):  # parts that there are no more are compared as they stand
        given = None if given is None else StreamConfig.read(given)
    return given, run.get("folds", {}).get(arm)


def _run(job: Job, plan: Plan, file: str, head: Record, done: set[tuple[str, str]]) -> int:
    log = FitLog(file, head)
    with alone(job.work):
        graph, oracle = job.prepare(job.work)
    lines = 0
    for records in fit_all(graph, job.seed, plan, done, None if job.backbone else oracle):
        log.append([{**job.fields, "seed": job.seed, **_short(record)} for record in records])
        lines += len(records)
    return lines


def _short(record: Record) -> Record:
    """A record without what can be read elsewhere."""
    kept = dict(record)
    kept["splits"] = {
        split: {name: value if name == "n" else round(value, 5) for name, value in found.items() if name != "positives"}
        for split, found in record["splits"].items()
    }
    if "guard" in kept:
        kept["guard"] = {name: value for name, value in kept["guard"].items() if name != "words"}
    config = kept.pop("config", {})
    if kept["arm"] == MATCHED:
        kept["channels"] = config["channels"]
    if "told" in kept:
        kept["told"] = kept["told"]["nats"]
    return kept


def table(file: Path, split_of: Callable[[str], str] = lambda design: "test") -> str:
    """Mean AUROC by design, backbone and arm over seeds (and held-out environments), as text."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for record in read_fits(file):
        split = split_of(record["design"])
        for name in (split, "test") if split != "test" else ("test",):
            value = record["splits"].get(name, {}).get("auroc")
            if value is not None:
                found.setdefault((record["design"], record["backbone"] or "-", f"{record['arm']} @ {name}"), []).append(
                    value
                )
    rows = [f"{'design':28s} {'backbone':9s} {'arm @ split':34s} AUROC   n"]
    for (design, backbone, arm), values in sorted(found.items()):
        rows.append(f"{design:28s} {backbone:9s} {arm:34s} {sum(values) / len(values):.4f} {len(values):3d}")
    return "\n".join(rows)


def remove(folder: Path) -> None:
    """Removes what a killed job left."""
    shutil.rmtree(folder, ignore_errors=True)


def dump(path: Path, value: Any) -> None:
    """Writes JSON, whole or not at all."""
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(value), encoding="utf-8")
    os.replace(temporary, path)
