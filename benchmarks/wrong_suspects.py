"""What right, weak, irrelevant and wrong suspects do to `full`: one JSON line per seed and declaration.

    python benchmarks/wrong_suspects.py --seeds 3

Simulated cohorts of 2,000 patients, backbone concat, one member. A wrong declaration names causes of the outcome.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from results_line import append_line

import gdsfd
from gdsfd.evaluation.metrics import auroc

DECLARED = {
    "site, pattern": ("pattern", "environment"),
    "biased laboratory columns": (
        "column:labs.crp_rapid",
        "column:labs.glucose_bedside",
        "column:labs.ddimer_rapid",
    ),
    "sex, ethnicity": ("groups",),
    "causes: age, frailty, heart rate": (
        "column:demographics.age",
        "column:demographics.frailty_score",
        "column:vitals.heart_rate",
    ),
}
SETTINGS = {"members": 1, "learning_rate": 1e-3, "patience": 6, "max_epochs": 40, "batch_size": 128}
SPLITS = ("test", "test_unbiased")


def areas(model: gdsfd.Debiaser, graph: object, which: str) -> dict[str, float]:
    model.use(which)
    splits = np.asarray(graph["patient"].split)
    y = graph["patient"].y[:, 0].numpy()
    scores = model.predict_proba(graph)[:, 1]
    found = {}
    for name in SPLITS:
        rows = (splits == name) & np.isfinite(y)
        found[name] = auroc(y[rows], scores[rows])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as folder:
            gdsfd.simulate(folder, patients=2000, seed=1000 + seed)
            graph = gdsfd.build_graph(Path(folder) / "spec.toml", progress=False)
        for name, suspects in DECLARED.items():
            model = gdsfd.Debiaser("concat", "full", suspects=suspects, seed=seed, **SETTINGS).fit(graph)
            line = {
                "declared": name,
                "suspects": list(suspects),
                "seed": seed,
                "tells_nats": model.training["suspects_tell"],
                "choice": model.guard.choice,
                "words": model.guard.words,
                **{which: areas(model, graph, which) for which in ("reference", "debiased", "auto")},
            }
            append_line("wrong_suspects.jsonl", **line)
            print(name, seed, line["choice"], line["reference"], line["debiased"])


if __name__ == "__main__":
    main()
