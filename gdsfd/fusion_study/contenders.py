"""What a study fits: learners and flat models, on all modalities or on some."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gdsfd.baselines.baseline import BASELINES
from gdsfd.errors import InputError, near_names
from gdsfd.nn.backbones import check_backbone, known_backbones

__all__ = ["Contender", "read_contender", "restricted"]


@dataclass(frozen=True)
class Contender:
    """One thing that is fitted.

    Args:
        name: What tables call it.
        part: Name of a backbone or of a baseline.
        network: Whether it is a backbone.
        options: Options of the backbone.
        modalities: What it sees; None = all.
    """

    name: str
    part: str
    network: bool
    options: dict[str, Any] = field(default_factory=dict)
    modalities: tuple[str, ...] | None = None

    @property
    def whole(self) -> bool:
        """Whether it sees all modalities."""
        return self.modalities is None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**vars(self), "modalities": list(self.modalities) if self.modalities is not None else None}


def read_contender(text: str) -> Contender:
    """A learner with options, or a baseline: ``muse``, ``late:fusion=sum``, ``boosting``.

    Raises:
        InputError: No such learner or baseline, or an option that it does not take.

    Example:
        >>> read_contender("late:fusion=sum").options
        {'fusion': 'sum'}
    """
    part, *pairs = text.split(":")
    if part in BASELINES:
        kind = BASELINES.find(part)
        if kind.reads_suspects or pairs:
            raise InputError(f"study: {text!r}: expected a baseline that takes no options and is told no suspects")
        return Contender(part, part, False)
    if part not in known_backbones():
        known = (*known_backbones(), *BASELINES.names())
        raise InputError(f"study: unknown learner {part!r}.{near_names(part, known)}")
    options = dict(_option(text, pair) for pair in pairs)
    check_backbone(part, options)
    return Contender(text, part, True, options)


def _option(text: str, pair: str) -> tuple[str, Any]:
    name, equals, value = pair.partition("=")
    if not equals or not name:
        raise InputError(f"study: {text!r}: expected learner:option=value, got {pair!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def restricted(modalities: Sequence[str]) -> list[Contender]:
    """Gradient boosting on each modality alone, and on all but each: what question 1 retrains."""
    alone = [Contender(f"boosting, only {name}", "boosting", False, {}, (name,)) for name in modalities]
    if len(modalities) < 3:  # without one of two is the other alone
        return alone
    rest = [
        Contender(f"boosting, without {name}", "boosting", False, {}, tuple(one for one in modalities if one != name))
        for name in modalities
    ]
    return alone + rest
