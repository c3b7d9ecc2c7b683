"""Times to an event on SUPPORT2: networks beside Cox regression and random survival forests, in five folds by subject.

    python benchmarks/survival.py --folds 5 --backbones concat,muse
    python benchmarks/survival.py --summary

Time to death of seriously ill adults from the strict set of columns of ``examples/support2.toml``: 9,105 patients, 68
% of whom die in a follow-up of up to five and a half years. Every patient is tested once. The rivals are scikit-
survival's, on the flattened table with medians for what is missing, a column that says so, and standardised: Cox
regression, its ridge chosen by the tuning patients' concordance; a forest of 100 trees on event times at 100
quantiles (its memory grows with them). One line per fold and model; ``--summary`` adds one that has means over folds
and paired differences, with bootstrap intervals of subjects inside folds. A line that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import results_line
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gdsfd
from gdsfd.cohort.spec import SplitSpec, SurvivalSpec, load_spec
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.survival.brier import brier_over_time, integrated_brier
from gdsfd.evaluation.survival.calibration import excess_risk
from gdsfd.evaluation.survival.concordance import harrell, uno
from gdsfd.graph.flatten import flatten
from gdsfd.graph.loader import rows_of

FILE = "survival.jsonl"
FIGURES = ("uno", "harrell", "integrated_brier", "excess_risk")
RIVALS = ("cox", "forest")
RESAMPLES = 200
GRID = 50
#: Curves at the grid and risks of the test patients.
Answer = tuple[np.ndarray, np.ndarray]


def graph_of(spec: Path, fold: int, folds: int, patients: int | None) -> Any:
    """The cohort with one fold as test patients."""
    read = load_spec(spec)
    outcome = SurvivalSpec(name="death", time="d.time", event="death", unit="days")
    split = SplitSpec(kind="subject", folds=folds, fold=fold, fractions=[0.7, 0.1, 0.2], seed=0)
    changed = replace_fields(read, outcome, split)
    graph = gdsfd.build_graph(changed)
    if patients is not None:
        graph = gdsfd.take_patients(graph, rows=np.arange(min(patients, len(graph["patient"].id))).tolist())
    return graph


def replace_fields(spec: Any, outcome: SurvivalSpec, split: SplitSpec) -> Any:
    """The spec with another outcome and split; nothing else."""
    return spec.model_copy(update={"outcome": [outcome], "split": split})


def times_of(graph: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Times and events of a split."""
    rows = rows_of(graph, split)
    return graph["patient"].follow_up[rows].numpy(), graph["patient"].event[rows].numpy().astype(float)


def network(graph: Any, grid: np.ndarray, backbone: str, seed: int, settings: dict[str, Any]) -> Answer:
    """A network as it comes."""
    model = gdsfd.Debiaser(backbone, seed=seed, **settings).fit(graph, baselines=False)
    return model.predict_survival(graph, split="test", times=grid), model.predict_risk(graph, split="test")


def tables_of(graph: Any) -> dict[str, np.ndarray]:
    """Flattened tables of the splits, filled and standardised by the training patients."""
    parts = {split: flatten(graph, rows_of(graph, split).numpy())[0] for split in ("train", "tuning", "test")}
    known = np.isfinite(parts["train"]).any(0)
    fill = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    fill.fit(parts["train"][:, known])
    return {split: fill.transform(part[:, known]) for split, part in parts.items()}


def cox(graph: Any, grid: np.ndarray, seed: int) -> Answer:
    """Cox regression."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    x = tables_of(graph)
    time_train, event_train = times_of(graph, "train")
    tuning = times_of(graph, "tuning")
    best: Any = None
    for alpha in (1.0, 10.0, 100.0, 1000.0):
        model = CoxPHSurvivalAnalysis(alpha=alpha, ties="efron").fit(
            x["train"], Surv.from_arrays(event_train == 1, time_train)
        )
        reached = float(harrell(*tuning, model.predict(x["tuning"]))[0])
        if best is None or reached > best[0]:
            best = (reached, model)
    model = best[1]
    return np.stack([curve(grid) for curve in model.predict_survival_function(x["test"])]), model.predict(x["test"])


def forest(graph: Any, grid: np.ndarray, seed: int) -> Answer:
    """A random survival forest."""
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    x = tables_of(graph)
    time_train, event_train = times_of(graph, "train")
    ends = np.unique(np.quantile(time_train, np.arange(1, 101) / 100, method="inverted_cdf"))
    binned = ends[np.searchsorted(ends, time_train)]
    model = RandomSurvivalForest(100, min_samples_leaf=15, max_features="sqrt", random_state=seed, n_jobs=1)
    model.fit(x["train"], Surv.from_arrays(event_train == 1, binned))
    curves = model.predict_survival_function(x["test"], return_array=True)
    place = np.searchsorted(model.unique_times_, grid, "right") - 1
    return np.where(place[None] >= 0, curves[:, np.maximum(place, 0)], 1.0), model.predict(x["test"])


def figures_of(
    graph: Any, answer: Answer, grid: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """All figures of the test patients, in each resample."""
    t, event = times_of(graph, "test")
    curves, risk = answer
    return {
        "uno": uno(t, event, risk, grid[-1], weights),
        "harrell": harrell(t, event, risk, weights),
        "integrated_brier": integrated_brier(brier_over_time(t, event, curves, grid, weights), grid),
        "excess_risk": excess_risk(t, event, 1 - curves[:, -1], grid[-1], weights),
    }


def measure(asked: argparse.Namespace, fold: int, settings: dict[str, Any]) -> None:
    """All models of one fold that are not in the file yet."""
    done = {(line["fold"], line["model"]) for line in lines() if "fold" in line}
    models: dict[str, Callable[[Any, np.ndarray], Answer]] = {
        "cox": lambda graph, grid: cox(graph, grid, asked.seed),
        "forest": lambda graph, grid: forest(graph, grid, asked.seed),
    }
    for name in asked.backbones.split(","):
        models[name] = lambda graph, grid, name=name: network(graph, grid, name, asked.seed, settings)
    missing = {name: fit for name, fit in models.items() if (fold, name) not in done}
    if not missing:
        return
    graph = graph_of(Path(asked.spec), fold, asked.folds, asked.patients)
    grid = graph.schema.survival.horizon * np.arange(1, GRID + 1) / GRID
    rows = rows_of(graph, "test").numpy()
    subjects = [graph["patient"].subject[row] for row in rows]
    counts = SubjectBootstrap(subjects, RESAMPLES, seed=fold)
    weights = np.concatenate([part for _, part in counts.weights(np.arange(len(rows)))])
    for name, fit in missing.items():
        start = time.perf_counter()
        answer = fit(graph, grid)
        seconds = round(time.perf_counter() - start, 1)
        found = {key: round(float(value[0]), 5) for key, value in figures_of(graph, answer, grid).items()}
        drawn = {key: value.round(5).tolist() for key, value in figures_of(graph, answer, grid, weights).items()}
        results_line.append_line(
            FILE, fold=fold, model=name, seed=asked.seed, patients=len(rows), horizon=float(grid[-1]), figures=found,
            resampled=drawn, seconds=seconds, settings=settings if name not in RIVALS else {},
        )  # fmt: skip
        print(fold, name, found, f"{seconds} s", flush=True)


def lines() -> list[dict[str, Any]]:
    """What is in the file."""
    file = results_line.RESULTS / FILE
    return [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def summary(backbones: list[str]) -> dict[str, Any]:
    """Means over the folds that all models have, and paired differences from both rivals with intervals."""
    found: dict[str, dict[int, Any]] = {}
    for line in lines():
        if "fold" in line and line["model"] in (*RIVALS, *backbones):
            found.setdefault(line["model"], {})[line["fold"]] = line
    folds = sorted(set.intersection(*(set(each) for each in found.values())))

    def mean(model: str, figure: str) -> float:
        return float(np.mean([found[model][fold]["figures"][figure] for fold in folds]))

    def drawn(model: str, figure: str) -> np.ndarray:
        return np.mean([found[model][fold]["resampled"][figure] for fold in folds], axis=0)

    means = {model: {figure: round(mean(model, figure), 4) for figure in FIGURES} for model in found}
    differences: dict[str, dict[str, list[float]]] = {}
    for model in found:
        for rival in RIVALS:
            if model in RIVALS:
                continue
            own = differences.setdefault(f"{model} less {rival}", {})
            for figure in FIGURES:
                low, high = np.quantile(drawn(model, figure) - drawn(rival, figure), [0.025, 0.975])
                own[figure] = [round(float(v), 4) for v in (mean(model, figure) - mean(rival, figure), low, high)]
    return {"folds": folds, "means": means, "differences": differences}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", default=str(Path(__file__).parents[1] / "examples" / "support2.toml"))
    parser.add_argument("--backbones", default="concat,muse")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, nargs="+", help="these folds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patients", type=int, help="so many, to try it out")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=NUMBER", help="settings of the networks")
    parser.add_argument("--summary", action="store_true", help="sum up the lines that are there")
    asked = parser.parse_args()
    if asked.summary:
        found = summary(asked.backbones.split(","))
        results_line.append_line(FILE, summary=found)
        print(json.dumps(found, indent=1))
        return
    settings = {
        key: float(value) if "." in value else int(value) for key, _, value in (p.partition("=") for p in asked.set)
    }
    for fold in asked.only if asked.only is not None else range(asked.folds):
        measure(asked, fold, settings)


if __name__ == "__main__":
    main()
