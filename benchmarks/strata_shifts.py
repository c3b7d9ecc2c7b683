"""Is a practice found on real cohorts, each environment left out in turn? One JSON line per training set.

    python benchmarks/strata_shifts.py --cohorts uci_heart,eicu,physionet2012,support2 --seeds 5
    python benchmarks/strata_shifts.py --summary

The training sets are those of ``real_shifts.py``, and strata are looked for as ``Debiaser`` does. Where no practice is
found the modes ``full`` and ``latent`` are to the bit what they are without found strata, so that figures measured
without hold with them. A line that is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import results_line
from real_shifts import EXAMPLES

import gdsfd
from gdsfd.cohort.spec import load_spec
from gdsfd.comparison.leave_one_environment_out import environments_to_leave_out, spec_without
from gdsfd.graph.loader import rows_of
from gdsfd.training.suspects.latent_targets import latent_targets

FILE = "strata_shifts.jsonl"
SUSPECTS = ("pattern", "environment")


def lines_of(file: Path) -> list[dict[str, Any]]:
    """What has been measured so far."""
    return [json.loads(text) for text in file.read_text().splitlines()] if file.is_file() else []


def look(cohort: str, holdout: str, seed: int) -> dict[str, Any]:
    """What training finds without an environment."""
    graph = gdsfd.build_graph(spec_without(load_spec(EXAMPLES / f"{cohort}.toml"), holdout, seed), progress=False)
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    start = time.perf_counter()
    found = latent_targets(graph, rows, SUSPECTS, seed).to_dict()
    return {"patients": rows["train"].numel(), **found, "seconds": round(time.perf_counter() - start, 1)}


def summary(lines: list[dict[str, Any]]) -> str:
    """Verdicts by cohort, and the smallest overlap among classes that are tied."""
    rows = []
    for cohort in dict.fromkeys(line["cohort"] for line in lines):
        own = [line for line in lines if line["cohort"] == cohort]
        verdicts = Counter(line.get("verdict", "not looked for") for line in own)
        least = min((line["overlap"] for line in own if line.get("overlap") is not None), default=None)
        told = ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common())
        rows.append(f"{cohort}: {sum(line['used'] for line in own)} of {len(own)} used ({told}); least overlap {least}")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", default="uci_heart,eicu,physionet2012,support2")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--summary", action="store_true", help="print what the lines say, and look at nothing")
    asked = parser.parse_args()
    file = results_line.RESULTS / FILE
    held_out: dict[str, list[str]] = {}
    for seed in range(0 if asked.summary else asked.seeds):
        for cohort in asked.cohorts.split(","):
            if cohort not in held_out:
                graph = gdsfd.build_graph(EXAMPLES / f"{cohort}.toml", progress=False)
                held_out[cohort] = list(environments_to_leave_out(graph))
            for holdout in held_out[cohort]:
                key = {"cohort": cohort, "holdout": holdout, "seed": seed}
                if not any(key.items() <= line.items() for line in lines_of(file)):
                    line = look(cohort, holdout, seed)
                    results_line.append_line(file, **key, **line)
                    print(*key.values(), line["sentence"], flush=True)
    print(summary(lines_of(file)))


if __name__ == "__main__":
    main()
