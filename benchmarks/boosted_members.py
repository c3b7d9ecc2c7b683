"""Ensembles with and without a member that starts from boosted trees, beside boosting: one line per arm and seed.

    python benchmarks/boosted_members.py

Simulated cohorts of 2,500 patients, two members of ``concat``, without a guard; AUROC on ``test``, ``test_unbiased``
and ``test_flipped``. Arms: ERM and ``full``, each with no member beside trees and with one; gradient boosting, and
boosting beside found strata. Seeds 0 to 2 are those that choices are made on. A line that is there is not made again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import results_line
from latent_networks import SETTINGS, SPLITS, SUSPECTS, cohort, lines_of
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.boosting_strata import BoostingStrata
from gdsfd.training.suspects.suspect_facts import suspect_facts

FILE = "boosted_members.jsonl"
DESIGNS = ("nonlinear", "latent_nonlinear", "latent", "confounded", "no_bias")


def network(graph: Any, seed: int, debias: str, boosted: int) -> np.ndarray:
    """Probabilities of all patients."""
    settings = {**SETTINGS, "members": 2, "boosted_members": boosted, "guard": "debiased"}
    return gdsfd.Debiaser("concat", debias, seed=seed, **settings).fit(graph, baselines=False).predict_proba(graph)


def arms_of(graph: Any, seed: int) -> dict[str, Callable[[], np.ndarray]]:
    """Name -> what fits an arm and scores all patients."""
    made: dict[str, Callable[[], np.ndarray]] = {}
    for debias in ("none", "full"):
        for boosted in (0, 1):
            made[f"{debias}{', trees' if boosted else ''}"] = partial(network, graph, seed, debias, boosted)
    made["boosting"] = lambda: Boosting(seed).fit(graph).predict_proba(graph)
    made["boosting + strata"] = lambda: (
        BoostingStrata(seed).fit(graph, suspect_facts(graph, SUSPECTS)).predict_proba(graph)
    )
    return made


def measure(design: str, seed: int) -> None:
    """All arms of one cohort that are not in the file yet."""
    done = {(line["design"], line["seed"], line["arm"]) for line in lines_of(results_line.RESULTS / FILE)}
    graph, truth = cohort(design, seed, 2500)
    split, y = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy()
    for arm, fit in arms_of(graph, seed).items():
        if (design, seed, arm) in done:
            continue
        start = time.perf_counter()
        score = fit()[:, 1]
        areas = {part: round(float(roc_auc_score(y[split == part], score[split == part])), 4) for part in SPLITS}
        seconds = round(time.perf_counter() - start, 1)
        results_line.append_line(FILE, design=design, seed=seed, arm=arm, auroc=areas, seconds=seconds)
        print(design, seed, arm, areas, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    asked = parser.parse_args()
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs.split(","):
            measure(design, seed)


if __name__ == "__main__":
    main()
