"""The truth behind a simulated cohort (causes, scores, propensities), written and read back.

``truth.json`` holds the configuration, each column's role, the structural coefficients and, per split, how strongly U
agrees with the outcome. ``truth.parquet`` holds one row per patient.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdsfd.errors import InputError
from gdsfd.simulation.catalogue import ANCHOR_CODE, CATALOGUE
from gdsfd.simulation.coding_habits import OTHER_CODE, habit_strength
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.effects import logit
from gdsfd.simulation.export_tables import rotation, site_names
from gdsfd.simulation.interactions import interactions_of
from gdsfd.simulation.missingness import MECHANISMS
from gdsfd.simulation.population import Population
from gdsfd.simulation.practices import levels, link_of, writing_of
from gdsfd.simulation.scores import BETWEEN, bayes_score, bias_log_ratio, causal_log_ratio, oracle_score

__all__ = ["FORMAT", "TRUTH_FILE", "Truth", "load_truth", "write_truth"]

TRUTH_FILE = "truth.json"
FORMAT = "gdsfd simulation"
_PATIENTS_FILE = "truth.parquet"


@dataclass(frozen=True)
class Truth:
    """The truth behind a simulated cohort.

    Args:
        masks: Modality -> column, item, code or component -> ``causal``, ``biased``, ``noise``, ``mixed`` (rotated, or
            a code of a finding that is a cause, where which code stands for it is habit).
        coefficients: ``outcome``: intercept and log-odds of the causal content and of U; ``causal`` and ``biased``:
            modality -> column -> shift; ``presence``: modality -> mechanism, slope and intercept. Where there are any:
            ``interactions`` (kind, columns and strength of causal content no single column shows) and ``practices``
            (level, and modality -> column -> shift, of each of more than two), ``habits`` (modality -> strength of a
            practice that shows in codes and words).
        splits: Split -> ``patients`` and ``alignment``, P(U = Y).
        config: The simulation's configuration.
        patients: One row per patient in the order of the cohort table, index = patient id. Columns: ``split``;
            ``y`` (true outcome), ``label`` (recorded, -1 = blank), ``u`` (a number where it is graded), ``bias`` (what
            the biased content follows), ``site_practice``; ``oracle`` (Bayes score from the causal content on file),
            ``oracle_complete`` (from all of it), ``bayes`` (from causal and biased content, right in train only); per
            modality ``present_<m>``, ``propensity_<m>``, ``causal_<m>`` and ``biased_<m>`` (evidence on file for Y and
            for U, in nats), with an exclusive-or of two modalities also ``causal_between_modalities``.
        extra: Everything else in ``truth.json``.
    """

    masks: dict[str, dict[str, str]]
    coefficients: dict[str, Any]
    splits: dict[str, dict[str, float]]
    config: SimulationConfig
    patients: pd.DataFrame
    extra: dict[str, Any]

    def suspects(self) -> tuple[str, ...]:
        """The biased columns as ``Debiaser(suspects=...)`` takes them: ``"column:labs.crp_rapid"``."""
        return tuple(
            f"column:{modality}.{column}"
            for modality, roles in self.masks.items()
            for column, role in roles.items()
            if role == "biased"
        )


def write_truth(folder: Path, config: SimulationConfig, population: Population) -> None:
    """Writes ``truth.parquet`` and ``truth.json``.

    Args:
        folder: Where to.
        config: The knobs.
        population: The patients.
    """
    _patient_frame(config, population).to_parquet(folder / _PATIENTS_FILE, index=False)
    stored = {
        "format": FORMAT,
        "version": 1,
        "config": config.to_dict(),
        "splits": {
            name: {"patients": size, "alignment": config.alignment(name)} for name, size in config.sizes().items()
        },
        "masks": _masks(config, population),
        "coefficients": _coefficients(config, population),
        "sites": {str(name): index % config.practices for index, name in enumerate(site_names(config))},
        "rotation": {
            name: rotation(config, name).tolist()
            for name in config.names
            if config.rotate and CATALOGUE[name].kind == "embedding"
        },
        "patients": _PATIENTS_FILE,
    }
    (folder / TRUTH_FILE).write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def load_truth(folder: str | Path) -> Truth:
    """Reads the truth of a cohort that :func:`gdsfd.simulate` wrote.

    Args:
        folder: The folder given to ``simulate``.

    Raises:
        InputError: The folder holds no simulated cohort.
    """
    path = Path(folder) / TRUTH_FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}; expected a folder written by gdsfd.simulate"
        ) from None
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise InputError(f"{path}: expected the truth of a simulated cohort (format {FORMAT!r})")
    patients = pd.read_parquet(path.parent / stored["patients"]).set_index("id")
    options: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in stored["config"].items()
    }
    known = ("masks", "coefficients", "splits", "config", "patients", "format")
    return Truth(
        masks=stored["masks"],
        coefficients=stored["coefficients"],
        splits=stored["splits"],
        config=SimulationConfig(**options),
        patients=patients,
        extra={key: value for key, value in stored.items() if key not in known},
    )


def _patient_frame(config: SimulationConfig, population: Population) -> pd.DataFrame:
    causal, biased = causal_log_ratio(config, population), bias_log_ratio(config, population)
    columns: dict[str, Any] = {
        "id": population.id,
        "split": population.split,
        "y": population.y,
        "label": population.label,
        "u": population.u,
        "bias": population.bias,
        "site_practice": population.site % config.practices,
        "oracle": oracle_score(config, population),
        "oracle_complete": oracle_score(config, population, observed=False),
        "bayes": bayes_score(config, population),
    }
    for name in config.names:
        columns[f"present_{name}"] = population.present[name]
        columns[f"propensity_{name}"] = population.propensity[name]
        columns[f"causal_{name}"] = causal[name]
        columns[f"biased_{name}"] = biased[name]
    if BETWEEN in causal:
        columns[f"causal_{BETWEEN.replace(' ', '_')}"] = causal[BETWEEN]
    return pd.DataFrame(columns)


def _masks(config: SimulationConfig, population: Population) -> dict[str, dict[str, str]]:
    masks: dict[str, dict[str, str]] = {}
    for name in config.names:
        modality = CATALOGUE[name]
        mixed = config.rotate and modality.kind == "embedding"
        roles = zip(modality.features, population.effects[name].role)
        masks[name] = {feature.name: "mixed" if mixed else role for feature, role in roles}
        habits = habit_strength(config, name) > 0.0
        masks[name].update({column: "biased" if habits else "noise" for column, _ in modality.levels})
        if habits and modality.kind == "codes":  # the finding may be a cause; which code stands for it is habit
            own = {code: "biased" if role == "noise" else "mixed" for code, role in masks[name].items()}
            masks[name] = own | {OTHER_CODE[name][code]: role for code, role in own.items()}
    if "history" in masks:
        masks["history"][ANCHOR_CODE] = "noise"
    if "medications" in masks:
        masks["medications"]["sodium chloride"] = "noise"
    return masks


def _coefficients(config: SimulationConfig, population: Population) -> dict[str, Any]:
    """Structural coefficients; see :mod:`gdsfd.simulation.population` for the equations."""
    shifts: dict[str, dict[str, dict[str, float]]] = {"causal": {}, "biased": {}}
    for name in config.names:
        effects = population.effects[name]
        for role, shift in (("causal", effects.causal), ("biased", effects.biased)):
            kept = {
                feature.name: float(value) for feature, value in zip(CATALOGUE[name].features, shift) if value != 0.0
            }
            if kept:
                shifts[role][name] = kept
    rho = config.confounding
    link = link_of(config, rho) if 0.0 < rho < 1.0 else None  # None: infinite, U decides
    added: dict[str, Any] = {}
    if config.interactions:
        added["interactions"] = [
            {"kind": each.kind, "columns": each.columns, "strength": each.strength} for each in interactions_of(config)
        ]
    if config.coded:
        added["habits"] = {name: habit_strength(config, name) for name in config.bias_modalities}
    if config.practices > 2:
        added["practices"] = [_practice(config, population, u) for u in range(config.practices)]
    return {
        "outcome": {
            "intercept": logit(config.prevalence),
            "causal": {
                name: {column: 2.0 * value for column, value in columns.items()}
                for name, columns in shifts["causal"].items()
                if CATALOGUE[name].kind != "codes"
            },
            "confounder": 0.0 if config.bias_causal else link,
            "bias": link if config.bias_causal else 0.0,
        },
        "causal": shifts["causal"],
        "biased": shifts["biased"],
        "presence": {
            name: {
                "mechanism": config.mechanism_of(name),
                "drivers": MECHANISMS[config.mechanism_of(name)],
                "slope": config.missing_slope,
                "intercept": population.intercepts[name] if np.isfinite(population.intercepts[name]) else None,
                "missing": config.rate_of(name),
            }
            for name in config.names
        },
        **added,
    }


def _practice(config: SimulationConfig, population: Population, u: int) -> dict[str, Any]:
    """Level of a practice, and modality -> column -> shift of what it writes."""
    written: dict[str, dict[str, float]] = {}
    for name, effects in population.effects.items():
        shift = writing_of(config, np.array([u]), effects.biased)[0]
        kept = {each.name: float(value) for each, value in zip(CATALOGUE[name].features, shift) if value != 0.0}
        if kept:
            written[name] = kept
    return {"level": float(levels(config)[u]), "biased": written}
