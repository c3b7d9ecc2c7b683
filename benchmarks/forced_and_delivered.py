"""``full`` of two members, one of them beside boosted trees, forced and as its guard delivers it: one line per cohort.

    python benchmarks/forced_and_delivered.py --seeds 10
    python benchmarks/forced_and_delivered.py --summary

Simulated cohorts of 2,500 patients (1,500 to train on); AUROC on ``test``, ``test_unbiased`` and ``test_flipped``.
Arms: the network without debiasing, ``margin`` and ``full`` of the same members, whichever of the first and the last
the guard delivers, a network beside the margin of the true practice (one member, without trees), and the rivals of
``latent_networks.py``. Designs with nothing to gain have no rivals. Seeds start at 20: what was chosen was chosen on
others. A line that is there is not made again.

The summary gives paired differences over seeds with 95 % t intervals, and whether two one-sided tests at 5 % put a
difference within .01.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import results_line
from latent_networks import SETTINGS, SPLITS, TRUE_U, cohort, lines_of, network_arms, rival_arms
from results_line import append_line
from scipy.stats import t
from sklearn.metrics import roc_auc_score

import gdsfd

FILE = "forced_and_delivered.jsonl"
BIASED = (
    "latent",
    "latent_nonlinear",
    "nonlinear",
    "confounded",
    "latent_faint",
    "three_practices",
    "no_environment",
    "graded",
)
NULLS = ("no_bias", "label_noise", "sensor_offset", "causal_bias", "collider", "harder_bias", "placebo_strata")
MEMBERS = {**SETTINGS, "members": 2, "boosted_members": 1}
MARGIN = 0.01
#: What is compared: a difference of arms.
WITHOUT_STRATA = ("none", "margin", "logistic_margin", "boosting_margin")
PAIRS = (
    ("full", "none"),
    ("delivered", "none"),
    ("full", "margin"),
    ("full", "logistic_margin"),
    ("full", "boosting_margin"),
    ("full", "latent_linear"),
    ("full", "boosting_strata"),
    ("full", TRUE_U),
)


def scored(design: str, seed: int, backbone: str, patients: int) -> dict[str, Any]:
    """Every arm of one cohort."""
    start = time.perf_counter()
    graph, truth = cohort(design, seed, patients)
    split, y, u = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy(), truth["u"].to_numpy()
    biased = design in BIASED

    def areas(score: np.ndarray) -> dict[str, float]:
        return {part: round(float(roc_auc_score(y[split == part], score[split == part])), 4) for part in SPLITS}

    model = gdsfd.Debiaser(backbone, "full", seed=seed, **MEMBERS).fit(graph, baselines=False)
    guard = model.guard
    assert guard is not None
    found = {
        arm: areas(model.use(name).predict_proba(graph)[:, 1])
        for arm, name in {"none": "reference", "full": "debiased"}.items()
    }
    evidence = {key: guard.evidence.get(key) for key in ("difference", "low", "high", "detectable", "where")}
    told = {"choice": guard.choice, "evidence": evidence, "strata": model.training_.get("strata")}
    if biased:
        margin = gdsfd.Debiaser(backbone, "margin", seed=seed, **{**MEMBERS, "guard": "debiased"})
        found["margin"] = areas(margin.fit(graph, baselines=False).predict_proba(graph)[:, 1])
        rivals = {name: fit for name, fit in rival_arms(graph, u, seed).items() if TRUE_U not in name}
        if design != "graded":
            rivals[TRUE_U] = network_arms(graph, u, backbone, seed)[TRUE_U]
        found |= {name: areas(fit()[0]) for name, fit in rivals.items()}
    found["delivered"] = found["full" if guard.choice == "debiased" else "none"]
    return {"auroc": found, **told, "seconds": round(time.perf_counter() - start, 1)}


def differences(lines: list[dict[str, Any]], one: str, other: str, split: str) -> np.ndarray:
    """Paired over the cohorts that have both arms."""
    both = [line["auroc"] for line in lines if one in line["auroc"] and other in line["auroc"]]
    return np.array([each[one][split] - each[other][split] for each in both])


def interval(gaps: np.ndarray) -> tuple[float, float, float]:
    """Mean with the 95 % t interval."""
    half = t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
    return float(gaps.mean()), float(gaps.mean() - half), float(gaps.mean() + half)


def tested(gaps: np.ndarray, low: float, high: float) -> tuple[bool, bool]:
    """Whether one-sided t tests at 5 % put the mean above ``low``, and below ``high``."""
    reach = t.ppf(0.95, len(gaps) - 1) * gaps.std(ddof=1) / len(gaps) ** 0.5
    return bool(gaps.mean() - reach > low), bool(gaps.mean() + reach < high)


def rows_of(lines: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Design, what, seeds, unbiased, flipped, and whether the unbiased difference is within .01 of 0."""
    for design in dict.fromkeys(line["design"] for line in lines):
        own = [line for line in lines if line["design"] == design]
        for pair in PAIRS:
            gaps = {split: differences(own, *pair, split) for split in SPLITS[1:]}
            seeds = len(gaps[SPLITS[1]])
            if seeds < 2:
                continue
            cells = ("{:+.3f} [{:+.3f}, {:+.3f}]".format(*interval(each)) for each in gaps.values())
            above, below = tested(gaps[SPLITS[1]], -MARGIN, MARGIN)
            word = "within .01" if above and below else "not below by .01" if above else ""
            yield (design, " − ".join(pair), str(seeds), *cells, word)


def means_of(lines: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Design, seeds, how often the guard took the debiased network, and each arm's unbiased / flipped means."""
    arms = list(dict.fromkeys(arm for line in lines for arm in line["auroc"]))
    yield ("design", "seeds", "debiased delivered", *arms)
    for design in dict.fromkeys(line["design"] for line in lines):
        own = [line for line in lines if line["design"] == design]
        cells = []
        for arm in arms:
            found = [line["auroc"][arm] for line in own if arm in line["auroc"]]
            means = [np.mean([each[split] for each in found]) for split in SPLITS[1:]] if found else []
            cells.append(" / ".join(f"{mean:.3f}".lstrip("0") for mean in means) or "–")
        taken = sum(line["choice"] == "debiased" for line in own)
        yield (f"`{design}`", str(len(own)), str(taken), *cells)


def table(rows: list[tuple[str, ...]]) -> str:
    """Markdown; the first row is the head."""
    return "\n".join(
        ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
        + ["| " + " | ".join(row) + " |" for row in rows[1:]]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join((*BIASED, *NULLS)))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--summary", action="store_true", help="print what there is, and measure nothing")
    asked = parser.parse_args()
    file = results_line.RESULTS / FILE
    if asked.summary:
        for backbone in dict.fromkeys(line["backbone"] for line in lines_of(file)):
            lines = [line for line in lines_of(file) if line["backbone"] == backbone]
            print(f"## {backbone}\n", table(list(means_of(lines))), sep="\n")
            head = ("design", "difference", "seeds", "unbiased", "flipped", "unbiased, by tests")
            print("", table([head, *rows_of(lines)]), sep="\n")
        return
    done = {(line["design"], line["seed"], line["backbone"]) for line in lines_of(file)}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs.split(","):
            if (design, seed, asked.backbone) not in done:
                named = {"design": design, "seed": seed, "backbone": asked.backbone, "patients": asked.patients}
                line = scored(design, seed, asked.backbone, asked.patients)
                append_line(FILE, **named, **line)
                print(*named.values(), line["choice"], line["seconds"], line["auroc"]["full"], flush=True)


if __name__ == "__main__":
    main()
