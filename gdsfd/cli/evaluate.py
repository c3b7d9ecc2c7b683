"""``gdsfd evaluate``: a model's report."""

from __future__ import annotations

import argparse
from pathlib import Path

from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import heartbeat, on_terminal
from gdsfd.cli.screen import paragraph, screen_width
from gdsfd.cli.shared_arguments import RESAMPLES, add_force_argument, add_quiet_argument, add_seed_argument

__all__ = ["add_parser", "run"]

#: By this file a report's folder is known.
METRICS_FILE = "metrics.json"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "evaluate",
        help="metrics with intervals, baselines, and a report to read",
        description="Judges a model on patients it has not seen, beside gradient boosting and logistic regression: "
        "those held out of its cohort, or all of another one (built with --like). Open report.html; metrics.json has "
        "the same figures for programs.",
        epilog=examples(
            "gdsfd evaluate run graph --out report",
            "gdsfd evaluate run hospital_b --out report_b",
        ),
        parents=[shared],
    )
    parser.add_argument("model", metavar="RUN", type=Path, help="folder of a trained model, as gdsfd train makes it")
    parser.add_argument("graph", metavar="GRAPH", type=Path, help="folder of a graph, as gdsfd build makes it")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="folder for report.html and metrics.json"
    )
    parser.add_argument(
        "--split",
        nargs="+",
        action="extend",
        metavar="SPLIT",
        help="judge the patients of these splits; the first is the headline (default: test of the cohort trained on; "
        "all of new patients, as one split called new)",
    )
    parser.add_argument(
        "--training-patients",
        choices=("refuse", "drop", "other-people"),
        default="refuse",
        help="what to do with patients whose ids the model has seen in training: refuse to judge them, leave them out "
        "(drop), or take them for other people with the same ids (default: refuse)",
    )
    parser.add_argument(
        "--no-baselines", action="store_true", help="leave out gradient boosting and logistic regression"
    )
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help=RESAMPLES.format(1000))
    add_seed_argument(parser, "the bootstrap and of baselines fitted here")
    add_quiet_argument(parser)
    add_json_argument(parser)
    add_force_argument(parser, "a report")
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
        width = screen_width()
        survival = report.sections.get("survival")
        if survival is not None:
            print(f"{headline(survival.to_frame(), width)}\n\nThe hazards of the intervals, one by one:\n")
        print(f"{headline(report.to_frame(), width)}\n")
        for population in report.populations:
            print(paragraph(population_narrative(population)))
        for row in report.fixed:
            if row.value.startswith("none: "):
                print(paragraph(f"{row.what}: {row.value}"))
        print(f"\nreport: {arguments.out / 'report.html'}")
