"""What is known of every learner, from the classes themselves: the rows of ``gdsfd learners``."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from gdsfd.nn.backbones.backbone import Backbone
from gdsfd.nn.backbones.registry import BACKBONES

__all__ = ["LearnerFacts", "learner_facts"]


@dataclass(frozen=True)
class LearnerFacts:
    """One learner.

    Args:
        name: What ``Debiaser(backbone=...)`` takes.
        what: Its class's docstring, first sentence.
        source: Authors, venue and year; empty where its class does not say (``Backbone.card``).
        tag: ``paper``, ``code``, ``reconstruction`` or ``ours``: what the formulas rest on; empty likewise.
        absence: How a modality that a patient does not have enters; empty likewise.
        lost: What the original has and this does not; empty where nothing.
        interaction: Whether it can learn what no modality tells by itself; None where its class does not say.
        own_logits: Whether it scores by itself, in place of a head on its pooled vector.
        bank: Whether something beside the weights is fitted on training patients: a bank, states, patterns.
        streams: Where dual streams stand: on ``"tokens in"``, ``"tokens out"`` or the ``"pooled vector"``.
        level: What an edge is: ``"modality"`` or ``"cell"``.
        one_pass: Whether members of an ensemble train in one pass.
        plugin: The module outside of gdsfd that declares it; None for built-in ones.
    """

    name: str
    what: str
    source: str
    tag: str
    absence: str
    lost: str
    interaction: bool | None
    own_logits: bool
    bank: bool
    streams: str
    level: str
    one_pass: bool
    plugin: str | None


_STREAMS = {"input": "tokens in", "tokens": "tokens out", "pooled": "pooled vector"}


def learner_facts() -> list[LearnerFacts]:
    """All learners that are known: the built-in ones by name, then those of plug-ins.

    Example:
        >>> next(each.source for each in learner_facts() if each.name == "mmtm")
        'Joze et al., CVPR 2020'
    """
    names = sorted(BACKBONES.names(), key=lambda name: (BACKBONES.plugin_of(name) is not None, name))
    return [_facts(name, BACKBONES.find(name)) for name in names]


def _facts(name: str, learner: type[Backbone]) -> LearnerFacts:
    card = learner.card
    own = learner.__dict__.get("__doc__") or ""
    return LearnerFacts(
        name=name,
        what=" ".join(inspect.cleandoc(own).split("\n\n")[0].split()).rstrip("."),
        source=card.source if card else "",
        tag=card.tag if card else "",
        absence=card.absence if card else "",
        lost=card.lost if card else "",
        interaction=card.interaction if card else None,
        own_logits=learner.own_logits,
        bank=learner.fit_memory is not Backbone.fit_memory,
        streams=_STREAMS[learner.streams_on],
        level=learner.level,
        one_pass=learner.trains_in_one_pass(),
        plugin=BACKBONES.plugin_of(name),
    )
