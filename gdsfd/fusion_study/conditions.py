"""Patients as they would be without some of their modalities. Observations are only ever deleted, on copies.

========================  ==========================================================================================
condition                 what patients lose
========================  ==========================================================================================
``natural``               nothing
``without NAME``          the modality
``only NAME``             all others; of several that stay: ``only labs + notes``
``random RATE``           each modality with that probability
``by covariate RATE``     each with a probability that rises with a column that everybody (nearly) has
``by risk RATE``          each with a probability that rises with the patient's cross-fitted risk
``hidden in ill RATE``    those with the outcome: each with that probability; nobody else anything
``hidden in well RATE``   those without the outcome: the same, the flip of the former
``habits of NAME``        what a patient of that environment lacks (:func:`gdsfd.fusion_study.mechanisms.transplanted`)
``cells RATE``            single cells inside of modalities, with that probability
``window SHARE``          events of a stretch of time that long
========================  ==========================================================================================

By covariate, by risk, and hidden in ill or well leave the modality that most patients have; with ``: NAME`` behind it,
as in ``hidden in ill 0.8: imaging``, a condition with a rate is about that modality alone. A condition's draw depends
on its name and the seed only: it is the same for every learner.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError, near_names
from gdsfd.fusion_study.inside_modalities import has_time, without_cells, without_window
from gdsfd.fusion_study.mechanisms import anchor_of, by_driver, covariate_of, ill_and_well, risk_of, transplanted
from gdsfd.graph.availability import presence_of
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import hide_observations

__all__ = ["FLIPPED", "TOGETHER", "check_condition", "losses", "mechanisms_of", "under"]

Flags = NDArray[np.bool_]

#: Between modalities that stay together.
TOGETHER = " + "

#: Patients of an environment whose habits are transplanted, and how many environments at most.
LEAST_PATIENTS, MOST_HABITS = 30, 4
_ILL, _WELL = "hidden in ill", "hidden in well"
_WITH_RATE = ("random", "by covariate", "by risk", _ILL, _WELL)
_INSIDE = ("cells", "window")
_NAMED = ("without", "only", "habits of")
#: A mechanism linked to the outcome and the one linked to the other class.
FLIPPED = {_ILL: _WELL, _WELL: _ILL}


def check_condition(graph: HeteroData, condition: str) -> None:
    """Refuses what is no condition of a graph.

    Raises:
        InputError: An unknown condition, modality or environment, or a rate outside 0 to 1.
    """
    kind, word, name = _read(condition)
    if kind == "natural":
        return
    known: Iterable[str] = graph.schema.names
    if kind == "habits of":
        known = sorted({str(each) for each in graph["patient"].get("environment") or ()})
    if kind in _NAMED:
        name = word
    else:
        try:
            rate = float(word)
        except ValueError:
            rate = -1.0
        if not 0 <= rate <= 1:
            raise InputError(f"study: condition {condition!r}: expected a rate from 0 to 1, got {word!r}")
    several = kind == "only" and name not in known and all(each in known for each in name.split(TOGETHER))
    if name and name not in known and not several:
        raise InputError(f"study: condition {condition!r}: there is no {name!r}.{near_names(name, known)}")


def mechanisms_of(graph: HeteroData) -> tuple[str, ...]:
    """The conditions that question 3 asks of every cohort, beside hiding at random and one modality at a time.

    Habits are those of the largest environments with at least 30 patients.
    """
    found = ["cells 0.3"]
    if len(graph.schema.names) > 1:
        found += [f"{kind} 0.5" for kind in _WITH_RATE if kind != "random"]
    if has_time(graph):
        found.append("window 0.5")
    names, counts = np.unique([str(each) for each in graph["patient"].get("environment") or ()], return_counts=True)
    large = [place for place in np.argsort(-counts, kind="stable") if counts[place] >= LEAST_PATIENTS]
    return (*found, *(f"habits of {names[place]}" for place in (large[:MOST_HABITS] if len(large) > 1 else ())))


def losses(graph: HeteroData, condition: str, seed: int, rows: Tensor) -> Flags | None:
    """Which modalities patients lose under a condition; True where one is lost, whether or not they have it.

    Args:
        graph: The graph.
        condition: See the table above.
        seed: Of the draw.
        rows: The patients concerned; rates are met among them.

    Returns:
        bool [N, K], nothing outside ``rows``; None for conditions inside of modalities, and for ``natural``.

    Raises:
        InputError: See :func:`check_condition`.
    """
    check_condition(graph, condition)
    kind, word, name = _read(condition)
    if kind == "natural" or kind in _INSIDE:
        return None
    names = list(graph.schema.names)
    concerned = np.zeros(len(presence_of(graph)), dtype=bool)
    concerned[rows.numpy()] = True
    if kind in ("without", "only"):
        named = np.isin(names, [word] if word in names else word.split(TOGETHER))
        return np.asarray(concerned[:, None] & (named == (kind == "without"))[None])
    rng = _rng(condition, seed)
    if kind == "habits of":
        return np.asarray(transplanted(graph, word, rng) & concerned[:, None])
    chance = _chances(graph, kind, float(word), concerned, seed)
    drawn = rng.random((len(concerned), len(names))) < chance[:, None]
    if name:
        drawn &= (np.array(names) == name)[None]
    elif kind != "random":
        drawn &= (np.array(names) != anchor_of(graph))[None]
    return np.asarray(drawn & concerned[:, None])


def under(graph: HeteroData, condition: str, seed: int, splits: tuple[str, ...] = ("test",)) -> HeteroData:
    """The graph under a condition; only patients of some splits change.

    Args:
        graph: The graph.
        condition: See the table above.
        seed: Of the draw.
        splits: Whose patients.

    Raises:
        InputError: See :func:`check_condition`.
    """
    rows = rows_of(graph, list(splits))
    lost = losses(graph, condition, seed, rows)
    kind, word, name = _read(condition)
    if lost is not None:
        return hide_observations(graph, torch.from_numpy(lost))
    if kind == "natural":
        return graph
    delete = without_cells if kind == "cells" else without_window
    return delete(graph, float(word), _rng(condition, seed), rows, name)


def _read(condition: str) -> tuple[str, str, str]:
    """Kind, rate or name, and the one modality that it is about."""
    if condition == "natural":
        return "natural", "", ""
    for kind in (*_WITH_RATE, *_INSIDE):
        if condition.startswith(f"{kind} "):
            word, _, name = condition[len(kind) + 1 :].partition(": ")
            return kind, word, name
    for kind in _NAMED:
        if condition.startswith(f"{kind} ") and len(condition) > len(kind) + 1:
            return kind, condition[len(kind) + 1 :], ""
    raise InputError(f"study: unknown condition {condition!r}")


def _chances(graph: HeteroData, kind: str, rate: float, concerned: Flags, seed: int) -> NDArray[np.float64]:
    """Probability with which each patient loses a modality; [N]."""
    chance = np.full(len(concerned), rate)
    if kind in (_ILL, _WELL):
        return chance * ill_and_well(graph)[int(kind == _WELL)]
    if kind != "random":
        driver = covariate_of(graph)[1] if kind == "by covariate" else risk_of(graph, seed)
        chance[concerned] = by_driver(driver[concerned], rate)
    return chance


def _rng(condition: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(condition.encode())])
