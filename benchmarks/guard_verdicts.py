"""Whether the guard's verdict is right on cohorts where it is known: one JSON line per cohort.

    python benchmarks/guard_verdicts.py --seeds 20 21
    python benchmarks/guard_verdicts.py --summary

Simulated cohorts of 2,500 patients, half of them with a practice of which sites tell much, half of it, or next to
nothing (``confounded``, ``latent``, ``latent_faint``), half of them with nothing to gain (``no_bias``, ``label_noise``,
``placebo_strata`` and ``sensor_offset``). The verdict is right where it takes the debiased network when that gains
more than .005 AUROC on ``test_unbiased``, and the network without debiasing when it loses more than .005; between the
two either is right. Nobody of these splits is seen before the verdict.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from results_line import RESULTS, append_line
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.simulation import load_truth
from gdsfd.training import Debiaser
from gdsfd.training.model_selection import guard as guard_module

FILE = "guard_verdicts.jsonl"
DESIGNS = ("confounded", "latent", "latent_faint", "no_bias", "label_noise", "placebo_strata", "sensor_offset")
#: A difference in AUROC that does not matter.
ALIKE = 0.005


def judged(design: str, seed: int, backbone: str, debias: str, patients: int) -> dict[str, Any]:
    """The verdict on one cohort, and what both networks come to on patients whose practice tells nothing."""
    with tempfile.TemporaryDirectory() as folder:
        gdsfd.simulate(folder, patients=patients, seed=seed, preset=design)
        graph = gdsfd.build_graph(Path(folder) / "spec.toml", progress=False)
        truth = load_truth(folder).patients.reindex(graph["patient"].id)
    split, y = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy()
    model = Debiaser(backbone, debias, seed=seed).fit(graph, progress=False, baselines=False)
    areas: dict[str, dict[str, float]] = {}
    for name in ("reference", "debiased"):
        score = model.use(name).predict_proba(graph)[:, 1]
        areas[name] = {
            part: round(float(roc_auc_score(y[split == part], score[split == part])), 4)
            for part in ("test", "test_unbiased", "test_flipped")
        }
    guard = model.guard
    assert guard is not None
    gain = areas["debiased"]["test_unbiased"] - areas["reference"]["test_unbiased"]
    evidence = {key: guard.evidence.get(key) for key in ("difference", "low", "high", "detectable", "where")}
    right = abs(gain) <= ALIKE or (guard.choice == "debiased") == (gain > 0)
    return {"choice": guard.choice, "right": right, "gain": round(gain, 4), "auroc": areas, "evidence": evidence}


def summary() -> None:
    """Right verdicts and the largest gain that was missed, by backbone, mode and design."""
    lines = [json.loads(line) for line in (RESULTS / FILE).read_text(encoding="utf-8").splitlines()]
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        how = "" if line["weighs_strata"] else " (guard without strata)"
        groups[line["backbone"], line["debias"] + how, line["design"]].append(line)
    for (backbone, debias, design), own in groups.items():
        missed = max((line["gain"] for line in own if line["choice"] == "reference"), default=0.0)
        print(
            f"{backbone} + {debias}, {design}: right in {sum(line['right'] for line in own)} of {len(own)}, mean gain "
            f"{np.mean([line['gain'] for line in own]):+.3f}, largest gain missed {max(missed, 0.0):.3f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", nargs="+", default=list(DESIGNS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[20, 21])
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--debias", default="margin")
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--without-strata", action="store_true", help="as the guard was before it knew of found strata")
    parser.add_argument("--summary", action="store_true", help="of the lines that are there")
    asked = parser.parse_args()
    if asked.without_strata:
        guard_module.practice_shares = lambda *_: None
    for seed in [] if asked.summary else asked.seeds:
        for design in asked.designs:
            start = time.perf_counter()
            line = judged(design, seed, asked.backbone, asked.debias, asked.patients)
            append_line(
                FILE,
                benchmark="guard_verdicts",
                design=design,
                seed=seed,
                patients=asked.patients,
                backbone=asked.backbone,
                debias=asked.debias,
                weighs_strata=not asked.without_strata,
                **line,
                seconds=round(time.perf_counter() - start, 1),
            )
            print(design, seed, line["choice"], line["gain"], line["evidence"], flush=True)
    summary()


if __name__ == "__main__":
    main()
