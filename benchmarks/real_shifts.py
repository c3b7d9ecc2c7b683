"""All arms on real cohorts, each environment left out of training in turn.

    python benchmarks/real_shifts.py --cohorts uci_heart,eicu,physionet2012,support2 --seeds 5 --jobs 2

The environment is the one of the cohort's spec in ``examples/``: hospital (UCI heart), region of the hospital (eICU
demo; hospitals without a known region are an environment of their own, ``Unknown``), type of ICU (PhysioNet 2012),
disease class (SUPPORT2, without the columns that its spec calls leaky). Everything, vocabularies and scales included,
is fitted on the other environments. The seed draws the share between train and tuning, initial weights and shuffling.
One line per fit is appended to ``results/real_shifts.jsonl``; a fit that is there already is not run again.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

from fit_jobs import Job, add_arguments, alone, dump, plan_of, run_jobs, table

import gdsfd
from gdsfd.cohort.spec import load_spec
from gdsfd.comparison.leave_one_environment_out import environments_to_leave_out, spec_without

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
COHORTS = "uci_heart,eicu,physionet2012,support2"


def environments(cohort: str, work: Path) -> list[str]:
    """The environments to leave out, the largest first; looked up once."""
    file = work / f"{cohort}-environments.json"
    with alone(file):
        if not file.is_file():
            dump(file, environments_to_leave_out(gdsfd.build_graph(EXAMPLES / f"{cohort}.toml", progress=False)))
    return list(json.loads(file.read_text(encoding="utf-8")))


def prepare(cohort: str, holdout: str, seed: int, folder: Path) -> tuple[Any, None]:
    """The graph with one environment as the test split, made once and kept in ``folder``."""
    if not (folder / "graph.json").is_file():
        spec = spec_without(load_spec(EXAMPLES / f"{cohort}.toml"), holdout, seed)
        gdsfd.save_graph(gdsfd.build_graph(spec, progress=False), folder)
    return gdsfd.load_graph(folder), None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", default=COHORTS, help="comma-separated names of specs in examples/")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    add_arguments(parser, "real_shifts.jsonl")
    arguments = parser.parse_args()
    plan = plan_of(arguments)
    held_out = {cohort: environments(cohort, arguments.work) for cohort in arguments.cohorts.split(",")}
    jobs = [
        Job(
            {"design": cohort, "holdout": holdout},
            seed,
            backbone,
            partial(prepare, cohort, holdout, seed),
            arguments.work / f"{cohort}-{number}-{seed}",
        )
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        for cohort, names in held_out.items()
        for number, holdout in enumerate(names)
        for backbone in ("", *plan.backbones)
    ]
    run_jobs(jobs, plan, arguments.jobs, arguments.file)
    print(table(arguments.file))


if __name__ == "__main__":
    main()
