"""``gdsfd evaluate``: a model's report."""

from __future__ import annotations

import argparse
from pathlib import Path

from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import heartbeat, on_terminal

__all__ = ["add_parser", "run"]

#: By this file a report's folder is known.
METRICS_FILE = "metrics.json"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "evaluate",
        help="metrics with intervals, baselines, and a report to read",
        description="Judges a model on patients it has not seen, beside gradient boosting and logistic regression: "
        "those held out of its cohort, or all of another one (built with --like).",
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="RUN", type=Path, help="folder of a trained model")
    parser.add_argument("graph", metavar="GRAPH", type=Path, help="folder of the graph")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="for metrics.json and report.html")
    parser.add_argument(
        "--split",
        nargs="+",
        action="extend",
        metavar="S",
        help="one or more splits (default: test of the cohort trained on; of new patients all, as one split new)",
    )
    parser.add_argument(
        "--training-patients",
        choices=("refuse", "drop", "other-people"),
        default="refuse",
        help="patients whose ids the model has seen in training: refuse to judge them (default), leave them out, or "
        "take them for other people with the same ids",
    )
    parser.add_argument("--no-baselines", action="store_true", help="leave boosting and logistic regression out")
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="bootstrap resamples (default: 1000)")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the bootstrap and of baselines fitted here (default: 0)"
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    add_json_argument(parser)
    parser.add_argument("--force", action="store_true", help="replace a report that is already there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Evaluates, saves, prints the headline."""
    check_out_folder(arguments.out, METRICS_FILE, "report", arguments.force)

    from gdsfd.cli.headline import headline
    from gdsfd.evaluation.evaluation import evaluate
    from gdsfd.evaluation.report.sections.population import population_narrative
    from gdsfd.graph.serialization import load_graph
    from gdsfd.training.debiaser import Debiaser

    model = Debiaser.load(arguments.model)
    graph = load_graph(arguments.graph)
    splits = arguments.split
    with heartbeat("evaluating", arguments.quiet):
        report = evaluate(
            model,
            graph,
            split=splits[0] if splits and len(splits) == 1 else splits,
            baselines=not arguments.no_baselines,
            resamples=arguments.resamples,
            seed=arguments.seed,
            progress=on_terminal(arguments.quiet),
            training_patients=arguments.training_patients.replace("-", " "),
        )
    report.save(arguments.out)
    tell_machine(arguments, report=arguments.out, metrics=report.to_frame().to_dict("records"))
    if not arguments.quiet:
        survival = report.sections.get("survival")
        if survival is not None:
            print(f"{headline(survival.to_frame())}\n\nThe hazards of the intervals, one by one:\n")
        print(f"{headline(report.to_frame())}\n")
        for population in report.populations:
            print(population_narrative(population))
        for row in report.fixed:
            if row.value.startswith("none: "):
                print(f"{row.what}: {row.value}")
        print(f"\nreport: {arguments.out / 'report.html'}")
