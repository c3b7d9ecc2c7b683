"""Population: patients drawn from the structural causal model.

The model (our formulation of the confounding story told in the documentation)::

    U -> Y, U -> C     case mix: which patients a practice sees          C -> Y
    U -> B             how things are recorded where U is the practice   U -> M, or what the mechanism says
    X = (C, B) where M = 1

It is drawn in the equivalent order ``Y ~ Bern(prevalence)``, ``U | Y`` with ``P(U = Y)`` given per split,
``C | Y ~ N(m s_Y, 1)``, ``B | U ~ N(m s_U, 1)`` with ``s`` = -1 or 1. Then ``logit P(Y = 1 | C, U)`` is
``logit(prevalence) + 2 m' C + s_U log(rho / (1 - rho))`` and ``P(Y | C)`` is the same in every split, whatever rho: the
score that a predictor free of the bias can reach.

:mod:`~gdsfd.simulation.practices` has what U can be other than one of two practices,
:mod:`~gdsfd.simulation.interactions` causal content that no single column shows,
:mod:`~gdsfd.simulation.coding_habits` practices that write in no number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.coding_habits import draw_other_codes, draw_words
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.effects import ModalityEffects, effects_of, log_ratio, logit
from gdsfd.simulation.interactions import draw_interactions, interaction_log_ratio, interactions_of
from gdsfd.simulation.missingness import driver_of, presence_intercept, presence_probability
from gdsfd.simulation.practices import draw_practice, level_of, site_group, writing_of
from gdsfd.simulation.streams import stream

__all__ = ["Population", "draw_population", "seed_digits"]

#: Share of a number's noise that patients of one subject have in common.
SUBJECT_SHARE = 0.3

#: Shift of age by the outcome when demographics is not among the modalities.
AGE_SHIFT = 0.25


@dataclass
class Population:
    """The patients, before any file is written. Rows are in the order of the cohort table; N patients.

    Args:
        id: Patient ids as text with leading zeros.
        subject: Index of the subject; int64 [N].
        split: Name of the split.
        y: True outcome, 0 or 1.
        label: Recorded outcome, 0 or 1, -1 where blank.
        u: Care practice: 0, 1, ..; a number where it is graded.
        bias: What the biased content follows: U, or 0 or 1 of its own when ``bias_causal``.
        site: Index of the hospital.
        age: Standardised age.
        analyser: Index of the laboratory analyser, 0 to 3.
        values: Modality -> standardised numbers, or 0/1 for codes; [N, F].
        measured: Modality -> whether a cell is filled when the modality is present; [N, F].
        present: Modality -> whether the patient has it; bool [N].
        propensity: Modality -> P(present) given what drives it; [N].
        intercepts: Modality -> ``a`` of the presence model (infinite: always present).
        effects: Modality -> structural coefficients.
        other: Modality with coding habits -> whether a finding is written by its other code; [N, F].
        words: Modality with coding habits -> number of the word in each column of words, -1 = blank; [N, columns].
    """

    id: NDArray[np.str_]
    subject: NDArray[np.int64]
    split: NDArray[np.str_]
    y: NDArray[np.int64]
    label: NDArray[np.int64]
    u: NDArray[Any]
    bias: NDArray[Any]
    site: NDArray[np.int64]
    age: NDArray[np.float64]
    analyser: NDArray[np.int64]
    values: dict[str, NDArray[np.float64]]
    measured: dict[str, NDArray[np.bool_]]
    present: dict[str, NDArray[np.bool_]]
    propensity: dict[str, NDArray[np.float64]]
    intercepts: dict[str, float]
    effects: dict[str, ModalityEffects]
    other: dict[str, NDArray[np.bool_]]
    words: dict[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.id)

    def seen(self, modality: str) -> NDArray[np.bool_]:
        """Cells that stand in the files: the modality is present and the cell is filled; [N, F]."""
        return self.present[modality][:, None] & self.measured[modality]


def draw_population(config: SimulationConfig) -> Population:
    """Draws all patients of all splits.

    Args:
        config: The knobs.

    Returns:
        The population; a function of ``config`` alone.
    """
    subject, split = _subjects(config)
    size, subjects = len(subject), int(subject.max()) + 1
    y = (stream(config.seed, "outcome").random(subjects) < config.prevalence).astype(np.int64)[subject]
    u, bias = draw_practice(config, split, y)
    effects = effects_of(config)
    age_shift = float(effects["demographics"].causal[0]) if "demographics" in effects else AGE_SHIFT
    age = age_shift * _sign(y) + stream(config.seed, "age").standard_normal(subjects)[subject]
    values = {name: _content(config, name, effects[name], y, bias, subject) for name in config.names}
    if "demographics" in values:
        values["demographics"][:, 0] = age  # one age per subject, also the covariate of "mar"
    draw_interactions(config, y, values)
    measured = {name: _cells(config, name, size) for name in config.names}
    population = Population(
        id=_identifiers(config, size),
        subject=subject,
        split=split,
        y=y,
        label=_labels(config, split, y),
        u=u,
        bias=bias,
        site=_sites(config, u),
        age=age,
        analyser=stream(config.seed, "analyser").integers(0, 4, size),
        values=values,
        measured=measured,
        present={},
        propensity={},
        intercepts={},
        effects=effects,
        other=draw_other_codes(config, bias),
        words=draw_words(config, bias),
    )
    _draw_presence(config, population)
    return population


def _sign(binary: NDArray[np.int64]) -> NDArray[np.float64]:
    """0 and 1 as -1 and 1."""
    return 2.0 * binary.astype(np.float64) - 1.0


def _subjects(config: SimulationConfig) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Subject and split of every row, rows shuffled. A subject's patients are all in one split."""
    rng = stream(config.seed, "subjects")
    subject, split, first = [], [], 0
    for name, size in config.sizes().items():
        repeated = rng.random(size) < config.repeats
        stays = np.where(repeated, rng.integers(2, 4, size), 1)
        member = np.repeat(np.arange(size), stays)[:size]
        subject.append(member + first)
        split.append(np.full(size, name))
        first += int(member.max()) + 1
    order = rng.permutation(sum(config.sizes().values()))
    return np.concatenate(subject)[order], np.concatenate(split)[order]


def _sites(config: SimulationConfig, u: NDArray[Any]) -> NDArray[np.int64]:
    """A hospital of the patient's practice, or now and then any hospital."""
    rng = stream(config.seed, "sites")
    group = site_group(config, u)
    any_site = rng.integers(0, config.sites, len(u))
    hospitals = (config.sites - group + config.practices - 1) // config.practices  # of that practice
    own_site = config.practices * np.floor(rng.random(len(u)) * hospitals).astype(np.int64) + group
    return np.where(rng.random(len(u)) < config.site_fidelity, own_site, any_site)


def _labels(config: SimulationConfig, split: NDArray[np.str_], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """Recorded outcomes: noise and blanks in train and tuning only."""
    rng = stream(config.seed, "labels")
    fitted = np.isin(split, ("train", "tuning"))
    flipped = fitted & (rng.random(len(y)) < config.label_noise)
    blank = fitted & (rng.random(len(y)) < config.unlabelled)
    return np.where(blank, -1, np.where(flipped, 1 - y, y))


def _content(
    config: SimulationConfig,
    name: str,
    effects: ModalityEffects,
    y: NDArray[np.int64],
    bias: NDArray[Any],
    subject: NDArray[np.int64],
) -> NDArray[np.float64]:
    """One modality's content for every patient, present or not; [N, F]."""
    rng = stream(config.seed, f"{name}.content")
    shift = _sign(y)[:, None] * effects.causal + writing_of(config, bias, effects.biased)
    if CATALOGUE[name].kind == "codes":
        base = np.array([logit(feature.centre) for feature in CATALOGUE[name].features])
        return (rng.random(shift.shape) < 1.0 / (1.0 + np.exp(-(base + shift)))).astype(np.float64)
    own = rng.standard_normal(shift.shape)
    common = rng.standard_normal((int(subject.max()) + 1, shift.shape[1]))[subject]
    return shift + np.sqrt(1.0 - SUBJECT_SHARE) * own + np.sqrt(SUBJECT_SHARE) * common


def _cells(config: SimulationConfig, name: str, size: int) -> NDArray[np.bool_]:
    """Which cells are filled; a code list or a vector is whole."""
    modality = CATALOGUE[name]
    rng = stream(config.seed, f"{name}.cells")
    filled = rng.random((size, len(modality.features))) >= config.cell_missing
    if modality.kind in ("codes", "embedding"):
        filled[:] = True
    filled[:, 0] = True
    return filled


def _identifiers(config: SimulationConfig, size: int) -> NDArray[np.str_]:
    """Ids in no order, as text of one width, the first digit always 0."""
    width = len(str(10 * size))
    numbers = stream(config.seed, "ids").permutation(10 * size)[:size]
    return np.array([f"0{seed_digits(config.seed)}{number:0{width}d}" for number in numbers])


def seed_digits(seed: int) -> str:
    """Seven digits that stand in all ids of a cohort: patients of two seeds are different people, with other ids."""
    return f"{int(stream(seed, 'people').integers(10**7)):07d}"


def _draw_presence(config: SimulationConfig, population: Population) -> None:
    """Fills ``present``, ``propensity`` and ``intercepts``."""
    severity = np.zeros(len(population))
    for name in config.names:
        severity += log_ratio(name, population.values[name], population.effects[name].causal).sum(axis=1)
    for interaction in interactions_of(config):
        severity += interaction_log_ratio(interaction, population.values)
    train = population.split == "train"
    spread = severity[train].std() or 1.0
    drivers = {
        "confounder": level_of(config, population.u),
        "outcome": _sign(population.y),
        "age": population.age,
        "severity": (severity - severity[train].mean()) / spread,
    }
    shifted = population.split == "test_shifted_missingness"
    for name in config.names:
        driver, rate = driver_of(config.mechanism_of(name), drivers), config.rate_of(name)
        intercept = presence_intercept(driver[train], config.missing_slope, rate)
        chance = presence_probability(driver, config.missing_slope, intercept)
        chance[shifted] = 1.0 - rate
        population.intercepts[name] = intercept
        population.propensity[name] = chance
        population.present[name] = stream(config.seed, f"{name}.presence").random(len(population)) < chance
