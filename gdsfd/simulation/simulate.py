"""Writes a simulated cohort: exports, the spec that reads them, and the truth."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from gdsfd.atomic_write import atomic_directory, check_replaceable
from gdsfd.errors import InputError, near_names, shown
from gdsfd.simulation.as_meds import write_meds
from gdsfd.simulation.as_omop import write_omop
from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.export_events import write_labs, write_vitals
from gdsfd.simulation.export_tables import admissions, write_codes, write_embedding, write_patients, write_table
from gdsfd.simulation.population import Population, draw_population
from gdsfd.simulation.presets import configured
from gdsfd.simulation.recorded import read_recorded
from gdsfd.simulation.spec_text import spec_text
from gdsfd.simulation.truth import FORMAT, TRUTH_FILE, write_truth

__all__ = ["simulate"]

#: Name of a format -> what writes it; exports as they are need nobody.
FORMATS: dict[str, Any] = {"csv": None, "meds": write_meds, "omop": write_omop}

STRANGERS = 3  #: rows per modality whose id is in no cohort


def simulate(
    out: str | Path,
    patients: int | None = None,
    confounding: float | None = None,
    mechanism: str | dict[str, str] | None = None,
    seed: int | None = None,
    *,
    preset: str = "confounded",
    format: str = "csv",
    **options: Any,
) -> Path:
    """Writes a cohort drawn from a structural causal model as export files, with its spec and its truth.

    The folder holds ``patients.csv`` (the cohort table), one file per modality, ``spec.toml``, ``truth.json`` and
    ``truth.parquet``. It appears whole or not at all; an earlier simulation in its place is replaced. The same
    arguments write the same bytes.

    Args:
        out: Folder to write.
        patients: Patients in train, tuning and test (default 5000). Three further evaluation sets, each as large as
            test, come on top: ``test_unbiased`` (care practice independent of the outcome), ``test_flipped`` (their
            agreement reversed), ``test_shifted_missingness`` (presence drawn independently of everything).
        confounding: P(care practice agrees with the outcome) in train and test (default 0.9; 0.5 = no confounding).
        mechanism: ``mcar``, ``mar``, ``mnar`` (by the care practice, the default), ``mnar_outcome``, ``mnar_severity``,
            ``collider``, or a mapping from modality to one of them.
        seed: Seed (default 0).
        preset: A named simulation, ``confounded``, a negative control or a harder confounder of
            :data:`~gdsfd.simulation.presets.PRESETS`.
        format: ``csv``, or a standard: ``meds`` (a MEDS data set with labels) or ``omop`` (tables of the OMOP common
            data model with labels). What a standard has no place for is left out: vectors, in OMOP also tables.
        options: Further fields of :class:`~gdsfd.simulation.config.SimulationConfig`; they win over the preset.

    Returns:
        The folder.

    Raises:
        InputError: A value is out of range, a name is unknown, or the folder holds something else.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     sorted(path.name for path in simulate(place + "/exports", patients=200, modalities=2).iterdir())
        ['imaging.parquet', 'labs.csv.gz', 'patients.csv', 'spec.toml', 'truth.json', 'truth.parquet']
    """
    if format not in FORMATS:
        raise InputError(
            f"simulation: expected format among {list(FORMATS)}, got {format!r}.{near_names(str(format), FORMATS)}"
        )
    named = {"patients": patients, "confounding": confounding, "mechanism": mechanism, "seed": seed}
    config = configured(preset, **{key: value for key, value in named.items() if value is not None}, **options)
    check_replaceable(out, TRUTH_FILE, FORMAT)
    population = draw_population(config)
    with atomic_directory(out, TRUTH_FILE, FORMAT) as folder:
        if format == "csv":
            _write_exports(folder, config, population)
            (folder / "spec.toml").write_text(spec_text(config), encoding="utf-8")
        else:
            _write_standard(folder, config, population, format)
        write_truth(folder, config, population)
    return Path(out)


def _write_standard(folder: Path, config: SimulationConfig, population: Population, format: str) -> None:
    """Writes the cohort as a standard has it, from the exports that a hospital would start from."""
    writable = ("table", "events", "codes") if format == "meds" else ("events", "codes")
    names = [name for name in config.names if CATALOGUE[name].kind in writable]
    if not names:
        raise InputError(f"simulation: format {format!r} has no place for {shown(config.names)}; add labs or history")
    with tempfile.TemporaryDirectory(prefix="gdsfd-", dir=folder) as exports:
        _write_exports(Path(exports), config, population)
        recorded = read_recorded(Path(exports), names)
    FORMATS[format](folder, recorded)


def _write_exports(folder: Path, config: SimulationConfig, population: Population) -> None:
    """Writes the cohort table and every modality's file."""
    admitted = admissions(config, population)
    write_patients(folder, config, population, admitted)
    width = len(population.id[0])
    for name in config.names:
        kind = CATALOGUE[name].kind
        strangers = [f"9{index:0{width - 1}d}" for index in range(STRANGERS)]  # every patient's id begins with 0
        if name == "labs":
            write_labs(folder, config, population, admitted, strangers)
        elif name == "vitals":
            write_vitals(folder, config, population, strangers)
        elif kind == "table":
            write_table(folder, config, population, name, strangers)
        elif kind == "codes":
            write_codes(folder, config, population, name, strangers)
        else:
            write_embedding(folder, config, population, name, strangers)
