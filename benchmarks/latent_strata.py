"""Found strata beside margins, and what is made of them where there is no practice: one JSON line per design and seed.

    python benchmarks/latent_strata.py --seeds 4

Simulated cohorts of 2,500 patients. AUROC on ``test``, ``test_unbiased`` and ``test_flipped`` of logistic regression,
with the margin of site and pattern, with the margin of the *true* practice, of the back-door average over found strata
and of boosting with them; of the average also forced, whatever the evidence says. ``--specs`` looks at real cohorts
instead: what was found there, and whether it would be adjusted for.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from results_line import append_line
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.baselines.boosting_strata import BoostingStrata
from gdsfd.baselines.logistic import Logistic
from gdsfd.baselines.logistic_margin import LogisticMargin
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.graph.flatten import flatten
from gdsfd.latent import FoundStrata, find_strata
from gdsfd.latent.back_door import BackDoor
from gdsfd.simulation import load_truth
from gdsfd.training.suspects.suspect_facts import suspect_facts

FILE = "latent_strata.jsonl"
DESIGNS = ("confounded", "latent", "latent_faint", "no_bias", "label_noise", "placebo_strata", "causal_bias")
SPLITS = ("test", "test_unbiased", "test_flipped")


def true_margin(u: np.ndarray, y: np.ndarray, fit: np.ndarray) -> SuspectFacts:
    """What the practice itself says of the outcome: ``logit P(y | u) - logit P(y)``, from patients fitted on."""
    levels = np.unique(u, return_inverse=True)[1]
    count = np.stack([np.bincount(levels[fit][y[fit] == label]) for label in (0, 1)]) + 1.0
    logit = np.log(count[1] / count[0]) - np.log(count[1].sum() / count[0].sum())
    return SuspectFacts(("practice",), levels[:, None], (len(logit),), logit[levels][:, None])


def evidence_of(found: FoundStrata) -> dict[str, Any]:
    """What a line keeps of the evidence."""
    evidence = found.evidence
    return {
        "classes": evidence.classes,
        "held_out_gain": found.number.gain,
        "ties": evidence.ties,
        "overlap": evidence.overlap,
        "log_odds": evidence.log_odds,
        "verdict": evidence.verdict,
        "sentence": evidence.sentence,
    }


def simulated(design: str, seed: int, patients: int) -> dict[str, Any]:
    """One cohort: everybody's AUROC, the true practice's, and the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        gdsfd.simulate(folder, patients=patients, seed=seed, preset=design)
        graph = gdsfd.build_graph(Path(folder) / "spec.toml", progress=False)
        truth = load_truth(folder).patients.reindex(graph["patient"].id)
    split, y = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy()
    label = graph["patient"].y.numpy().ravel()
    fit = np.flatnonzero(np.isin(split, ["train", "tuning"]) & np.isfinite(label))
    facts = suspect_facts(graph, ("pattern", "environment"))
    u = truth["u"].to_numpy()
    logistic = Logistic(seed).fit(graph).predict_proba(graph)[:, 1]
    found = find_strata(graph, seed=seed)
    average = BackDoor.of(found).predict_proba(flatten(graph)[0])[:, 1]
    boosting = BoostingStrata(seed).fit(graph, facts).predict_proba(graph)[:, 1]
    scores = {
        "logistic": logistic,
        "logistic + margin": LogisticMargin(seed).fit(graph, facts).predict_proba(graph)[:, 1],
        "logistic + margin of the true U": LogisticMargin(seed)
        .fit(graph, true_margin(u, label, fit))
        .predict_proba(graph)[:, 1],
        "latent_linear": average if found.evidence.adjust else logistic,
        "latent_linear (forced)": average,
        "boosting_strata": boosting,
        "oracle": truth["oracle"].to_numpy(),
    }
    areas = {
        name: {part: round(float(roc_auc_score(y[split == part], score[split == part])), 4) for part in SPLITS}
        for name, score in scores.items()
    }
    area = float(roc_auc_score(u[found.rows], found.share[:, -1])) if found.mixture.classes > 1 else 0.5
    return {"auroc": areas, "true_u_auroc": round(max(area, 1 - area), 4), **evidence_of(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--specs", nargs="*", default=[], help="specs of real cohorts, instead of simulated ones")
    asked = parser.parse_args()
    for spec in asked.specs:
        found = find_strata(gdsfd.build_graph(spec, progress=False))
        append_line(FILE, cohort=Path(spec).stem, **evidence_of(found))
        print(spec, found.evidence, flush=True)
    for seed in range(0 if asked.specs else asked.seeds):
        for design in asked.designs.split(","):
            line = simulated(design, seed, asked.patients)
            append_line(FILE, design=design, seed=seed, patients=asked.patients, **line)
            print(design, seed, line["verdict"], {name: each["test_unbiased"] for name, each in line["auroc"].items()})


if __name__ == "__main__":
    main()
