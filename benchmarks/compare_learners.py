"""All learners beside boosting and logistic regression: does fusion help, which one, and does debiasing plug in?

    python benchmarks/compare_learners.py                  # fits what is missing, line by line; then all differences
    python benchmarks/compare_learners.py --table          # the table, into docs/learner_comparison.md

Cohorts are two designs of the simulation (``no_bias``, and ``confounded``, judged where the shortcut is gone) and the
eICU demo, PhysioNet 2012 and UCI heart by their specs in ``examples/``. Each seed draws a cohort or a split of its own,
initial weights and shuffling. All learners get the same small budget (:data:`SETTINGS`): no figure here is what a
learner can do at its best. Mode ``none`` is ERM, ``streams`` and ``full`` are debiased networks, whatever the guard
would have said.

One line per (cohort, seed, learner, mode) is appended to ``results/compare_learners.jsonl``. What is there already,
with the same settings, is not fitted again; a fit that fails is told at the end and does not stop the others. Ranks of
test patients' scores, their labels and subjects stay in the work folder: differences with their intervals are worked
out there, by ``--differences`` or at the end of a run, and appended as lines of their own.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from results_line import RESULTS, provenance

import gdsfd
from gdsfd.baselines.baseline import BASELINES
from gdsfd.cohort.spec import load_spec
from gdsfd.comparison.fit_log import FitLog, plain
from gdsfd.evaluation.metrics.formulas import auprc, auroc
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import known_backbones
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.inference import predict

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "learner_comparison.md"
FILE = RESULTS / "compare_learners.jsonl"
SIMULATED = {"no_bias": "test", "confounded": "test_unbiased"}
COHORTS = ("uci_heart", "no_bias", "confounded", "eicu", "physionet2012")
PATIENTS = 2000
#: The same for all.
SETTINGS: dict[str, Any] = {
    "members": 1,
    "max_epochs": 15,
    "patience": 4,
    "learning_rate": 2e-3,
    "accelerator": "cpu",
}
#: Modes that debias, and what is fitted with them, too.
MODES = ("streams", "full")
DEBIASED = ("concat", "muse", "late", "mmtm", "shaspec", "crossmodal", "mt", "umse", "medfuse", "drfuse")
RESAMPLES = 1000
#: What of a fit is about single patients, and stays in the work folder's file.
SCORES, PRIVATE = "ranks", "scores.jsonl"
#: What every row is held against; the last is the row's own learner.
AGAINST = {"concat": ("concat", "none"), "boosting": ("boosting", "baseline"), "its own ERM": None}


def graph_of(cohort: str, seed: int, work: Path) -> Any:
    """The cohort's graph, made once for a seed and kept in a folder."""
    folder = work / f"{cohort}-{seed}"
    if not (folder / "graph.json").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        if cohort in SIMULATED:
            with tempfile.TemporaryDirectory() as exports:
                gdsfd.simulate(Path(exports) / "e", preset=cohort, patients=PATIENTS, seed=seed)
                graph = gdsfd.build_graph(Path(exports) / "e" / "spec.toml", progress=False)
        else:
            spec = load_spec(EXAMPLES / f"{cohort}.toml")
            split = spec.split.model_copy(update={"kind": "subject", "seed": seed})
            graph = gdsfd.build_graph(spec.model_copy(update={"split": split}), progress=False)
        gdsfd.save_graph(graph, folder)
    return gdsfd.load_graph(folder)


class Judge:
    """The labelled test patients of a graph, and figures of scores of them."""

    def __init__(self, graph: Any, cohort: str) -> None:
        self.split = SIMULATED.get(cohort, "test")
        self.graph, self.store = graph, PatientStore(graph)
        rows = rows_of(graph, self.split)
        self.rows = rows[~graph["patient"].y[rows, 0].isnan()]
        self.y = graph["patient"].y[self.rows, 0].numpy()

    def patients(self) -> dict[str, str]:
        """Their labels and subjects, packed."""
        subject = np.asarray(graph_subjects(self.graph))[self.rows.numpy()]
        return {"labels": packed(self.y), "subjects": packed(np.unique(subject, return_inverse=True)[1])}

    def figures(self, score: np.ndarray) -> dict[str, Any]:
        """AUROC, AUPRC, and the ranks that make them; equal scores have equal ranks."""
        return {
            "patients": len(self.y),
            "auroc": round(float(auroc(self.y, score)), 5),
            "auprc": round(float(auprc(self.y, score)), 5),
            SCORES: packed(np.unique(score, return_inverse=True)[1]),
        }

    def network(self, arm: Arm) -> dict[str, Any]:
        """Fits and judges a network."""
        start = time.perf_counter()
        fitted = arm.fit(self.graph)
        seconds = time.perf_counter() - start
        probability = predict(fitted.network, self.store, self.rows).probability
        return {
            **self.figures(probability[:, -1]),
            "seconds": round(seconds, 1),
            "epochs": fitted.state.epoch,
            "best_epoch": fitted.state.best_epoch,
            "weights": sum(each.numel() for each in fitted.network.parameters()),
        }

    def baseline(self, name: str, seed: int) -> dict[str, Any]:
        """Fits and judges a baseline."""
        start = time.perf_counter()
        kind: Any = BASELINES.find(name, "baselines")
        fitted = kind(seed).fit(self.graph)
        seconds = time.perf_counter() - start
        every = fitted.predict_proba(self.graph, split=self.split)[:, -1]
        rows = rows_of(self.graph, self.split).tolist()
        place = {row: number for number, row in enumerate(rows)}
        score = every[[place[row] for row in self.rows.tolist()]]
        return {**self.figures(score), "seconds": round(seconds, 1)}


def graph_subjects(graph: Any) -> Sequence[str]:
    """Whose each patient's stay is."""
    return graph["patient"].subject


def packed(values: np.ndarray) -> str:
    """Whole numbers below 65,536 as text."""
    return base64.b64encode(values.astype("<u2").tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<u2").astype(np.int64)


def lines_of(file: Path) -> list[dict[str, Any]]:
    """What is in a file, but what a killed process left of a line."""
    found = []
    for text in file.read_text(encoding="utf-8").splitlines() if file.is_file() else []:
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


def key_of(line: dict[str, Any]) -> tuple[Any, ...]:
    return line["cohort"], line["seed"], line["learner"], line["mode"], json.dumps(line["settings"], sort_keys=True)


def plan(arguments: argparse.Namespace) -> Iterator[tuple[str, int, str, str]]:
    """What is to be fitted: seeds outermost, so that a run that is cut leaves whole ones."""
    learners = arguments.learners.split(",") if arguments.learners else own_learners()
    cohorts = arguments.cohorts.split(",")
    for seed in range(arguments.seeds):
        for cohort in cohorts:
            for name in ("boosting", "logistic"):
                yield cohort, seed, name, "baseline"
            for name in ["concat", *(each for each in learners if each != "concat")]:
                yield cohort, seed, name, "none"
        for cohort in cohorts:
            for name, mode in itertools.product(DEBIASED, MODES):
                if name in learners:
                    yield cohort, seed, name, mode


def own_learners() -> list[str]:
    """The package's own, without those of plug-ins."""
    return sorted(name for name in known_backbones() if BACKBONES.plugin_of(name) is None)


def run(arguments: argparse.Namespace) -> list[str]:
    """Fits what is missing; what failed, in words."""
    done = {key_of(line) for line in lines_of(arguments.file) if "learner" in line and "against" not in line}
    head = provenance()
    config = TrainConfig.from_settings(SETTINGS)
    settings = {**SETTINGS, "patients": PATIENTS}
    missing = [
        each
        for each in plan(arguments)
        if key_of(dict(zip(("cohort", "seed", "learner", "mode"), each), settings=settings)) not in done
    ]
    if not missing:
        return []
    private = FitLog(arguments.work / PRIVATE)
    told = {(line["cohort"], line["seed"]) for line in lines_of(private.file) if "labels" in line}
    name_of_run = f"{int(time.time()):x}-{os.getpid()}"
    log = FitLog(arguments.file, {"run": name_of_run, "commit": head["commit"][:8]})
    log.append([head])
    failed, judges = [], dict[tuple[str, int], Judge]()
    start = time.monotonic()
    for number, (cohort, seed, learner, mode) in enumerate(missing, start=1):
        what = f"{cohort} seed {seed} {learner} {mode}"
        try:
            if (cohort, seed) not in judges:
                judges = {(cohort, seed): Judge(graph_of(cohort, seed, arguments.work), cohort)}
            judge = judges[cohort, seed]
            if (cohort, seed) not in told:
                private.append([{"cohort": cohort, "seed": seed, **judge.patients()}])
                told.add((cohort, seed))
            if mode == "baseline":
                found = judge.baseline(learner, seed)
            else:
                sized = config.resolved(int(rows_of(judge.graph, "train").numel()))
                found = judge.network(Arm(learner, PRESETS[mode], sized, seed, ("pattern", "environment")))
            line = {"cohort": cohort, "seed": seed, "learner": learner, "mode": mode, "settings": settings}
            private.append([{**line, SCORES: found.pop(SCORES)}])
            log.append([{**line, **found}])
            said = f"AUROC {found['auroc']:.4f}, {found['seconds']:.1f} s"
        except Exception as error:
            traceback.print_exc()
            failed.append(f"{what}: {type(error).__name__}: {error}")
            said = "FAILED"
        print(f"[{number}/{len(missing)}, {time.monotonic() - start:.0f} s] {what}: {said}", flush=True)
    return failed


def aurocs(y: np.ndarray, ranks: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """AUROC with each patient counted as often as a row of ``counts``, [resamples, patients], says."""
    order = np.argsort(ranks, kind="stable")
    first = np.flatnonzero(np.diff(ranks[order], prepend=-1))
    counts, y = counts[:, order], y[order]
    positive, negative = (np.add.reduceat(counts * (y == label), first, axis=1) for label in (1, 0))
    below = np.cumsum(negative, axis=1) - negative / 2
    return (positive * below).sum(1) / np.maximum(positive.sum(1) * negative.sum(1), 1)


def resampled(lines: list[dict[str, Any]]) -> dict[tuple[str, int, str, str], np.ndarray]:
    """AUROC of all, first of the patients as they are, then on subjects resampled alike within a cohort and seed."""
    patients = {(line["cohort"], line["seed"]): line for line in lines if "labels" in line}
    found = {}
    for (cohort, seed), who in patients.items():
        y, owner = unpacked(who["labels"]), unpacked(who["subjects"])
        random = np.random.default_rng(seed)
        people = owner.max() + 1
        drawn = random.multinomial(people, np.full(people, 1 / people), size=RESAMPLES)
        counts = np.concatenate([np.ones((1, len(y))), drawn[:, owner]])
        for line in lines:
            if "learner" in line and (line["cohort"], line["seed"]) == (cohort, seed):
                found[cohort, seed, line["learner"], line["mode"]] = aurocs(y, unpacked(line["ranks"]), counts)
    return found


def differences(file: Path, private: Path) -> None:
    """Works out every row's differences from the scores there are, and appends them where they are new."""
    settings = {**SETTINGS, "patients": PATIENTS}
    lines = [line for line in lines_of(private) if "labels" in line or line.get("settings") == settings]
    every = resampled(lines)
    known = {name_of(line): line for line in lines_of(file) if "against" in line}
    new = []
    for cohort, learner, mode in dict.fromkeys((key[0], *key[2:]) for key in every):
        for words, pair in AGAINST.items():
            other = pair or (learner, "none")
            if other == (learner, mode) or (mode == "baseline" and (pair is None or other[0] == learner)):
                continue
            seeds = sorted(
                seed
                for c, seed, *row in every
                if (c, *row) == (cohort, learner, mode) and (cohort, seed, *other) in every
            )
            if not seeds:
                continue
            gap = np.mean([every[cohort, s, learner, mode] - every[cohort, s, *other] for s in seeds], axis=0)
            low, high = np.percentile(gap[1:], [2.5, 97.5])
            line = {"cohort": cohort, "learner": learner, "mode": mode, "against": words, "seeds": seeds}
            line |= {"settings": settings, "gap": round(float(gap[0]), 5)}
            line |= {"low": round(float(low), 5), "high": round(float(high), 5)}
            if plain(line) != {key: value for key, value in known.get(name_of(line), {}).items() if key != "commit"}:
                new.append(line)
    FitLog(file, {"commit": provenance()["commit"][:8]}).append(new)


def name_of(line: dict[str, Any]) -> tuple[str, ...]:
    """What a line of a difference is of."""
    return line["cohort"], line["learner"], line["mode"], line["against"]


def table(file: Path) -> str:
    """Per cohort: means over seeds, and paired differences, from the lines alone."""
    settings = {**SETTINGS, "patients": PATIENTS}
    lines = [line for line in lines_of(file) if line.get("settings") == settings]
    found = {name_of(line): line for line in lines if "against" in line}
    figures = {
        (line["cohort"], line["seed"], line["learner"], line["mode"]): line for line in lines if "against" not in line
    }
    text = []
    for cohort in COHORTS:
        rows = sorted(
            {key[2:] for key in figures if key[0] == cohort}, key=lambda row: (row[1] != "baseline", row[::-1])
        )
        if not rows:
            continue
        text += [f"### {cohort}", "", f"Judged on `{SIMULATED.get(cohort, 'test')}`.", ""]
        text += ["| learner | mode | seeds | AUROC | AUPRC | minus concat | minus boosting | minus its own ERM |"]
        text += ["|---|---|---|---|---|---|---|---|"]
        ranked = []
        for learner, mode in rows:
            seeds = sorted(seed for c, seed, *row in figures if c == cohort and tuple(row) == (learner, mode))
            mine = [figures[cohort, seed, learner, mode] for seed in seeds]
            cells = [_cell(found.get((cohort, learner, mode, words))) for words in AGAINST]
            mean = {name: np.mean([line[name] for line in mine]) for name in ("auroc", "auprc")}
            shown = "–" if mode == "baseline" else f"`{mode}`"
            row = f"| `{learner}` | {shown} | {len(seeds)} | {mean['auroc']:.3f} | {mean['auprc']:.3f} | "
            ranked.append(
                (MODES.index(mode) + 1 if mode in MODES else 0, -mean["auroc"], row + " | ".join(cells) + " |")
            )
        text += [row for *_, row in sorted(ranked)] + [""]
    return "\n".join(text)


def _cell(line: dict[str, Any] | None) -> str:
    if line is None:
        return ""
    clear = "**" if line["low"] > 0 or line["high"] < 0 else ""
    return f"{clear}{line['gap']:+.3f}{clear} [{line['low']:+.3f}, {line['high']:+.3f}]"


def write_table(text: str, page: Path) -> None:
    """Puts the table between the page's marks."""
    before, mark, rest = page.read_text(encoding="utf-8").partition("<!-- table -->\n")
    _, end, after = rest.partition("<!-- end of table -->\n")
    if not mark or not end:
        raise SystemExit(f"{page} has no marks for the table")
    page.write_text(f"{before}{mark}\n{text}\n{end}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", default=",".join(COHORTS))
    parser.add_argument("--learners", default="", help="comma-separated; default: all the package's own")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "compare_learners", help="for graphs"
    )
    parser.add_argument("--table", action="store_true", help="fit nothing; write the table")
    parser.add_argument(
        "--differences", action="store_true", help="fit nothing; differences of the work folder's scores"
    )
    arguments = parser.parse_args()
    if not arguments.table:
        failed = [] if arguments.differences else run(arguments)
        differences(arguments.file, arguments.work / PRIVATE)
        for text in failed:
            print(f"failed: {text}", file=sys.stderr)
        raise SystemExit(bool(failed))
    found = table(arguments.file)
    print(found)
    write_table(found, PAGE)


if __name__ == "__main__":
    main()
