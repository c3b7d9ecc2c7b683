"""A large cohort through `gdsfd build`, `train`, `predict` and `evaluate`: seconds and memory of each.

    python benchmarks/larger_than_memory.py --patients 1000000
    python benchmarks/larger_than_memory.py --patients 1000000 --engine spark --steps build
    python benchmarks/larger_than_memory.py --patients 1000000 --limit-gib 8

The exports are those of ``benchmarks/large_cohort.py``. Each step is a process of its own. Training takes one epoch of
``muse``. One line per step is appended to ``results/larger_than_memory.jsonl``.

Memory is looked at five times a second, of the step's process and all that it starts (Spark's own, its workers): what
is its own (anonymous), which nothing but swapping gives back, and pages of files that are mapped, which the system
takes back when it needs them. ``ru_maxrss`` is the kernel's own account of the two together, of the step's process
alone. With ``--limit-gib`` the kernel gives each step no more than that, files in its cache included (control groups
of version 1, as root): a step that needs more is killed, and the line says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from results_line import append_line

GROUPS = Path("/sys/fs/cgroup/memory")
STEPS = ("exports", "build", "train", "predict", "evaluate")
EVERY = 0.2  #: seconds between two looks at memory


def commands(folder: Path, arguments: argparse.Namespace) -> dict[str, list[str]]:
    """What each step runs."""
    gdsfd = [sys.executable, "-m", "gdsfd"]
    exports, graph, run = (str(folder / name) for name in ("exports", "graph", "run"))
    spark = ["--engine", arguments.engine, *(["--master", arguments.master] if arguments.master else [])]
    script = str(Path(__file__).with_name("large_cohort.py"))
    sizes = ["--patients", str(arguments.patients), "--events", str(arguments.events)]
    baselines = [] if arguments.baselines else ["--no-baselines"]
    settings = [word for one in arguments.set for word in ("--set", one)]
    train = ["--backbone", arguments.backbone, "--epochs", "1", *settings, *baselines]
    return {
        "exports": [sys.executable, script, exports, *sizes],
        "build": [*gdsfd, "build", f"{exports}/spec.toml", "--out", graph, *spark, "--force", "--quiet"],
        "train": [*gdsfd, "train", graph, "--out", run, *train, "--force", "--quiet"],
        "predict": [*gdsfd, "predict", run, graph, "--out", str(folder / "predictions.parquet"), "--force"],
        "evaluate": [*gdsfd, "evaluate", run, graph, "--out", str(folder / "report"), *baselines, "--force", "--quiet"],
    }


def measured(command: list[str], log: Path, group: Path | None) -> dict[str, Any]:
    """Runs a command; its seconds, most bytes, and exit code."""
    start = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *_given()])}
    with log.open("w") as out:
        child = subprocess.Popen(_inside(command, group), stdout=out, stderr=subprocess.STDOUT, env=environment)
        most = {"own_bytes": 0, "mapped_bytes": 0, "together_bytes": 0, "processes": 0}
        while True:
            ended, status, usage = os.wait4(child.pid, os.WNOHANG)
            if ended:
                child.returncode = os.waitstatus_to_exitcode(status)
                break
            for name, value in memory_now(child.pid).items():
                most[name] = max(most[name], value)
            time.sleep(EVERY)
    seconds = time.perf_counter() - start
    found = {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "max_rss_bytes": usage.ru_maxrss << 10}
    if group is not None:
        found["group_most_bytes"] = int((group / "memory.max_usage_in_bytes").read_text())
    return {**found, **most, "exit_code": child.returncode}


def memory_now(process: int) -> dict[str, int]:
    """Bytes of a process and all below it, and how many they are."""
    own = mapped = count = 0
    for one in _family(process):
        try:
            told = dict(line.split(":", 1) for line in Path(f"/proc/{one}/status").read_text().splitlines())
        except (OSError, ValueError):  # it ended meanwhile
            continue
        if "RssAnon" in told:
            count += 1
            own += (int(told["RssAnon"].split()[0]) + int(told["RssShmem"].split()[0])) << 10
            mapped += int(told["RssFile"].split()[0]) << 10
    return {"own_bytes": own, "mapped_bytes": mapped, "together_bytes": own + mapped, "processes": count}


def _family(process: int) -> Iterator[int]:
    yield process
    try:
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield from _family(int(child))
    except OSError:
        return


def _given() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _inside(command: list[str], group: Path | None) -> list[str]:
    """A command that puts itself into a control group first."""
    return command if group is None else ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *command]


def _command() -> str:
    """What was typed, without the folder: where it lies on this machine is nobody else's concern."""
    words = ["python", "benchmarks/larger_than_memory.py", *sys.argv[1:]]
    while "--folder" in words:
        place = words.index("--folder")
        del words[place : place + 2]
    return " ".join(words)


@contextmanager
def limited(gib: float | None) -> Iterator[Path | None]:
    """A control group with so much memory."""
    if gib is None:
        yield None
        return
    group = GROUPS / f"gdsfd-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        needs = "this needs control groups of version 1, and root"
        raise SystemExit(f"--limit-gib: {group}: {error.strerror}; {needs}") from None
    try:
        (group / "memory.limit_in_bytes").write_text(str(int(gib * 2**30)))
        yield group
    finally:
        group.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--events", type=float, default=100.0, help="per patient, on average (default: 100)")
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    parser.add_argument("--master", help="where Spark runs (default: as gdsfd build)")
    parser.add_argument("--steps", default=",".join(STEPS), help="some of " + ",".join(STEPS))
    parser.add_argument("--backbone", default="muse")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of gdsfd train")
    parser.add_argument("--no-baselines", dest="baselines", action="store_false", help="no boosting, no regression")
    parser.add_argument("--folder", type=Path, help="kept, and what is there is used again; default: a temporary one")
    parser.add_argument("--limit-gib", type=float, help="the most memory of a step")
    arguments = parser.parse_args()
    steps = arguments.steps.split(",")
    if unknown := set(steps).difference(STEPS):
        parser.error(f"--steps: expected some of {','.join(STEPS)}, got {','.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for step, command in commands(folder, arguments).items():
            if step not in steps:
                continue
            with limited(arguments.limit_gib if step != "exports" else None) as group:
                found = measured(command, folder / f"{step}.log", group)
            append_line(
                "larger_than_memory.jsonl",
                benchmark="larger_than_memory",
                step=step,
                patients=arguments.patients,
                events_per_patient=arguments.events,
                engine=arguments.engine if step == "build" else None,
                backbone=arguments.backbone if step in ("train", "predict", "evaluate") else None,
                baselines=arguments.baselines,
                settings=arguments.set,
                limit_gib=arguments.limit_gib,
                **found,
                patients_per_second=arguments.patients / found["seconds"],
                graph_bytes=sum(file.stat().st_size for file in (folder / "graph").glob("*")),
                cores=len(os.sched_getaffinity(0)),
                threads=int(os.environ.get("OMP_NUM_THREADS", 0)) or None,
                command=_command(),
            )
            words = ", ".join(f"{found[name] / 2**30:.2f} GiB {what}" for name, what in _TOLD.items())
            print(f"{step}: {found['seconds']:,.1f} s, {words}", flush=True)
            if found["exit_code"]:
                log = (folder / f"{step}.log").read_text(errors="replace")[-2000:]
                raise SystemExit(f"{step} ended with {found['exit_code']}: {log}")


_TOLD = {"own_bytes": "its own", "mapped_bytes": "of files", "max_rss_bytes": "by the kernel's account"}


if __name__ == "__main__":
    main()
