"""``gdsfd compare``: arms x backbones x seeds on the same patients."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.progress import heartbeat
from gdsfd.cli.screen import paragraph
from gdsfd.cli.settings import TRAINING, add_set_argument, read_settings
from gdsfd.cli.shared_arguments import add_quiet_argument

if TYPE_CHECKING:
    from gdsfd.comparison.comparison import Comparison

__all__ = ["add_parser", "names_in", "run", "seeds_in"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "compare",
        help="does debiasing help here? arms, backbones and seeds on the same patients",
        description="Fits every arm on every backbone and seed on the same patients, with baselines beside them, and "
        "says with intervals where debiasing helped and where it did not. An arm is a way to train: none is ordinary "
        "training (ERM), the others debias. Run again into the same folder, it goes on where it stopped. All arms on "
        "three backbones and five seeds are many fits; begin with the first example.",
        epilog=examples(
            "gdsfd compare graph --arms none,margin --backbones concat --out compared",
            "gdsfd compare spec.toml --leave-one-environment-out --jobs 4 --out compared",
        ),
        parents=[shared],
    )
    parser.add_argument(
        "graphs",
        metavar="GRAPH",
        nargs="+",
        help="folder of a graph, as gdsfd build makes it, or a spec (split anew for each seed)",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder for compare.html, summary.json and fits.jsonl"
    )
    parser.add_argument(
        "--arms",
        metavar="A,B",
        default="none,margin,dfd,strata,full",
        help="modes as gdsfd train --debias takes them (default: none,margin,dfd,strata,full; further ones: latent, "
        "streams, prototypes, group_dro, vrex, irm, mmd)",
    )
    parser.add_argument(
        "--backbones",
        metavar="A,B",
        default="concat,muse,grape",
        help="as gdsfd train --backbone takes them (default: concat,muse,grape)",
    )
    parser.add_argument("--seeds", metavar="N", default="5", help="how many seeds, or which: 0,1,7 (default: 5)")
    parser.add_argument(
        "--suspects",
        metavar="A,B",
        help="what may be biased: pattern (who lacks which modality), environment, groups, modality:NAME, "
        "column:MODALITY.NAME, found (default: pattern, and environment where there is one)",
    )
    parser.add_argument(
        "--baselines",
        metavar="A,B",
        default="boosting,logistic,boosting_margin,logistic_margin",
        help='models of the flattened table; "" for none (default: boosting and logistic regression, each without and '
        "beside what the suspects alone tell); "
        "further ones: random_forest, xgboost, catboost, tabpfn, tabicl, and any classifier with scikit-learn's "
        "interface by the path that it is imported from, sklearn.ensemble:ExtraTreesClassifier",
    )
    parser.add_argument(
        "--leave-one-environment-out", action="store_true", help="let each environment be the test split in turn"
    )
    parser.add_argument(
        "--graph-per-seed",
        action="store_true",
        help="take several graphs for draws of one design, one per seed; the first has seed 0",
    )
    parser.add_argument(
        "--truth",
        metavar="DIR",
        type=Path,
        help="exports of a simulated cohort, whose true risks stand beside the models (default: looked for beside "
        "the graph)",
    )
    parser.add_argument(
        "--margin",
        metavar="X",
        type=float,
        default=0.01,
        help="a difference in AUROC that counts as none (default: 0.01)",
    )
    parser.add_argument(
        "--shifted",
        metavar="SPLIT",
        help="split on which a gain is looked for (default: the held-out environment, test_unbiased, or the first "
        "that is not test)",
    )
    parser.add_argument(
        "--guard-folds",
        metavar="ARM=N",
        action="append",
        default=[],
        help="into how many groups of environments, left out in turn, an arm's guard looks before it lets "
        "debiasing predict "
        "(default: 3, dfd=0); may be repeated",
    )
    parser.add_argument(
        "--no-matched",
        action="store_true",
        help="leave out ordinary training of a network as large as the debiased one",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        help="backbones, graphs and seeds fitted at once, each in a process (default: as many as there are threads, at "
        "most 4, on a CPU and below 10,000 training patients; else 1)",
    )
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="fit on the workers of a Dask cluster: its scheduler's tcp://host:port"
    )
    add_set_argument(parser, "max_epochs=50", TRAINING)
    add_quiet_argument(parser)
    add_json_argument(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Fits what is missing and says what came out."""
    from gdsfd.comparison.comparison import compare
    from gdsfd.training.config import TrainConfig

    settings = read_settings(arguments.settings, [field.name for field in dataclasses.fields(TrainConfig)])
    with heartbeat("comparing", arguments.quiet, line=True) as tell:
        found = compare(
            arguments.graphs,
            names_in(arguments.arms),
            names_in(arguments.backbones),
            seeds_in(arguments.seeds),
            arguments.out,
            suspects=None if arguments.suspects is None else names_in(arguments.suspects),
            baselines=names_in(arguments.baselines),
            leave_one_environment_out=arguments.leave_one_environment_out,
            graph_per_seed=arguments.graph_per_seed,
            truth=arguments.truth,
            margin=arguments.margin,
            shifted=arguments.shifted,
            folds=_folds(arguments.guard_folds),
            matched=not arguments.no_matched,
            jobs=arguments.jobs,
            cluster=arguments.cluster,
            on_fit=tell,
            **settings,
        )
    tell_machine(arguments, page=arguments.out / "compare.html", arms=found.to_frame().to_dict("records"))
    if not arguments.quiet:
        print(_account(found))
        print(f"\npage: {arguments.out / 'compare.html'}")


#: What the columns of the table say.
_LEGEND = (
    "auroc: mean over seeds; minus ERM: mean difference from training without debiasing (none) of the same backbone, "
    "with its 95 % interval over seeds; guard: in how many fits it let the debiased network predict"
)


def _account(found: Comparison) -> str:
    """A short table per design: the shifted split, or test."""
    from gdsfd.cli.headline import text_table

    frame = found.to_frame()
    parts = []
    for design in found.designs:
        split = design.shifted or design.alike
        own = frame[(frame["design"] == design.name) & (frame["split"] == split)]
        where = "held-out environments" if design.holdouts else split
        parts.append(f"{design.name}, {where}, {len(design.seeds)} seed{'s' if len(design.seeds) > 1 else ''}\n")
        shown = own[["backbone", "label", "auroc"]].rename(columns={"label": "arm"})
        shown["minus ERM"] = [
            "" if value != value else f"{value:+.3f}" + ("" if low != low else f" [{low:+.3f}, {high:+.3f}]")
            for value, low, high in zip(own["minus_erm"], own["minus_erm_low"], own["minus_erm_high"])
        ]
        shown["verdict"] = own["verdict"]
        shown["guard"] = own["guard"]
        parts.append(text_table(shown) + "\n")
    parts += [paragraph(_LEGEND), *(paragraph(note) for note in found.notes)]
    return "\n".join(parts).rstrip()


def names_in(text: str) -> list[str]:
    """The names of a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def seeds_in(text: str) -> int | list[int]:
    """How many seeds, or which.

    Raises:
        InputError: Neither a number nor numbers with commas.
    """
    from gdsfd.errors import InputError

    try:
        numbers = [int(part) for part in names_in(text)]
    except ValueError:
        numbers = []
    if not numbers:
        raise InputError(f"--seeds {text}: expected how many, or whole numbers with commas: 0,1,7")
    return numbers[0] if len(numbers) == 1 and "," not in text else numbers


def _folds(pairs: list[str]) -> dict[str, int]:
    from gdsfd.errors import InputError

    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not text.strip().isdigit():
            raise InputError(f"--guard-folds {pair}: expected ARM=N, for example dfd=3")
        found[name.strip()] = int(text)
    return found
