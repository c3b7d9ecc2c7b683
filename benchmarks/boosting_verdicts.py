"""Whether the guard's rule is right about boosting, too: one JSON line per simulated cohort.

    python benchmarks/boosting_verdicts.py --seeds 10
    python benchmarks/boosting_verdicts.py --summary

No network is trained. Gradient boosting without debiasing stands in for the reference; boosting beside found strata
where training finds a practice, and beside the margin of the declared suspects elsewhere, for the debiased model. Both
are fitted without each group of environments in turn and compared there (without environments: on tuning patients) by
the guard's own functions and thresholds: weights, least gain, loss in a group, failure on tuning patients. Cohorts,
seeds and what counts as right are those of ``forced_and_delivered.py``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import results_line
from forced_and_delivered import BIASED, NULLS
from latent_networks import NOISE, SPLITS, cohort, lines_of
from results_line import append_line
from sklearn.metrics import roc_auc_score

from gdsfd.baselines.baseline import BASELINES
from gdsfd.graph.loader import rows_of
from gdsfd.latent.choice import choose_strata
from gdsfd.training.fits_at_once import FitsHere
from gdsfd.training.model_selection import guard as guard_module
from gdsfd.training.model_selection.compared_patients import ComparedPatients
from gdsfd.training.model_selection.evidence import tuning_weights
from gdsfd.training.model_selection.leave_one_environment_out import environment_folds, patients_left_out
from gdsfd.training.model_selection.neutral_weights import practice_shares
from gdsfd.training.model_selection.simpler_models import scores_of_folds
from gdsfd.training.suspects.suspect_facts import suspect_facts

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_ext"))
from delivered_lines import boosting_verdicts

FILE = "boosting_verdicts.jsonl"
SUSPECTS = ("pattern", "environment")


def judged(design: str, seed: int, patients: int) -> dict[str, Any]:
    """The verdict on one cohort, and what both models come to."""
    start = time.perf_counter()
    graph, truth = cohort(design, seed, patients)
    split, y = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy()
    used = choose_strata(graph, 0, SUSPECTS, seed, fit_tuning=False).used
    facts = suspect_facts(graph, SUSPECTS)
    told = "boosting_strata" if used else "boosting_margin"
    fitted = {
        "reference": BASELINES.find("boosting")(seed).fit(graph),
        "debiased": BASELINES.find(told)(seed).fit(graph, facts),
    }
    areas = {}
    for name, model in fitted.items():
        score = model.predict_proba(graph)[:, 1]
        areas[name] = {part: round(float(roc_auc_score(y[split == part], score[split == part])), 4) for part in SPLITS}
    choice, evidence = verdict(graph, seed, fitted, told, used, facts)
    return {
        "told": told,
        "choice": choice,
        "gain": round(areas["debiased"]["test_unbiased"] - areas["reference"]["test_unbiased"], 4),
        "auroc": areas,
        "evidence": evidence,
        "seconds": round(time.perf_counter() - start, 1),
    }


def verdict(
    graph: Any, seed: int, fitted: dict[str, Any], told: str, used: bool, facts: Any
) -> tuple[str, dict[str, Any]]:
    """What the guard's rule takes, and by which figures."""
    tuning = rows_of(graph, "tuning")
    scores = {name: model.predict_proba(graph, split="tuning") for name, model in fitted.items()}
    shares = practice_shares(graph, SUSPECTS, seed, used) if used else None
    labels = graph["patient"].y[tuning]
    areas = {name: guard_module.mean_area(labels, score) for name, score in scores.items()}
    even = guard_module.areas_without_strata(labels, tuning, shares, scores)
    if guard_module.failed(areas) and guard_module.failed(even or areas):
        return "reference", {"failed": True}
    if not used and not (facts.margin != 0).any():
        return "reference", {"suspects_tell": False}
    folds = environment_folds(graph, 3)
    if folds:
        found = scores_of_folds(folds, FitsHere(graph, False, None, None), seed, SUSPECTS, {told: "boosting"})()
        compared = patients_left_out(graph, folds, shares).with_scores(found).gain("boosting", told)
    else:
        weight = tuning_weights(graph, SUSPECTS, tuning, shares)
        subject = [graph["patient"].subject[int(row)] for row in tuning]
        compared = ComparedPatients(labels, scores, [""] * len(subject), subject, weight).gain()
    chosen = guard_module.verdict_of(
        compared, "there", {}, "", by_fold=bool(folds), practice=used and shares is not None
    )
    kept = {"difference": compared.difference, "low": compared.low, "high": compared.high}
    return chosen.choice, kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", nargs="+", default=[*BIASED, *NULLS, *NOISE])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--summary", action="store_true", help="print what there is, and measure nothing")
    asked = parser.parse_args()
    if asked.summary:
        print("\n".join(boosting_verdicts(lines_of(results_line.RESULTS / FILE))))
        return
    done = {(line["design"], line["seed"]) for line in lines_of(results_line.RESULTS / FILE)}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs:
            if (design, seed) not in done:
                line = judged(design, seed, asked.patients)
                append_line(FILE, design=design, seed=seed, patients=asked.patients, **line)
                print(design, seed, line["choice"], line["gain"], line["seconds"], flush=True)


if __name__ == "__main__":
    main()
