"""Writes laboratory results in long form and vital signs in wide form.

Beyond the readings that belong to the first 24 hours, the files hold what real ones do: repeats, results from before
the admission, blanks, -1 for "not measured", a few stays that are in no cohort, rows that stand twice. Readings from
after the 24 hours follow the *outcome*: a spec that forgets the window scores too well.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.population import Population
from gdsfd.simulation.streams import stream

__all__ = ["WINDOW_MINUTES", "write_labs", "write_vitals"]

WINDOW_MINUTES = 1440  #: the first 24 hours

READING_NOISE = 0.4  #: standard deviation of one reading around the patient's level, in standard deviations of the item
LATE_SHIFT = 2.0  #: how far readings after the window lie on the outcome's side, in the same unit
ANALYSER_NAMES = np.array(["A1", "A2", "B1", "C1"])


def write_labs(
    folder: Path,
    config: SimulationConfig,
    population: Population,
    admitted: NDArray[np.datetime64],
    strangers: list[str],
) -> None:
    """Writes ``labs.csv.gz``: patient_id, charted_at (timestamp), test, result, analyser.

    Args:
        folder: Where to.
        config: The knobs.
        population: The patients.
        admitted: Time of admission; datetime64[m] [N].
        strangers: Ids that are in no cohort; one row each.
    """
    modality, effects = CATALOGUE["labs"], population.effects["labs"]
    rng = stream(config.seed, "labs.export")
    row, item = np.nonzero(population.seen("labs"))
    repeats = 1 + rng.poisson(0.8, len(row))
    row, item = np.repeat(row, repeats), np.repeat(item, repeats)
    first = np.concatenate([[True], (row[1:] != row[:-1]) | (item[1:] != item[:-1])])
    minute = rng.integers(0, WINDOW_MINUTES, len(row))
    # Only repeats go astray, so that each measured item keeps one good reading within the window.
    fate = np.where(first, 1.0, rng.random(len(row)))
    minute = np.where(fate < 0.05, -rng.integers(1, 600, len(row)), minute)
    late = (fate >= 0.05) & (fate < 0.2)
    minute = np.where(late, WINDOW_MINUTES + rng.integers(0, WINDOW_MINUTES, len(row)), minute)
    level = population.values["labs"][row, item] + READING_NOISE * rng.standard_normal(len(row))
    level += (
        late * LATE_SHIFT * (2 * population.y[row] - 1) * (effects.causal[item] != 0) * np.sign(effects.causal[item])
    )
    if config.sensor_offset > 0.0:
        devices = stream(config.seed, "labs.devices").standard_normal((2, len(ANALYSER_NAMES), len(effects.role)))
        device = population.analyser[row]
        level *= np.exp(0.1 * config.sensor_offset * devices[0, device, item])
        level += config.sensor_offset * devices[1, device, item]
    result = np.char.mod("%g", _in_units(level, item, "labs")).astype(object)
    result[(fate >= 0.2) & (fate < 0.22)] = "-1"
    result[(fate >= 0.22) & (fate < 0.24)] = ""
    frame = pd.DataFrame(
        {
            "patient_id": population.id[row],
            "charted_at": _timestamps(admitted[row] + minute.astype("timedelta64[m]")),
            "test": np.array([feature.name for feature in modality.features])[item],
            "result": result,
            "analyser": ANALYSER_NAMES[population.analyser[row]],
        }
    )
    unknown = frame.head(len(strangers)).assign(patient_id=strangers)
    repeated = frame.iloc[:: max(1, len(frame) // 20)].head(20)
    write_csv(pd.concat([frame, unknown, repeated]), folder / modality.file)


def write_vitals(folder: Path, config: SimulationConfig, population: Population, strangers: list[str]) -> None:
    """Writes ``vitals.parquet``: patient_id, minute since admission, one column per sign.

    Args:
        folder: Where to.
        config: The knobs.
        population: The patients.
        strangers: Ids that are in no cohort; one row each.
    """
    modality, effects = CATALOGUE["vitals"], population.effects["vitals"]
    rng = stream(config.seed, "vitals.export")
    present = np.flatnonzero(population.present["vitals"])
    row = np.repeat(present, 2 + rng.poisson(3.0, len(present)))
    first = np.concatenate([[True], row[1:] != row[:-1]])
    minute = np.where(first, 0, rng.integers(0, WINDOW_MINUTES, len(row)))
    late = ~first & (rng.random(len(row)) < 0.15)
    minute = np.where(late, minute + WINDOW_MINUTES, minute)
    level = population.values["vitals"][row] + READING_NOISE * rng.standard_normal((len(row), len(effects.role)))
    level += late[:, None] * LATE_SHIFT * (2 * population.y[row, None] - 1) * np.sign(effects.causal)
    value = _in_units(level, np.arange(len(effects.role)), "vitals")
    unread = rng.random(value.shape) < 0.1
    unread[first] = False
    value[unread | ~population.measured["vitals"][row]] = np.nan
    frame = pd.DataFrame(value, columns=[feature.name for feature in modality.features])
    frame.insert(0, "minute", minute)
    frame.insert(0, "patient_id", population.id[row])
    unknown = frame.head(len(strangers)).assign(patient_id=strangers)
    pd.concat([frame, unknown]).to_parquet(folder / modality.file, index=False)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Writes a CSV, gzipped by its name, whose bytes depend on the rows alone (gzip would store the time and name)."""
    text = frame.to_csv(index=False, lineterminator="\n").encode()
    if path.suffix != ".gz":
        path.write_bytes(text)
        return
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", filename="", compresslevel=5, mtime=0) as stream_out:
        stream_out.write(text)
    path.write_bytes(packed.getvalue())


def _in_units(level: NDArray[np.float64], item: NDArray[np.int64], name: str) -> NDArray[np.float64]:
    """Standardised levels in the file's units, rounded as the file has them."""
    features = CATALOGUE[name].features
    centre = np.array([feature.centre for feature in features])[item]
    spread = np.array([feature.spread for feature in features])[item]
    scale = 10.0 ** np.array([feature.decimals for feature in features])[item]
    return np.round((centre + spread * level) * scale) / scale


def _timestamps(times: NDArray[np.datetime64]) -> NDArray[np.str_]:
    """``2021-03-04 07:15:00``."""
    return np.char.replace(np.datetime_as_string(times.astype("datetime64[s]")), "T", " ")
