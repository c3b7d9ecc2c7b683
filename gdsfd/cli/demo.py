"""``gdsfd demo``: the whole way on a simulated cohort."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from gdsfd.cli.output import check_out_folder
from gdsfd.cli.progress import epoch_bar, on_terminal

__all__ = ["BACKBONES", "add_parser", "run"]

#: Trained one after the other; the first one's report is the demo's.
BACKBONES = ("muse", "concat")

#: Marks a folder as the demo's.
MARKER = "demo.json"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "demo",
        help="the whole way on a simulated cohort: simulate, build, train, evaluate",
        description="Simulates exports, builds the graph, trains the backbones and reports on every evaluation split.",
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for everything the demo makes")
    parser.add_argument("--patients", type=int, default=5000, help="size of the simulated cohort (default: 5000)")
    parser.add_argument("--epochs", type=int, default=30, help="at most so many per backbone (default: 30)")
    parser.add_argument("--resamples", type=int, default=1000, metavar="N", help="bootstrap resamples (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument("--quiet", action="store_true", help="print only the headline")
    parser.add_argument("--force", action="store_true", help="replace an earlier demo")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Simulate -> build -> train -> evaluate."""
    out: Path = arguments.out
    check_out_folder(out, MARKER, "demo", arguments.force)

    import pandas as pd

    from gdsfd.cli.headline import headline
    from gdsfd.cohort.receipt_text import receipt_text
    from gdsfd.evaluation.report import evaluate
    from gdsfd.graph.build import build_graph
    from gdsfd.graph.files import save_graph
    from gdsfd.simulation.config import SPLITS, SimulationConfig
    from gdsfd.simulation.simulate import simulate
    from gdsfd.training.debiaser import Debiaser

    def say(text: str) -> None:
        if not arguments.quiet:
            print(text, flush=True)

    SimulationConfig(patients=arguments.patients, seed=arguments.seed)  # wrong numbers are refused here
    models = [Debiaser(backbone=name, seed=arguments.seed, max_epochs=arguments.epochs) for name in BACKBONES]
    progress = on_terminal(arguments.quiet)
    splits = [name for name in SPLITS if name.startswith("test")]

    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    marker = {"format": "gdsfd demo", "patients": arguments.patients, "seed": arguments.seed}
    (out / MARKER).write_text(json.dumps(marker), encoding="utf-8")
    say(f"simulating a cohort of {arguments.patients:,} patients and the further evaluation sets: {out / 'exports'}")
    simulate(out / "exports", patients=arguments.patients, seed=arguments.seed)
    say(f"building the graph: {out / 'graph'}\n")
    graph = build_graph(out / "exports" / "spec.toml", progress=progress)
    save_graph(graph, out / "graph")
    say(receipt_text(graph.receipt) + "\n")

    tables = []
    for name, model in zip(BACKBONES, models):
        run_folder, report_folder = out / "runs" / name, out / "reports" / name
        say(f"training {name}: {run_folder}")
        with epoch_bar(name, arguments.epochs, arguments.quiet) as on_epoch:
            model.fit(graph, out=run_folder, on_epoch=on_epoch)
        say(f"evaluating {name} on {', '.join(splits)}: {report_folder}")
        report = evaluate(
            model, graph, split=splits, resamples=arguments.resamples, seed=arguments.seed, progress=progress
        )
        report.save(report_folder)
        tables.append(report.to_frame())
    say("")
    print(headline(pd.concat(tables, ignore_index=True).drop_duplicates(ignore_index=True)))
    print(f"\nreport: {out / 'reports' / BACKBONES[0] / 'report.html'}")
