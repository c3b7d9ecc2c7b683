"""Effect sizes: how strongly each column follows the outcome or the care practice, and what its cells then say.

The asked separation ``d'`` is shared out so that every modality, and within it every column of the role, carries the
same information: the squared separations add up to ``d'^2``. A number is drawn from ``N(m * s, 1)`` with ``s`` = -1 or
1 (the outcome for causal columns, U for biased ones), a code from ``Bernoulli(sigmoid(logit(p) + m * s))``. The
log-likelihood ratio of a number is ``2 m z``; that of a code has variance about ``(2 m)^2 p (1 - p)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsfd.simulation.catalogue import CATALOGUE, Role
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.interactions import interactions_of

__all__ = ["ModalityEffects", "effects_of", "log_ratio", "logit"]


@dataclass(frozen=True)
class ModalityEffects:
    """One modality's structural coefficients.

    Args:
        role: Role of each column after ``bias_modalities`` was applied; [F].
        causal: Shift of a column by the outcome, ``m`` above; 0 for other roles, and where a causal column tells the
            outcome by an interaction; [F].
        biased: Shift of a column by U; 0 for other roles; [F].
    """

    role: tuple[Role, ...]
    causal: NDArray[np.float64]
    biased: NDArray[np.float64]


def effects_of(config: SimulationConfig) -> dict[str, ModalityEffects]:
    """Modality -> structural coefficients."""
    bias_total = config.bias_strength * config.causal_strength
    found = {}
    for name in config.names:
        carries = name in config.bias_modalities and bias_total > 0.0 and not config.coded
        role: tuple[Role, ...] = tuple(
            "noise" if feature.role == "biased" and not carries else feature.role
            for feature in CATALOGUE[name].features
        )
        causal = _shared(name, role, "causal", config.separation / np.sqrt(len(config.names)))
        causal[[place for each in interactions_of(config) for owner, place in each.cells if owner == name]] = 0.0
        biased = _shared(name, role, "biased", bias_total / np.sqrt(max(1, len(config.bias_modalities))))
        found[name] = ModalityEffects(role, causal, biased)
    return found


def _shared(name: str, role: tuple[Role, ...], wanted: Role, separation: float) -> NDArray[np.float64]:
    """Shares one modality's separation out over its columns of a role."""
    modality = CATALOGUE[name]
    shift = np.zeros(len(role))
    members = [position for position, held in enumerate(role) if held == wanted]
    for position in members:
        feature = modality.features[position]
        spread = np.sqrt(feature.centre * (1.0 - feature.centre)) if modality.kind == "codes" else 1.0
        shift[position] = feature.sign * separation / (2.0 * np.sqrt(len(members)) * spread)
    return shift


def logit(probability: float) -> float:
    """``log(p / (1 - p))``."""
    return math.log(probability / (1.0 - probability))


def log_ratio(name: str, values: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-likelihood ratio of what a shift of 1 against -1 predicts, cell by cell; [N, F].

    Args:
        name: The modality.
        values: Standardised numbers, or 0/1 for codes; [N, F].
        shift: ``m`` of each column; [F].
    """
    if CATALOGUE[name].kind != "codes":
        return 2.0 * values * shift
    base = np.array([logit(feature.centre) for feature in CATALOGUE[name].features])
    # log P(code | +) - log P(code | -) with P = sigmoid(base + s m); absent codes use the complement.
    with_code = np.logaddexp(0.0, -(base - shift)) - np.logaddexp(0.0, -(base + shift))
    without = np.logaddexp(0.0, base - shift) - np.logaddexp(0.0, base + shift)
    return np.where(values > 0.5, with_code, without)
