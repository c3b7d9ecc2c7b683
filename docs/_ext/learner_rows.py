"""The learners as rows of tables, from their classes. Needs nothing of Sphinx."""

from __future__ import annotations

import json
from pathlib import Path

from gdsfd.nn.backbones.learner_facts import learner_facts

STEPS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "learner_steps.jsonl"
HEADER = ("name", "what it is", "source", "absence enters as", "lost")
PLACES = (
    "name",
    "streams stand on",
    "own logits",
    "bank, states or patterns",
    "interaction",
    "members in one pass",
    "a step costs",
)


def what_rows() -> list[tuple[str, ...]]:
    """Name, what it is, source with its tag, how absence enters, what is lost."""
    return [
        (f"``{each.name}``", each.what, f"{each.source} [{each.tag}]", each.absence, each.lost or "nothing")
        for each in learner_facts()
        if each.plugin is None
    ]


def costs(file: Path = STEPS) -> dict[str, str]:
    """How many of ``concat``'s training steps one of each learner takes, in words, by the newest lines.

    A line counts beside the ``concat`` of its own run, which is known by its commit and command.
    """
    runs: dict[tuple[str, str], dict[str, float]] = {}
    for text in file.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        runs.setdefault((line["commit"], line["command"]), {})[line["backbone"]] = line["milliseconds"][1]
    return {
        name: f"{milliseconds / run['concat']:.1f} x"
        for run in runs.values()
        if "concat" in run
        for name, milliseconds in run.items()
    }


def place_rows() -> list[tuple[str, ...]]:
    """Name, where streams stand, yes or no to the next of :data:`PLACES`, and what it costs."""
    words, cost = {True: "yes", False: "no"}, costs()
    return [
        (
            f"``{each.name}``",
            each.streams,
            *(words[bool(fact)] for fact in (each.own_logits, each.bank, each.interaction, each.one_pass)),
            cost.get(each.name, "not measured"),
        )
        for each in learner_facts()
        if each.plugin is None
    ]
