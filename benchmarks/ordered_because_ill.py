"""What adjusting for the pattern does when practice decides what is observed, and when illness does.

    python benchmarks/ordered_because_ill.py --seeds 5

Simulated cohorts of 2,000 patients in eight hospitals, no content biased, four modalities absent in 40 % of patients.
Worlds differ in why they are absent. The only suspect is the pattern; backbone concat, one member. One JSON line per
world, seed and mode.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from both_networks import SETTINGS, areas
from results_line import append_line

import gdsfd

COHORT: dict[str, Any] = {
    "patients": 2000,
    "missing": 0.4,
    "informative": ("labs", "imaging", "vitals", "history"),
    "bias_modalities": (),
}
WORLDS: dict[str, dict[str, Any]] = {
    "practice, which goes with the outcome": {"mechanism": "mnar", "confounding": 0.9},
    "illness": {"mechanism": "mnar_severity", "confounding": 0.5},
    "practice and illness, practice without the outcome": {"mechanism": "collider", "confounding": 0.5},
    "practice, which goes with the outcome, and illness": {"mechanism": "collider", "confounding": 0.9},
}
MODES = ("streams", "prototypes")
SPLITS = ("test", "test_unbiased", "test_shifted_missingness")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0, help="more seeds are added to the lines there are")
    arguments = parser.parse_args()
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        for world, options in WORLDS.items():
            with tempfile.TemporaryDirectory() as folder:
                gdsfd.simulate(folder, seed=2000 + seed, **COHORT, **options)
                graph = gdsfd.build_graph(Path(folder) / "spec.toml", progress=False)
            for mode in MODES:
                model = gdsfd.Debiaser("concat", mode, suspects=("pattern",), seed=seed, **SETTINGS).fit(
                    graph, baselines=False
                )
                line = {
                    "world": world,
                    "mode": mode,
                    "seed": seed,
                    "tells_nats": model.training["suspects_tell"],
                    "choice": model.guard.choice,
                    "words": model.guard.explanation,
                    "evidence": model.guard.evidence,
                    **areas(model, graph, SPLITS),
                }
                append_line("ordered_because_ill.jsonl", **line)
                print(world, mode, seed, line["choice"], line["reference"], line["debiased"], flush=True)


if __name__ == "__main__":
    main()
