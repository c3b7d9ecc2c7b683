"""``gdsfd simulate``: exports from a structural causal model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import heartbeat
from gdsfd.cli.settings import add_set_argument, read_settings
from gdsfd.cli.shared_arguments import add_force_argument, add_quiet_argument, add_seed_argument

__all__ = ["add_parser", "run"]

#: By this file a folder of simulated exports is known.
TRUTH_FILE = "truth.json"

#: As ``gdsfd.simulation`` has them, which is heavy: ``--help`` answers at once.
MECHANISMS = ("mcar", "mar", "mnar", "mnar_outcome", "mnar_severity", "collider")
PRESETS = (
    "confounded",
    "label_noise",
    "sensor_offset",
    "no_bias",
    "causal_bias",
    "collider",
    "harder_bias",
    "placebo_strata",
    "latent",
    "latent_faint",
    "nonlinear",
    "latent_nonlinear",
    "graded",
    "three_practices",
    "no_environment",
    "coded_practice",
    "latent_null",
    "latent_faint_null",
    "nonlinear_null",
    "latent_nonlinear_null",
    "graded_null",
    "three_practices_null",
    "no_environment_null",
    "coded_practice_null",
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "simulate",
        help="exports of a simulated cohort, with spec.toml and truth.json",
        description="Writes exports of invented patients, drawn from a structural causal model, a spec for them, and "
        "the truth behind them: what determines the outcome, and what merely goes with it.",
        epilog=examples(
            "gdsfd simulate --out exports --patients 1000",
            "gdsfd simulate --out exports --preset latent --seed 1",
            "gdsfd simulate --out exports --set label_noise=0.2",
        ),
        parents=[shared],
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the exports")
    parser.add_argument(
        "--patients",
        metavar="N",
        type=int,
        help="patients in train, tuning and test together, at least 100; further evaluation sets come on top "
        "(default: 5000)",
    )
    parser.add_argument(
        "--confounding",
        metavar="SHARE",
        type=float,
        help="how often care practice goes with the outcome: 0.5 by chance, 1 always (default: 0.9)",
    )
    parser.add_argument(
        "--mechanism", metavar="NAME", help=f"why modalities are missing: {', '.join(MECHANISMS)} (default: mnar)"
    )
    parser.add_argument("--preset", metavar="NAME", help=f"a named design: {', '.join(PRESETS)} (default: confounded)")
    parser.add_argument(
        "--format",
        choices=("csv", "meds", "omop"),
        help="how the cohort is written: CSV and Parquet files, a MEDS data set, or tables of OMOP (default: csv)",
    )
    add_seed_argument(parser, "all draws", None)
    add_set_argument(parser, "label_noise=0.2", "gdsfd.simulation.config.SimulationConfig")
    add_quiet_argument(parser)
    add_json_argument(parser)
    add_force_argument(parser, "a simulated cohort")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Simulates and writes."""
    check_out_folder(arguments.out, TRUTH_FILE, "simulated cohort", arguments.force)

    from gdsfd.simulation.config import option_names
    from gdsfd.simulation.simulate import simulate

    given = ("patients", "confounding", "mechanism", "preset", "format", "seed")
    options: dict[str, Any] = {name: getattr(arguments, name) for name in given if getattr(arguments, name) is not None}
    options.update(read_settings(arguments.settings, [*option_names(), "preset", "format"], taken=options))
    with heartbeat("simulating", arguments.quiet, line=True):
        simulate(arguments.out, **options)
    tell_machine(arguments, exports=arguments.out, spec=arguments.out / "spec.toml")
    if not arguments.quiet:
        print(f"exports: {arguments.out}\nnext:    gdsfd build {arguments.out / 'spec.toml'} --out graph")
