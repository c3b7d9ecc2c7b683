"""``gdsfd simulate``: exports from a structural causal model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.settings import add_set_argument, read_settings

__all__ = ["add_parser", "run"]

#: By this file a folder of simulated exports is known.
TRUTH_FILE = "truth.json"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "simulate",
        help="exports of a simulated cohort, with spec.toml and truth.json",
        description="Writes exports drawn from a structural causal model, a spec for them and the truth behind them.",
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the exports")
    parser.add_argument("--patients", type=int, help="in train, tuning and test together (default: 5000)")
    parser.add_argument(
        "--confounding",
        type=float,
        help="how often care practice agrees with the outcome: 0.5 by chance, 1 always (default: 0.9)",
    )
    parser.add_argument("--mechanism", help="why modalities are missing: mcar, mar, mnar, ... (default: mnar)")
    parser.add_argument("--preset", help="a named design, for example label_noise or latent")
    parser.add_argument(
        "--format",
        choices=("csv", "meds", "omop"),
        help="how the cohort is written: exports (the default), a MEDS data set, or tables of OMOP",
    )
    parser.add_argument("--seed", type=int, help="default: 0")
    add_set_argument(parser, "label_noise=0.2")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    add_json_argument(parser)
    parser.add_argument("--force", action="store_true", help="replace simulated exports that are already there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Simulates and writes."""
    check_out_folder(arguments.out, TRUTH_FILE, "simulated cohort", arguments.force)

    from gdsfd.simulation.config import option_names
    from gdsfd.simulation.simulate import simulate

    given = ("patients", "confounding", "mechanism", "preset", "format", "seed")
    options: dict[str, Any] = {name: getattr(arguments, name) for name in given if getattr(arguments, name) is not None}
    options.update(read_settings(arguments.settings, [*option_names(), "preset", "format"], taken=options))
    simulate(arguments.out, **options)
    tell_machine(arguments, exports=arguments.out, spec=arguments.out / "spec.toml")
    if not arguments.quiet:
        print(f"exports: {arguments.out}\nnext:    gdsfd build {arguments.out / 'spec.toml'} --out graph")
