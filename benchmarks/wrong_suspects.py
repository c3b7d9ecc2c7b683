"""What right, weak, irrelevant and wrong suspects do to `full`: one JSON line per seed and declaration.

    python benchmarks/wrong_suspects.py --seeds 5

Simulated cohorts of 2,000 patients, backbone concat, one member. A wrong declaration names causes of the outcome.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from both_networks import SETTINGS, areas
from results_line import append_line

import gdsfd

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
SPLITS = ("test", "test_unbiased")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    for seed in range(arguments.seeds):
        with tempfile.TemporaryDirectory() as folder:
            gdsfd.simulate(folder, patients=2000, seed=1000 + seed)
            graph = gdsfd.build_graph(Path(folder) / "spec.toml", progress=False)
        for name, suspects in DECLARED.items():
            model = gdsfd.Debiaser("concat", "full", suspects=suspects, seed=seed, **SETTINGS).fit(
                graph, baselines=False
            )
            line = {
                "declared": name,
                "suspects": list(suspects),
                "seed": seed,
                "tells_nats": model.training["suspects_tell"],
                "choice": model.guard.choice,
                "words": model.guard.explanation,
                **areas(model, graph, SPLITS),
            }
            append_line("wrong_suspects.jsonl", **line)
            print(name, seed, line["choice"], line["reference"], line["debiased"])


if __name__ == "__main__":
    main()
