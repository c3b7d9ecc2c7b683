"""Whether the two streams of ``full`` tell practice from cause: one JSON line per cohort.

    python benchmarks/streams_apart.py --seeds 10
    python benchmarks/streams_apart.py --summary

Simulated cohorts of 2,500 patients; members as in ``forced_and_delivered.py``, debiased whatever the guard says. Of the
causal stream, the biased one, their sum and the network without debiasing: AUROC of the true practice among test
patients with the same outcome (mean of the outcome's classes; of a graded practice above its median), and AUROC and log
loss of the outcome on ``test``, where practice is as in training. ``biased, GCE`` is the biased stream trained by
generalized cross-entropy (q = .7) in place of cross-entropy, and the sum with it. Seeds from 20 on; what was chosen was
chosen on seeds 0 and 1. A line that is there is not made again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import results_line
import torch
from forced_and_delivered import MEMBERS
from latent_networks import cohort, lines_of
from results_line import append_line
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor

import gdsfd
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import Targets, generalized_cross_entropy
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.predictor import Prediction
from gdsfd.training.arm import Arm
from gdsfd.training.inference import predict
from gdsfd.training.loop import train
from gdsfd.training.remainder import RemainderArm, biased_stream, log_odds_of

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "_ext"))
from streams_lines import apart_rows

FILE = "streams_apart.jsonl"
DESIGNS = ("latent", "latent_faint", "confounded", "nonlinear", "graded", "coded_practice", "no_bias", "label_noise")
Q = 0.7


class Easy(ErmObjective):
    """Generalized cross-entropy beside the margin."""

    def member_loss(self, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        assert targets.margin is not None
        return generalized_cross_entropy(prediction.logits.float() + targets.margin, targets.y, Q)


def scored(design: str, seed: int, backbone: str, patients: int) -> dict[str, Any]:
    """Figures of one cohort."""
    graph, truth = cohort(design, seed, patients)
    split, y, u = truth["split"].to_numpy(dtype=str), truth["y"].to_numpy(), truth["u"].to_numpy(dtype=float)
    practice = u > np.median(u) if len(np.unique(u)) > 2 else u == u.max()
    model = gdsfd.Debiaser(backbone, "full", seed=seed, **{**MEMBERS, "guard": "debiased"}).fit(graph, baselines=False)
    said = {name: each[:, 0] for name, each in model.log_odds(graph).items()}
    said["sum"] = said["causal"] + said["biased"]
    plain = model.networks["reference"]
    store = PatientStore(graph)
    everybody = torch.arange(len(y))
    said["none"] = log_odds_of(plain, predict(plain, store, everybody).probability)[:, 0]
    easy = _by_generalized_cross_entropy(model, graph, store)
    said["biased, GCE"] = log_odds_of(easy, predict(easy, store, everybody).probability)[:, 0]
    said["sum, GCE"] = said["causal"] + said["biased, GCE"]
    test = split == "test"
    found: dict[str, Any] = {"inside": {}, "auroc": {}, "log_loss": {}}
    for name, each in said.items():
        classes = [test & (y == label) for label in (0, 1)]
        areas = [roc_auc_score(practice[rows], each[rows]) for rows in classes]
        found["inside"][name] = round(float(np.mean(areas)), 4)
        found["auroc"][name] = round(float(roc_auc_score(y[test], each[test])), 4)
        found["log_loss"][name] = round(float(log_loss(y[test], 1 / (1 + np.exp(-each[test])))), 4)
    found["practice_found"] = bool(model.training_["strata"]["used"])
    return found


def _by_generalized_cross_entropy(model: gdsfd.Debiaser, graph: Any, store: PatientStore) -> Any:
    """The biased stream trained by what is easy."""
    assert model.config_ is not None
    arm = Arm(model.backbone, model.streams, model.config_, model.seed, model.suspects_)
    left = RemainderArm.of(arm, model.networks["debiased"], graph, store)
    network = biased_stream(graph.schema, model.backbone, model.config_, model.seed)
    y = graph["patient"].y
    targets = Targets(y, torch.arange(y.size(0)), margin=left.beside)
    rows = {part: rows_of(graph, part) for part in ("train", "tuning")}
    given = (None, False, None, None, Easy(margin=True), targets, rows, store)
    train(network, graph, model.config_, model.seed, *given)
    return network.cpu().eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=20)
    parser.add_argument("--backbone", default="concat")
    parser.add_argument("--patients", type=int, default=2500)
    parser.add_argument("--summary", action="store_true", help="print what there is, and measure nothing")
    asked = parser.parse_args()
    file = results_line.RESULTS / FILE
    if asked.summary:
        for row in apart_rows(lines_of(file)):
            print("| " + " | ".join(row) + " |")
        return
    done = {(line["design"], line["seed"], line["backbone"]) for line in lines_of(file)}
    for seed in range(asked.first_seed, asked.first_seed + asked.seeds):
        for design in asked.designs.split(","):
            if (design, seed, asked.backbone) not in done:
                start = time.perf_counter()
                named = {"design": design, "seed": seed, "backbone": asked.backbone, "patients": asked.patients}
                line = scored(design, seed, asked.backbone, asked.patients)
                append_line(FILE, **named, **line, seconds=round(time.perf_counter() - start, 1))
                print(*named.values(), line["inside"], flush=True)


if __name__ == "__main__":
    main()
