"""What a run keeps beside its networks, so that new patients are judged by what was fixed before they were seen."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch_geometric.data import HeteroData

from gdsfd.baselines.baseline import Baseline
from gdsfd.baselines.files import read_baselines, write_baselines
from gdsfd.baselines.labels import Floats, labels_of, target_names, task_of
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.inference import predict
from gdsfd.training.run_record.calibration import Calibration, calibrated, columns_of
from gdsfd.training.run_record.choose_calibration import choose_calibration
from gdsfd.training.run_record.conformal_scores import ConformalScores, scores_of
from gdsfd.training.run_record.rivals import Rivals, fit_rivals
from gdsfd.training.run_record.training_patients import TrainingPatients
from gdsfd.training.run_record.training_values import TrainingValues
from gdsfd.training.run_record.tuned_rules import TunedRules, tune_rules

__all__ = ["RunRecord", "outcome_entropy", "record_run"]

#: Hashes of whom a model was trained on.
PATIENTS_FILE = "training_patients.safetensors"
#: How strange tuning patients' labels were to each network.
SCORES_FILE = "tuning_scores.safetensors"
_WITHOUT = "it was trained with baselines=False (--no-baselines)"


@dataclass(frozen=True)
class RunRecord:
    """What was fixed on the training cohort.

    Args:
        patients: Whom the model was trained on and chosen by, as hashes.
        cohort: The cohort in words: ``source`` (names of files), ``patients``, ``splits`` (split -> patients),
            ``environment`` (the column), ``environments`` (those of training patients).
        rules: ``reference``, ``debiased`` and each baseline -> its thresholds (of the risks that it gives out) and
            recalibration lines (of the network's own).
        uncertainty: Outcome -> entropy of the training labels in nats.
        baselines: Key -> fitted baseline.
        no_baselines: Why there are none, or nothing.
        seconds: That fitting them took.
        calibrations: ``reference`` and ``debiased`` -> how their risks are corrected, outcome by outcome; empty where
            nobody asked for it.
        conformal: ``reference`` and ``debiased`` -> the scores of tuning patients that sets are made from; empty in
            runs of earlier versions.
        values: The training and tuning patients by what was measured of them; None in runs of earlier versions.
    """

    patients: TrainingPatients
    cohort: dict[str, Any]
    rules: dict[str, TunedRules]
    uncertainty: dict[str, float]
    baselines: dict[str, Baseline] = field(default_factory=dict)
    no_baselines: str = ""
    seconds: float = 0.0
    calibrations: dict[str, tuple[Calibration, ...]] = field(default_factory=dict)
    conformal: dict[str, ConformalScores] = field(default_factory=dict)
    values: TrainingValues | None = None

    def write(self, folder: Path) -> dict[str, Any]:
        """Writes hashes and baselines into a model's folder.

        Returns:
            What else there is to keep, JSON-able.
        """
        of_values = self.values.arrays() if self.values is not None else {}
        arrays = {**self.patients.arrays(), **of_values}
        save_file({name: np.ascontiguousarray(each) for name, each in arrays.items()}, folder / PATIENTS_FILE)
        if self.conformal:
            scores = {key: each for name, own in self.conformal.items() for key, each in own.arrays(name).items()}
            save_file({key: np.ascontiguousarray(each) for key, each in scores.items()}, folder / SCORES_FILE)
        return {
            "salt": self.patients.salt,
            "subject_is_id": self.patients.subject_is_id,
            "cohort": self.cohort,
            "rules": {name: own.to_dict() for name, own in self.rules.items()},
            "outcome_nats": {name: None if math.isnan(nats) else nats for name, nats in self.uncertainty.items()},
            "baselines": write_baselines(folder, self.baselines),
            "no_baselines": self.no_baselines,
            "baseline_seconds": self.seconds,
            "calibrations": {name: [each.to_dict() for each in own] for name, own in self.calibrations.items()},
            "conformal": sorted(self.conformal),
        }

    @classmethod
    def read(cls, folder: Path, stored: Any, schema: CohortSchema) -> RunRecord:
        """Reads what :meth:`write` wrote.

        Args:
            folder: The model's.
            stored: What that method gave.
            schema: The model's.

        Raises:
            InputError: A file is missing or damaged.
        """
        where = str(folder / "model.json")
        if _is_damaged(stored):
            raise InputError(f"{where}: what was fixed on the training cohort is damaged; copy the folder again")
        path = folder / PATIENTS_FILE
        arrays = _arrays_in(path)
        rules = {str(name): TunedRules.from_dict(own, where) for name, own in stored["rules"].items()}
        names = target_names(schema)
        if any(own.targets != names for own in rules.values()):
            raise InputError(f"{where}: its thresholds are of other outcomes than the model; copy the folder again")
        return cls(
            patients=TrainingPatients.from_arrays(stored.get("salt"), stored.get("subject_is_id"), arrays, str(path)),
            cohort=dict(stored["cohort"]),
            rules=rules,
            uncertainty={
                name: math.nan if nats is None else float(nats) for name, nats in stored["outcome_nats"].items()
            },
            baselines=read_baselines(folder, stored["baselines"], schema),
            no_baselines=str(stored.get("no_baselines", "")),
            seconds=float(stored.get("baseline_seconds") or 0.0),
            calibrations=_calibrations(stored.get("calibrations", {}), schema, where),
            conformal=_conformal(folder / SCORES_FILE, stored.get("conformal", []), schema, where),
            values=TrainingValues.from_arrays(stored.get("salt"), arrays, str(path)),
        )


def _arrays_in(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        why = str(error).splitlines()[0]
        raise InputError(f"{path}: missing or damaged ({why}); copy the folder again") from None


def _calibrations(stored: Any, schema: CohortSchema, where: str) -> dict[str, tuple[Calibration, ...]]:
    places = columns_of(schema)
    if not isinstance(stored, dict) or any(
        not isinstance(own, list) or len(own) != len(places) for own in stored.values()
    ):
        raise InputError(f"{where}: the recalibration kept with the model is damaged; copy the folder again")
    return {
        str(name): tuple(
            Calibration.from_dict(each, place.stop - place.start, where)
            for each, place in zip(own, places, strict=True)
        )
        for name, own in stored.items()
    }


def _conformal(path: Path, names: Any, schema: CohortSchema, where: str) -> dict[str, ConformalScores]:
    if not isinstance(names, list):
        raise InputError(f"{where}: the scores kept with the model are damaged; copy the folder again")
    if not names:
        return {}
    arrays = _arrays_in(path)
    return {str(name): ConformalScores.from_arrays(arrays, str(name), schema, str(path)) for name in names}


_DICTS = ("cohort", "rules", "outcome_nats", "baselines")


def _is_damaged(stored: Any) -> bool:
    """Whether the parts of a record are of other types than they were written as."""
    if not isinstance(stored, Mapping) or not all(isinstance(stored.get(name), dict) for name in _DICTS):
        return True
    cohort = stored["cohort"]
    numbers = [each for each in stored["outcome_nats"].values() if each is not None]
    numbers.append(stored.get("baseline_seconds", 0.0))
    return not (
        all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in numbers)
        and all(isinstance(cohort.get(name), list) for name in ("source", "environments"))
        and isinstance(cohort.get("splits"), dict)
        and all(isinstance(count, int) for count in cohort["splits"].values())
    )


def record_run(
    graph: HeteroData,
    networks: Mapping[str, Ensemble],
    seed: int = 0,
    baselines: bool = True,
    suspects: Sequence[str] = (),
    found: bool = False,
    rivals: Rivals | None = None,
    recalibrate: str = "none",
) -> RunRecord:
    """Fixes on a graph's training and tuning patients what is to be used on others.

    Args:
        graph: The graph trained on.
        networks: ``reference``, and ``debiased`` where there is one.
        seed: Of the baselines.
        baselines: Whether to fit gradient boosting, logistic regression and those of plug-ins.
        suspects: What the debiased network was told; see :func:`fit_rivals`.
        found: Whether it averages found strata out.
        rivals: Those that were fitted meanwhile.
        recalibrate: How the networks' risks are corrected: ``none``, ``auto``, ``logistic`` or ``isotonic``.
    """
    schema = graph.schema
    rivals = fit_rivals(graph, seed, suspects, found, rivals) if baselines else Rivals(why_none=_WITHOUT)
    rows = rows_of(graph, "tuning")
    labels, names = labels_of(graph, rows.numpy()), target_names(schema)
    store = PatientStore(graph)
    answers = {name: predict(network, store, rows).probability for name, network in networks.items()}
    own = dict(answers)
    people = [str(graph["patient"].subject[row]) for row in rows.tolist()]
    calibrations: dict[str, tuple[Calibration, ...]] = {}
    if recalibrate != "none":
        outcomes = [outcome.name for outcome in schema.outcomes]
        for name, answer in own.items():
            targets = _positive(schema, answer)
            calibrations[name] = tuple(
                choose_calibration(outcome, recalibrate, labels[:, place], targets[:, place], people)
                for outcome, place in zip(outcomes, columns_of(schema), strict=True)
            )
            answers[name] = calibrated(answer, schema, calibrations[name])
    y = graph["patient"].y.numpy()[rows.numpy()]
    # A time to an event has no labels that a set could hold.
    conformal = {} if schema.survival is not None else {name: scores_of(y, answers[name], schema) for name in own}
    answers |= {name: each.predict_proba(graph, split="tuning") for name, each in rivals.fitted.items()}
    patient, split = graph["patient"], [str(name) for name in graph["patient"].split]
    receipt = graph.receipt if "receipt" in graph else None
    environment = patient.get("environment")
    trained = sorted({str(own) for own, name in zip(environment or [], split) if name == "train"})
    patients = TrainingPatients.of(graph)
    return RunRecord(
        patients=patients,
        cohort={
            "source": [Path(str(one)).name for one in receipt.cohort.source] if receipt is not None else [],
            "patients": len(split),
            "splits": dict(Counter(split)),
            "environment": schema.environment,
            "environments": trained,
        },
        rules={
            name: tune_rules(names, labels, _positive(schema, answer), _positive(schema, own.get(name, answer)))
            for name, answer in answers.items()
        },
        uncertainty=outcome_entropy(graph),
        baselines=rivals.fitted,
        no_baselines=rivals.why_none,
        seconds=rivals.seconds,
        calibrations=calibrations,
        conformal=conformal,
        values=TrainingValues.of(graph, patients.salt),
    )


def _positive(schema: CohortSchema, answer: NDArray[np.float64]) -> Floats:
    """One column per target."""
    return answer[:, 1:] if task_of(schema) == "binary" else answer


def outcome_entropy(graph: HeteroData) -> dict[str, float]:
    """Entropy of the training labels of each outcome, in nats; NaN where there are none."""
    rows = np.flatnonzero(np.asarray(graph["patient"].split, dtype=str) == "train")
    labels, schema = labels_of(graph, rows), graph.schema
    names = [outcome.name for outcome in schema.outcomes]
    if schema.multiclass:
        known = labels[np.isfinite(labels).all(1)]
        return {names[0]: _entropy(known.mean(0)) if len(known) else math.nan}
    found = {}
    for column, name in enumerate(names):
        own = labels[:, column][np.isfinite(labels[:, column])]
        share = float(own.mean()) if len(own) else math.nan
        found[name] = _entropy(np.array([share, 1 - share]))
    return found


def _entropy(shares: Floats) -> float:
    if not np.isfinite(shares).all():
        return math.nan
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
