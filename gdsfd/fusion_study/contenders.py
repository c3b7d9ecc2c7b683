"""What a study fits: learners and flat models, on all modalities or some, on patients as they come or with losses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gdsfd.baselines.asked_for import baseline_asked_for, is_import_path
from gdsfd.baselines.baseline import BASELINES
from gdsfd.errors import InputError, near_names
from gdsfd.nn.backbones import check_backbone, known_backbones

__all__ = ["PRESENCE", "Contender", "floor_of", "read_contender", "restricted", "trained_under"]

#: Name of the model that sees who has what, and nothing else.
PRESENCE = "presence alone"
#: A condition of training that no test patient knows: networks hide observations anew in every step.
_DROPOUT = "dropout "


@dataclass(frozen=True)
class Contender:
    """One thing that is fitted.

    Args:
        name: What tables call it.
        part: Name of a backbone or of a baseline.
        network: Whether it is a backbone.
        options: Options of the backbone.
        modalities: What it sees; None = all.
        training: What its training patients lose, a condition of :mod:`gdsfd.fusion_study.conditions`, or another of
            :func:`gdsfd.fusion_study.training_changes.changed`.
    """

    name: str
    part: str
    network: bool
    options: dict[str, Any] = field(default_factory=dict)
    modalities: tuple[str, ...] | None = None
    training: str = "natural"

    @property
    def whole(self) -> bool:
        """Whether it sees all that there is of all modalities."""
        return self.modalities is None and self.part != PRESENCE

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**vars(self), "modalities": list(self.modalities) if self.modalities is not None else None}


def read_contender(text: str) -> Contender:
    """A learner with options, or a baseline: ``muse``, ``late:fusion=sum``, ``boosting``.

    A classifier with scikit-learn's interface goes by the path that it is imported from,
    ``sklearn.ensemble:ExtraTreesClassifier``.

    Raises:
        InputError: No such learner or baseline, an option that it does not take, or a package that is not installed.

    Example:
        >>> read_contender("late:fusion=sum").options
        {'fusion': 'sum'}
    """
    part, *pairs = text.split(":")
    if is_import_path(text) and part not in (*known_backbones(), *BASELINES.names()):
        baseline_asked_for(text, "study")
        return Contender(text, text, False)
    if part in BASELINES:
        kind = baseline_asked_for(part, "study")
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


def floor_of(modalities: Sequence[str], name: str) -> str:
    """Name of the model retrained without a modality: what its absence costs whoever expects it."""
    others = [one for one in modalities if one != name]
    return f"boosting, only {others[0]}" if len(others) == 1 else f"boosting, without {name}"


def trained_under(contender: Contender, condition: str) -> Contender | None:
    """The same, with training patients who lose modalities.

    Args:
        contender: On all modalities.
        condition: Of :mod:`gdsfd.fusion_study.conditions`, or ``dropout RATE``: networks hide each observation with
            that probability, drawn anew in every step of training.

    Returns:
        None for ``dropout`` and a model that has none.

    Example:
        >>> trained_under(read_contender("concat"), "dropout 0.5").options
        {'edge_drop': 0.5}
    """
    name = f"{contender.name}, trained under {condition}"
    if not condition.startswith(_DROPOUT):
        return replace(contender, name=name, training=condition)
    try:
        options = {**contender.options, "edge_drop": float(condition.removeprefix(_DROPOUT))}
        if contender.network:
            check_backbone(contender.part, options)
    except ValueError:
        return None
    return replace(contender, name=name, options=options) if contender.network else None
