"""Coding habits: a practice that shows in no number, only in which code is written and which word fills a column.

Every finding of a code list (and every drug) can be written in two ways, and every category of a table leans to its
first or its last word. With ``t`` the level of the patient's practice (-1 or 1) and ``s`` the strength in a modality
(our formulation)::

    P(the other code | finding, U)  = sigmoid(s t)
    P(word l | U)                   proportional to exp(s t c_l),  c = -1 .. 1 over the words of the column

Whether the patient *has* the finding follows the outcome as without habits, so who reads both codes as one sees no
practice. ``s`` is such that a modality tells of the practice what numbers would: a squared separation of about
``sum_j p_j s^2`` by findings of prevalence ``p_j`` and of ``4 s^2 Var(c)`` by a column of words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, logsumexp

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.practices import level_of
from gdsfd.simulation.streams import stream

__all__ = ["BLANK", "OTHER_CODE", "draw_other_codes", "draw_words", "habit_log_density", "habit_strength"]

#: Share of blanks among the words of a category.
BLANK = 0.05
#: Modality -> code -> the other code that stands for the same finding.
OTHER_CODE: dict[str, dict[str, str]] = {
    "history": {
        "I50.9": "I50.1",
        "N18.3": "N18.9",
        "J44.9": "J44.8",
        "K74.6": "K74.0",
        "E78.5": "E78.2",
        "Z53.9": "Z53.8",
        "Z71.3": "Z71.8",
        "R69": "R68.8",
        "M54.5": "M54.9",
        "H25.9": "H26.9",
        "F41.9": "F41.8",
        "L40.0": "L40.9",
        "Q61.2": "Q61.3",
    },
    "medications": {
        "paracetamol": "metamizole",
        "norepinephrine": "norepinephrine tartrate",
        "furosemide": "torasemide",
        "hydrocortisone": "methylprednisolone",
        "metformin": "metformin extended",
        "pantoprazole protocol": "omeprazole protocol",
        "heparin protocol": "enoxaparin protocol",
        "ondansetron": "granisetron",
        "magnesium": "magnesium oral",
    },
}

Floats = NDArray[np.float64]


def habit_strength(config: SimulationConfig, name: str) -> float:
    """``s`` of a modality; 0 where it carries no habit."""
    if not config.coded or name not in config.bias_modalities:
        return 0.0
    modality = CATALOGUE[name]
    told = sum(4.0 * float(np.var(_lean(len(words)))) for _, words in modality.levels)
    if modality.kind == "codes":
        told += sum(feature.centre for feature in modality.features)
    separation = config.bias_strength * config.causal_strength / np.sqrt(len(config.bias_modalities))
    return float(separation / np.sqrt(told)) if told else 0.0


def _lean(words: int) -> Floats:
    """``c`` of each word of a column."""
    return np.linspace(-1.0, 1.0, words)


def draw_other_codes(config: SimulationConfig, bias: NDArray[Any]) -> dict[str, NDArray[np.bool_]]:
    """Modality with habits -> whether a finding, if there is one, is written by its other code; [N, F].

    Args:
        config: The knobs.
        bias: What biased content follows; [N].
    """
    found = {}
    for name in config.names:
        strength, modality = habit_strength(config, name), CATALOGUE[name]
        if strength and modality.kind == "codes":
            chance = np.exp(log_expit(strength * level_of(config, bias)))[:, None]
            drawn = stream(config.seed, f"{name}.other codes").random((len(bias), len(modality.features)))
            found[name] = drawn < chance
    return found


def draw_words(config: SimulationConfig, bias: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Modality with habits -> number of the word in each of its columns of words, -1 = blank; [N, columns].

    Args:
        config: The knobs.
        bias: What biased content follows; [N].
    """
    found = {}
    for name in config.names:
        strength, columns = habit_strength(config, name), CATALOGUE[name].levels
        if strength and columns:
            drawn, blank = stream(config.seed, f"{name}.words").random((2, len(bias), len(columns)))
            words = []
            for place, (_, each) in enumerate(columns):
                share = np.exp(_log_shares(strength, level_of(config, bias), len(each)))
                words.append((drawn[:, [place]] > share.cumsum(1)[:, :-1]).sum(1))
            found[name] = np.where(blank < BLANK, -1, np.stack(words, axis=1)).astype(np.int64)
    return found


def _log_shares(strength: float, level: Floats, words: int) -> Floats:
    """``log P(word | U)``; [N, words]."""
    lean = strength * level[..., None] * _lean(words)
    return np.asarray(lean - logsumexp(lean, axis=-1, keepdims=True), dtype=np.float64)


def habit_log_density(
    config: SimulationConfig,
    name: str,
    level: float,
    written: NDArray[np.bool_],
    other: Mapping[str, NDArray[np.bool_]],
    words: Mapping[str, NDArray[np.int64]],
) -> Floats:
    """``log P(codes chosen, words | U)`` of a modality, in nats; 0 where it carries no habit; [N].

    Args:
        config: The knobs.
        name: The modality.
        level: ``t`` of the practice.
        written: Findings that stand on file; [N, F].
        other: As :func:`draw_other_codes` gave it.
        words: As :func:`draw_words` gave it.
    """
    strength, found = habit_strength(config, name), np.zeros(len(written))
    if name in other:
        sign = np.where(other[name], 1.0, -1.0)
        found = found + (log_expit(strength * level * sign) * written).sum(axis=1)
    if name in words:
        for place, (_, each) in enumerate(CATALOGUE[name].levels):
            word = words[name][:, place]
            found = found + np.where(word < 0, 0.0, _log_shares(strength, np.asarray(level), len(each))[word])
    return found
