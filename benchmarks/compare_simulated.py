"""All arms on simulated cohorts: where debiasing should help, and the controls where it has nothing to win.

    python benchmarks/compare_simulated.py --presets confounded,label_noise:0.1 --seeds 10 --jobs 2

A preset may carry its rate (``label_noise:0.3``) or settings of the simulation (``confounded:patients=2000``). Each
seed has a cohort of its own, and draws the networks' initial weights and shuffling too. One line per fit is appended to
``results/compare_simulated.jsonl``; a fit that is there already is not run again.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from fit_jobs import Job, add_arguments, plan_of, remove, run_jobs, table

import gdsfd
from gdsfd.cli.settings import read_settings
from gdsfd.simulation.config import option_names
from gdsfd.simulation.presets import PRESETS, configured
from gdsfd.simulation.truth import load_truth

DESIGNS = (
    "confounded,label_noise:0.1,label_noise:0.3,sensor_offset,no_bias,causal_bias,collider,harder_bias,placebo_strata"
)


def options_of(design: str) -> tuple[str, dict[str, Any]]:
    """Preset and settings of ``preset``, ``preset:rate`` or ``preset:setting=value:setting=value``."""
    preset, *rest = design.split(":")
    pairs = [part if "=" in part else f"{preset}={part}" for part in rest]
    return preset, read_settings(pairs, option_names())


def prepare(design: str, seed: int, folder: Path) -> tuple[Any, np.ndarray]:
    """The cohort's graph and the oracle's scores, made once and kept in ``folder``."""
    if not (folder / "graph" / "graph.json").is_file():
        remove(folder)
        preset, options = options_of(design)
        gdsfd.simulate(folder / "exports", preset=preset, seed=seed, **options)
        graph = gdsfd.build_graph(folder / "exports" / "spec.toml", progress=False)
        truth = load_truth(folder / "exports").patients
        np.save(folder / "oracle.npy", truth["oracle"].reindex(graph["patient"].id).to_numpy())
        for file in (folder / "exports").iterdir():
            if not file.name.startswith("truth"):
                file.unlink()
        gdsfd.save_graph(graph, folder / "graph")
    return gdsfd.load_graph(folder / "graph"), np.load(folder / "oracle.npy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", default=DESIGNS, help=f"comma-separated, of {', '.join(PRESETS)}")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    add_arguments(parser, "compare_simulated.jsonl")
    arguments = parser.parse_args()
    plan = plan_of(arguments)
    designs = arguments.presets.split(",")
    for design in designs:  # wrong names are refused here
        preset, options = options_of(design)
        configured(preset, **options)
    jobs = [
        Job(
            {"design": design, "holdout": None},
            seed,
            backbone,
            partial(prepare, design, seed),
            arguments.work / f"{design.replace(':', '-').replace('=', '-')}-{seed}",
        )
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        for design in designs
        for backbone in ("", *plan.backbones)
    ]
    run_jobs(jobs, plan, arguments.jobs, arguments.file)
    print(table(arguments.file, lambda design: "test_unbiased"))


if __name__ == "__main__":
    main()
