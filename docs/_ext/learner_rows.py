"""The learners as rows of tables, from their classes. Needs nothing of Sphinx."""

from __future__ import annotations

from gdsfd.nn.backbones.learner_facts import learner_facts

HEADER = ("name", "what it is", "source", "absence enters as", "lost")
PLACES = ("name", "streams stand on", "own logits", "bank, states or patterns", "interaction", "members in one pass")


def what_rows() -> list[tuple[str, ...]]:
    """Name, what it is, source with its tag, how absence enters, what is lost."""
    return [
        (f"``{each.name}``", each.what, f"{each.source} [{each.tag}]", each.absence, each.lost or "nothing")
        for each in learner_facts()
        if each.plugin is None
    ]


def place_rows() -> list[tuple[str, ...]]:
    """Name, where streams stand, and yes or no to the rest of :data:`PLACES`."""
    words = {True: "yes", False: "no"}
    return [
        (
            f"``{each.name}``",
            each.streams,
            *(words[bool(fact)] for fact in (each.own_logits, each.bank, each.interaction, each.one_pass)),
        )
        for each in learner_facts()
        if each.plugin is None
    ]
