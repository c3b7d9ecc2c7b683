"""``gdsfd learners``: every learner that can be trained here, where it comes from and what becomes of absence in it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from gdsfd.cli.help_text import examples
from gdsfd.cli.screen import paragraph

__all__ = ["add_parser", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "learners",
        help="the learners that --backbone takes, one's own among them",
        description="Lists the learners that --backbone takes, one's own among them (--plugin), and "
        "says of each what it "
        "is; "
        "from: its source, and what the formulas rest on (paper, code, reconstruction, ours); absent: how a modality "
        "that a patient does not have enters; lost: what of the original is not here; streams: where debiasing splits.",
        epilog=examples("gdsfd learners", "gdsfd learners --plugin my_parts.py --json"),
        parents=[shared],
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list of all that is known of each")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Prints them."""
    from gdsfd.nn.backbones.learner_facts import learner_facts

    found = learner_facts()
    if arguments.json:
        print(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
        return
    width = max(len(each.name) for each in found)
    for each in found:
        told = {
            "from": f"{each.source} [{each.tag}]" if each.source else each.plugin or "",
            "absent": each.absence,
            "lost": each.lost,
            "streams": f"on {each.streams}",
        }
        flags = [
            word
            for word, holds in (
                ("own logits", each.own_logits),
                ("bank, states or patterns", each.bank),
                ("additive over modalities", each.interaction is False),
                ("an edge per cell", each.level == "cell"),
                ("members one by one", not each.one_pass),
            )
            if holds
        ]
        blank = " " * (width + 2)
        print(paragraph(each.what, f"{each.name:<{width}}  ", blank))
        for word, value in [*told.items(), ("also", ", ".join(flags))]:
            if value:
                print(paragraph(f"{word}: {value}", blank, f"{blank}  "))
