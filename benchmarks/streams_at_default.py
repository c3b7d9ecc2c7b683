"""Whether two streams pay in a default model: ``latent``, which is ``full`` without them, on the cohorts of ``full``.

    python benchmarks/streams_at_default.py --seeds 10
    python benchmarks/streams_at_default.py --summary

The cohorts, seeds and members are those of ``forced_and_delivered.py``, whose lines have ``full`` on them (debiased,
whatever the guard says). A line that is there is not made again. The summary gives ``full`` less ``latent`` with 95 %
paired t intervals over seeds, design by design and over all designs.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import results_line
from forced_and_delivered import BIASED, MEMBERS
from forced_and_delivered import FILE as FULL
from latent_networks import SPLITS, cohort, lines_of
from results_line import append_line
from scipy import stats
from sklearn.metrics import roc_auc_score

import gdsfd

FILE = "streams_at_default.jsonl"
DESIGNS = (*BIASED, "causal_bias", "no_bias", "label_noise")


def scored(design: str, seed: int, backbone: str, patients: int) -> dict[str, float]:
    """AUROC of ``latent``."""
    graph, truth = cohort(design, seed, patients)
    split, y = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy()
    model = gdsfd.Debiaser(backbone, "latent", seed=seed, **{**MEMBERS, "guard": "debiased"})
    score = model.fit(graph, baselines=False).predict_proba(graph)[:, 1]
    return {part: round(float(roc_auc_score(y[split == part], score[split == part])), 4) for part in SPLITS}


def interval(values: np.ndarray) -> str:
    """Mean and 95 % t interval."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.3f} [{values.mean() - half:+.3f}, {values.mean() + half:+.3f}]"


def summary(backbone: str) -> None:
    """Prints the table."""
    full = {(line["design"], line["seed"]): line for line in lines_of(results_line.RESULTS / FULL)
            if line["backbone"] == backbone}  # fmt: skip
    mine = {(line["design"], line["seed"]): line for line in lines_of(results_line.RESULTS / FILE)
            if line["backbone"] == backbone}  # fmt: skip
    print("| design | seeds | unbiased | flipped |\n|---|---|---|---|")
    means = []
    for design in dict.fromkeys(design for design, _ in mine):
        pairs = [(full[key], line) for key, line in mine.items() if key[0] == design and key in full]
        gaps = np.array(
            [[one["auroc"]["full"][part] - other["auroc"][part] for part in SPLITS] for one, other in pairs]
        )
        if len(gaps) > 1:
            means.append(gaps.mean(0))
            print(f"| `{design}` | {len(gaps)} | {interval(gaps[:, 1])} | {interval(gaps[:, 2])} |")
    if len(means) > 1:
        over = np.array(means)
        print(f"| mean over designs | {len(means)} | {interval(over[:, 1])} | {interval(over[:, 2])} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--summary", action="store_true", help="print what there is, and measure nothing")
    asked = parser.parse_args()
    if asked.summary:
        summary(asked.backbone)
        return
    done = {(line["design"], line["seed"], line["backbone"]) for line in lines_of(results_line.RESULTS / FILE)}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs.split(","):
            if (design, seed, asked.backbone) in done:
                continue
            start = time.perf_counter()
            auroc = scored(design, seed, asked.backbone, asked.patients)
            named = {"design": design, "seed": seed, "backbone": asked.backbone, "patients": asked.patients}
            append_line(FILE, **named, auroc=auroc, seconds=round(time.perf_counter() - start, 1))
            print(*named.values(), auroc, flush=True)


if __name__ == "__main__":
    main()
