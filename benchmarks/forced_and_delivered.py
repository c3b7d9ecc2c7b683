"""``full`` of two members, one of them beside boosted trees, forced and as its guard delivers it: one line per cohort.

    python benchmarks/forced_and_delivered.py --seeds 10
    python benchmarks/forced_and_delivered.py --seeds 10 --again 2026-11-30
    python benchmarks/forced_and_delivered.py --summary
    python benchmarks/forced_and_delivered.py --look-again

Simulated cohorts of 2,500 patients (1,500 to train on); AUROC on ``test``, ``test_unbiased`` and ``test_flipped``.
Arms: the network without debiasing, ``margin`` and ``full`` of the same members, whichever of the first and the last
the guard delivers, ``streams`` (the same strata beside two streams that are trained together), a network beside the
margin of the true practice (one member, without trees), and the rivals of ``latent_networks.py``. Designs with nothing
to gain, and those with wrong training labels, have no rivals. Seeds start at 20: what was chosen was chosen on others.
A line that is there is not made again, unless it is older than the time given with ``--again``: then the network
without debiasing, ``full`` and the guard's choice are measured anew, and the other arms stay as they are (``others``
says of which commit). Rivals that are no networks do not depend on the backbone: those of a line of the same cohort
with another backbone are taken over (``rivals`` says of which commit). ``--without streams`` leaves an arm out.

The summary gives paired differences over seeds with 95 % t intervals, and whether two one-sided tests at 5 % put a
difference within .01.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import results_line
from latent_networks import NOISE, SETTINGS, SPLITS, SUSPECTS, TRUE_U, cohort, lines_of, network_arms, rival_arms
from results_line import append_line
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.latent.choice import choose_strata

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_ext"))
from delivered_lines import differences_of, means_of, over_designs, right_number, verdicts

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
    "coded_practice",
)
NULLS = ("no_bias", "label_noise", "sensor_offset", "causal_bias", "collider", "harder_bias", "placebo_strata")
MEMBERS = {**SETTINGS, "members": 2, "boosted_members": 1}


def scored(
    design: str,
    seed: int,
    backbone: str,
    patients: int,
    others: dict[str, Any] | None = None,
    same: dict[str, Any] | None = None,
    without: Collection[str] = (),
) -> dict[str, Any]:
    """Every arm of one cohort but those in ``without``.

    ``others`` is a former line, whose other arms are kept, ``same`` one of the same cohort with another backbone, whose
    rivals are.
    """
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
    kept = ("difference", "low", "high", "detectable", "other", "other_low", "where")
    evidence = {key: guard.evidence.get(key) for key in kept}
    told = {"choice": guard.choice, "evidence": evidence, "strata": model.training_.get("strata")}
    if others is not None:
        found |= {name: each for name, each in others["auroc"].items() if name not in (*found, "delivered")}
        told["others"] = others.get("others", others["commit"])
    elif biased:
        for mode in (each for each in ("margin", "streams") if each not in without):
            model = gdsfd.Debiaser(backbone, mode, seed=seed, **{**MEMBERS, "guard": "debiased"})
            found[mode] = areas(model.fit(graph, baselines=False).predict_proba(graph)[:, 1])
        rivals = {name: fit for name, fit in rival_arms(graph, u, seed).items() if TRUE_U not in name}
        if same is not None:
            found |= {name: same["auroc"][name] for name in rivals}
            told["rivals"] = same.get("others", same["commit"])
            rivals = {}
        if design != "graded":
            rivals[TRUE_U] = network_arms(graph, u, backbone, seed)[TRUE_U]
        found |= {name: areas(fit()[0]) for name, fit in rivals.items()}
    found["delivered"] = found["full" if guard.choice == "debiased" else "none"]
    return {"auroc": found, **told, "seconds": round(time.perf_counter() - start, 1)}


def look_again(lines: list[dict[str, Any]]) -> str:
    """Looks for a practice again where none was found when a line was made: a word per cohort, how many changed."""
    changed = []
    for line in lines:
        found = line["strata"]
        found = found[0] if isinstance(found, list) else found
        if line["backbone"] != "concat" or (found and found["used"]):
            continue
        graph, _ = cohort(line["design"], line["seed"], line["patients"])
        changed.append(choose_strata(graph, 0, SUSPECTS, line["seed"], fit_tuning=False).used)
        print(line["design"], line["seed"], "a practice now" if changed[-1] else "none, as before", flush=True)
    return f"{sum(changed)} of {len(changed)} cohorts without a practice have one now"


def table(rows: list[tuple[str, ...]]) -> str:
    """Markdown; the first row is the head."""
    return "\n".join(
        ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
        + ["| " + " | ".join(row) + " |" for row in rows[1:]]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join((*BIASED, *NULLS, *NOISE)))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--again", metavar="TIME", default="", help="measure full anew where a line is older than this")
    parser.add_argument("--summary", action="store_true", help="print what there is, and measure nothing")
    parser.add_argument("--look-again", action="store_true", help="only look for practices where none was found")
    parser.add_argument("--without", nargs="+", default=[], choices=["margin", "streams"], help="arms to leave out")
    asked = parser.parse_args()
    file = results_line.RESULTS / FILE
    if asked.look_again:
        designs, seeds = asked.designs.split(","), range(asked.first_seed, asked.first_seed + asked.seeds)
        print(look_again([line for line in lines_of(file) if line["design"] in designs and line["seed"] in seeds]))
        return
    if asked.summary:
        for backbone in dict.fromkeys(line["backbone"] for line in lines_of(file)):
            lines = [line for line in lines_of(file) if line["backbone"] == backbone]
            print(f"## {backbone}\n", table(list(means_of(lines))), sep="\n")
            print(
                "",
                table(list(differences_of(lines))),
                "",
                over_designs(lines),
                "",
                verdicts(lines),
                right_number(lines),
                sep="\n",
            )
        return
    done = {(line["design"], line["seed"], line["backbone"]): line for line in lines_of(file)}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs.split(","):
            before = done.get((design, seed, asked.backbone))
            if before is None or before["time"] < asked.again:
                named = {"design": design, "seed": seed, "backbone": asked.backbone, "patients": asked.patients}
                cohort_mates = (line for (*which, _), line in done.items() if which == [design, seed])
                same = next(cohort_mates, None)
                line = scored(design, seed, asked.backbone, asked.patients, before, same, asked.without)
                append_line(FILE, **named, **line)
                print(*named.values(), line["choice"], line["seconds"], line["auroc"]["full"], flush=True)


if __name__ == "__main__":
    main()
