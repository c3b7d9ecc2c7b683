"""What the guard saw in each group of environments that it left out, beside what debiasing came to: a line per cohort.

    python benchmarks/guard_by_fold.py --seeds 10
    python benchmarks/guard_by_fold.py --summary

The mode ``margin``, which looks for no strata (``--debias full`` does), two members, on simulated cohorts of 2,500
patients with and without a practice; whatever the guard chose, both networks are scored. The summary holds rules
against the gain on ``test_unbiased``: delivered where the rule says so, 0 where it does not. Seeds 0 to 9 are for
choosing.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import results_line
from forced_and_delivered import MEMBERS, NULLS, table
from latent_networks import cohort, lines_of
from results_line import append_line
from sklearn.metrics import roc_auc_score

import gdsfd

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_ext"))
from guard_lines import rule_rows

FILE = "guard_by_fold.jsonl"
GAINS = ("confounded", "nonlinear", "no_environment", "graded", "latent", "confounded_noise_10", "confounded_noise_25")


def scored(design: str, seed: int, backbone: str, patients: int, debias: str) -> dict[str, Any]:
    """Both networks of one cohort, and what the guard saw."""
    start = time.perf_counter()
    graph, truth = cohort(design, seed, patients)
    split, y = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy()
    model = gdsfd.Debiaser(backbone, debias, seed=seed, **MEMBERS).fit(graph, baselines=False)
    guard = model.guard
    assert guard is not None
    auroc = {}
    for name in ("reference", "debiased"):
        score = model.use(name).predict_proba(graph)[:, 1]
        parts = ("test", "test_unbiased")
        auroc[name] = {each: round(float(roc_auc_score(y[split == each], score[split == each])), 4) for each in parts}
    evidence = guard.evidence
    return {
        "auroc": auroc,
        "choice": guard.choice,
        "strata": bool(model.strata_),
        "difference": evidence.get("difference", 0.0),
        "low": evidence.get("low", -1.0),
        "folds": {name: round(other - own, 4) for name, (own, other, _) in evidence.get("groups", {}).items()},
        "seconds": round(time.perf_counter() - start, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join((*GAINS, *NULLS)))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--debias", default="margin")
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--summary", action="store_true", help="print what there is, and measure nothing")
    asked = parser.parse_args()
    lines = lines_of(results_line.RESULTS / FILE)
    if asked.summary:
        print(table([tuple(row) for row in rule_rows(lines)]))
        return
    done = {(line["design"], line["seed"], line["backbone"], line["debias"]) for line in lines}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs.split(","):
            if (design, seed, asked.backbone, asked.debias) not in done:
                given = {"backbone": asked.backbone, "patients": asked.patients, "debias": asked.debias}
                named = {"design": design, "seed": seed, **given}
                line = scored(**named)
                append_line(FILE, **named, **line)
                print(*named.values(), line["choice"], line["difference"], line["folds"], line["seconds"], flush=True)


if __name__ == "__main__":
    main()
