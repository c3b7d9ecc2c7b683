"""How often found strata would be averaged out where no declared suspect tells of them: one JSON line per draw.

    python benchmarks/strata_placebo.py --draws 100
    python benchmarks/strata_placebo.py --summary

Simulated cohorts of 3,000 patients, seeds 100 and on. ``placebo_strata`` has a practice, but sites and patterns are
drawn without it; under ``label_noise`` the classes that come out are the true outcome; ``no_bias`` has neither. What
must not happen is the verdict ``practice``; beside it stand the smallest p-value of the ties and the overlap. Where one
class described the data best, the verdict on two classes is written down as well: the harder test of the ties.
``--summary`` prints how often it happened, with an exact (Clopper and Pearson) 95 % interval.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from results_line import RESULTS, append_line
from scipy.stats import binomtest

import gdsfd
from gdsfd.latent import find_strata

FILE = "strata_placebo.jsonl"
DESIGNS = ("placebo_strata", "label_noise", "no_bias")
FIRST_SEED = 100


def draw(design: str, seed: int, patients: int) -> None:
    """Simulates a cohort, looks for strata and appends what was found."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        gdsfd.simulate(folder, patients=patients, seed=seed, preset=design)
        graph = gdsfd.build_graph(Path(folder) / "spec.toml", progress=False)
    evidence = find_strata(graph, seed=seed).evidence
    two = evidence if evidence.classes > 1 else find_strata(graph, seed=seed, classes=2).evidence
    append_line(
        FILE,
        benchmark="strata_placebo",
        design=design,
        seed=seed,
        patients=patients,
        classes=evidence.classes,
        verdict=evidence.verdict,
        verdict_on_several=two.verdict,
        smallest_tie_p=min(two.ties.values(), default=1.0),
        overlap=two.overlap,
        seconds=round(time.perf_counter() - start, 1),
    )


def summary() -> None:
    """One sentence per design."""
    lines = [json.loads(line) for line in (RESULTS / FILE).read_text(encoding="utf-8").splitlines()]
    for design in DESIGNS:
        own = [line for line in lines if line["design"] == design]
        if not own:
            continue
        several = sum(line["classes"] > 1 for line in own)
        print(f"{design}: {len(own)} draws, more than one class found in {several}")
        for key, what in (("verdict", "delivered"), ("verdict_on_several", "on two classes or more")):
            wrong = sum(line[key] == "practice" for line in own)
            low, high = binomtest(wrong, len(own)).proportion_ci(method="exact")
            print(f"  {what}: taken for a practice in {wrong} (95 % interval {low:.1%} to {high:.1%})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--designs", default=",".join(DESIGNS))
    parser.add_argument("--patients", type=int, default=3000)
    parser.add_argument("--summary", action="store_true", help="of the lines that are there; draws nothing")
    asked = parser.parse_args()
    for seed in range(FIRST_SEED, FIRST_SEED + (0 if asked.summary else asked.draws)):
        for design in asked.designs.split(","):
            draw(design, seed, asked.patients)
    summary()


if __name__ == "__main__":
    main()
