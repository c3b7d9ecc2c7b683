"""Which training choices pay on a small cohort, judged on tuning patients (never on test).

    python benchmarks/small_cohort_choices.py examples/eicu.toml
    python benchmarks/small_cohort_choices.py examples/physionet2012.toml --arms default "features alike" recurrence

Each arm changes one setting of the default. Folds and seeds are shared, so arms are compared in pairs: the difference
of the tuning patients' log loss (nats; below 0 speaks for the arm) and AUROC, with a 95 % t interval over folds and
seeds.
The early-stopping epoch was chosen on the same patients, for every arm alike. One line per arm is appended to
``results/small_cohort_choices.jsonl``, also for the arms that do not pay.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from real_cohorts import fold_graph
from results_line import append_line
from scipy import stats

import gdsfd

ARMS: dict[str, dict[str, Any]] = {
    "default": {"members": 1},
    "four members": {"members": 4},
    "features alike": {"members": 1, "relevance": 0.0},
    "relevance to the half": {"members": 1, "relevance": 0.5},
    "recurrence": {"members": 1, "sequence": "gru"},
    "averaged weights": {"members": 1, "averaging": 0.98},
    "no modality dropout": {"members": 1, "backbone_options": {"edge_drop": 0.0}},
    "faster": {"members": 1, "learning_rate": 1e-3},
    "less dropout": {"members": 1, "dropout": 0.25},
    "wider": {"members": 1, "channels": 128},
    "faster, less dropout": {"members": 1, "learning_rate": 1e-3, "dropout": 0.25},
    "wider, less dropout": {"members": 1, "channels": 128, "dropout": 0.25},
    "wider, faster, less dropout": {"members": 1, "channels": 128, "dropout": 0.25, "learning_rate": 1e-3},
    "one layer": {"members": 1, "backbone_options": {"layers": 1}},
    "three layers": {"members": 1, "backbone_options": {"layers": 3}},
}
#: Not every backbone has layers to count.
LAYERS = ("one layer", "three layers")


def paired(values: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
    """Mean difference with its 95 % t interval."""
    gap = values - reference
    if len(gap) < 2 or np.ptp(gap) == 0:
        return {"mean": float(gap.mean()), "interval": [float(gap.mean())] * 2}
    half = stats.t.ppf(0.975, len(gap) - 1) * gap.std(ddof=1) / len(gap) ** 0.5
    return {"mean": float(gap.mean()), "interval": [float(gap.mean() - half), float(gap.mean() + half)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=[name for name in ARMS if name not in LAYERS])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()

    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in arguments.arms}
    for fold in range(arguments.folds):
        graph = fold_graph(arguments.spec, arguments.folds, fold, seed=0)
        for seed in range(arguments.seeds):
            for name in arguments.arms:
                start = time.perf_counter()
                model = gdsfd.Debiaser(arguments.backbone, seed=seed, **ARMS[name]).fit(graph, baselines=False)
                best = model.history[model.training["best_epoch"] - 1]
                rows[name].append((best["tuning_loss"], best["tuning_auroc"], time.perf_counter() - start))
                print(f"fold {fold} seed {seed} {name:22s} loss {rows[name][-1][0]:.4f}", flush=True)

    reference = np.array(rows[arguments.arms[0]])
    for name in arguments.arms:
        values = np.array(rows[name])
        loss, auroc = paired(values[:, 0], reference[:, 0]), paired(values[:, 1], reference[:, 1])
        append_line(
            "small_cohort_choices.jsonl",
            benchmark="small_cohort_choices",
            cohort=arguments.spec.stem,
            backbone=arguments.backbone,
            arm=name,
            settings=ARMS[name],
            reference=arguments.arms[0],
            tuning_loss=float(values[:, 0].mean()),
            tuning_loss_difference=loss,
            tuning_auroc=float(values[:, 1].mean()),
            tuning_auroc_difference=auroc,
            seconds=float(np.median(values[:, 2])),
            folds=arguments.folds,
            seeds=arguments.seeds,
        )
        low, high = loss["interval"]
        gap = f"difference {loss['mean']:+.4f} [{low:+.4f}, {high:+.4f}]"
        print(f"{name:22s} tuning loss {values[:, 0].mean():.4f}  {gap}")


if __name__ == "__main__":
    main()
