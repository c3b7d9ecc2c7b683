"""Whose patients are judged, and whether the model has seen them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.keys.key_forms import NearKeys
from gdsfd.cohort.patients.split import NEW
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.evaluation.targets import rows_of_split, target_names
from gdsfd.training.run_record.run_record import RunRecord

__all__ = ["Judged", "JudgedPopulation", "TrainingPatientsRule", "check_rivals", "whom_to_judge"]

#: What to do with patients whose id the model has seen.
TrainingPatientsRule = Literal["refuse", "drop", "other people"]
RULES: tuple[str, ...] = ("refuse", "drop", "other people")

#: Stands in the place of the split of patients that are left out.
_DROPPED = "left out: seen in training"

Kind = Literal["new", "held out", "training", "tuning", "unknown"]


@dataclass(frozen=True)
class JudgedPopulation:
    """The patients of one split.

    Args:
        split: Its name.
        kind: ``new`` (another cohort than the one trained on), ``held out`` (of that cohort, but not seen),
            ``training`` or ``tuning`` (seen), ``unknown`` (the model keeps no record of whom it has seen).
        patients: How many are judged.
        subjects: How many persons they are.
        source: Names of the cohort's files.
        of_cohort: All patients of the graph.
        environment: What the environment is, or nothing.
        environments: Environment -> patients judged, the largest first; empty where none is declared.
        in_training: Those environments that training patients have; None where that is not known.
        same_values: Patients judged who have the very same numbers as one the model has seen, under whatever id.
        near_training: Of the others those that differ from one of training's in case, blanks or zeros only -> that one.
        train: Training patients of the run, 0 where it keeps no record.
        tuning: Its tuning patients.
        checked_by: ``id and person``, ``id``, or nothing: what hashes of the run's patients were compared with.
        same_ids: Patients judged whose ids the run has seen, declared to be other people.
        dropped: Patients left out because the model has seen them.
        tuning_outcomes: Target -> the run's tuning patients with it, and those of them with a known label; empty where
            the run keeps no such record.
        tuning_persons: How many persons its tuning patients are; 0 where the run keeps no record.
    """

    split: str
    kind: Kind
    patients: int
    subjects: int
    source: tuple[str, ...]
    of_cohort: int
    environment: str = ""
    environments: dict[str, int] = field(default_factory=dict)
    in_training: tuple[str, ...] | None = None
    train: int = 0
    tuning: int = 0
    checked_by: str = ""
    same_ids: int = 0
    dropped: int = 0
    tuning_outcomes: dict[str, tuple[int, int]] = field(default_factory=dict)
    tuning_persons: int = 0
    near_training: dict[str, str] = field(default_factory=dict)
    same_values: int = 0


@dataclass(frozen=True)
class Judged:
    """What is judged.

    Args:
        graph: The graph; where splits had to be put right, a view of it with other names of splits.
        splits: Names of the splits to judge.
        populations: One per split.
        own: Whether this is the cohort the model was trained on.
    """

    graph: Any
    splits: tuple[str, ...]
    populations: tuple[JudgedPopulation, ...]
    own: bool


def whom_to_judge(
    model: Any, graph: Any, split: str | Sequence[str] | None, training_patients: TrainingPatientsRule = "refuse"
) -> Judged:
    """Finds out which patients are meant and whether they may be judged.

    Args:
        model: Any model; a ``Debiaser`` keeps hashes of whom it has seen.
        graph: The graph.
        split: A split's name, or several. None: of the cohort that the model was trained on ``test``; of any other all
            patients, as the one evaluation set ``new``.
        training_patients: ``refuse`` to judge patients that the model has seen where they do not stand under ``train``
            or ``tuning``; ``drop`` them; or judge them as ``other people`` who happen to have the same ids.

    Raises:
        InputError: No such split, or patients among them whom the model has seen.
    """
    if training_patients not in RULES:
        raise InputError(f"training_patients: expected one of {', '.join(map(repr, RULES))}, got {training_patients!r}")
    record: RunRecord | None = getattr(model, "record", None)
    names = np.asarray(graph["patient"].split, dtype=object).astype(str)
    roles = record.patients.roles(graph) if record is not None else np.full(len(names), "")
    own = _own(graph, names, roles, record)
    asked = [split] if isinstance(split, str) else list(split) if split is not None else []
    if split is not None and (not asked or len(set(asked)) < len(asked)):
        raise InputError(f"split: expected one or several different names, got {split!r}")
    if not own:  # nobody here was trained on, whatever a split column calls them
        everybody = not asked or (asked == [NEW] and NEW not in names)
        renamed = [NEW if everybody else _not_trained_on(name) for name in names.tolist()]
        asked = [NEW] if everybody else [_not_trained_on(name) for name in asked]
    else:
        renamed, asked = names.tolist(), asked or ["test"]
    view = graph if renamed == names.tolist() else _with_splits(graph, renamed)
    found = []
    for name in asked:
        rows = rows_of_split(view, name)
        seen = rows[roles[rows] != ""]
        dropped = 0
        if len(seen) and not (own and name in ("train", "tuning")):
            if training_patients == "refuse":
                raise InputError(_refusal(name, len(rows), roles[seen]))
            if training_patients == "drop":
                dropped = len(seen)
                if dropped == len(rows):
                    raise InputError(f"split {name!r}: the model has seen all of its {len(rows)} patients in training")
                for row in seen:
                    renamed[row] = _DROPPED
                view = _with_splits(graph, renamed)
        found.append((name, dropped))
    values = record.values if record is not None else None
    alike = values.seen(graph) if values is not None and _same_layout(model, graph) else np.zeros(len(names), bool)
    populations = [_population(view, name, roles, alike, own, record, dropped) for name, dropped in found]
    return Judged(view, tuple(asked), tuple(populations), own)


def check_rivals(judged: Judged, rivals: Mapping[str, Any], training_patients: TrainingPatientsRule = "refuse") -> None:
    """Refuses models beside the one judged that were trained on the patients judged: as good as they look, or better.

    Args:
        judged: Whom :func:`whom_to_judge` found.
        rivals: Name -> model; those that keep no record are passed over.
        training_patients: As in :func:`whom_to_judge`; patients are dropped for the model judged alone.

    Raises:
        InputError: Names the model and the split.
    """
    for name, rival in rivals.items():
        record: RunRecord | None = getattr(rival, "record", None)
        if record is None or training_patients == "other people":
            continue
        roles = record.patients.roles(judged.graph)
        for population in judged.populations:
            rows = rows_of_split(judged.graph, population.split)
            seen = int((roles[rows] != "").sum())
            if seen and population.kind not in ("training", "tuning"):
                raise InputError(
                    f"baselines: {name!r} has seen {seen:,} of the {len(rows):,} patients of split "
                    f"{population.split!r} in training, by the ids of them or of the persons they belong to, and would "
                    "look better than it is. Compare models that were trained on one split, or judge patients that "
                    "none of them has seen; if they are other people who happen to have the same ids, say so "
                    "(training_patients='other people')"
                )


def _same_layout(model: Any, graph: Any) -> bool:
    """Whether the graph was read as the model's was; of any other the model says so itself, when it is asked."""
    return getattr(model, "schema", None) is not None and model.schema.modalities == graph.schema.modalities


def _own(graph: Any, names: NDArray[np.str_], roles: NDArray[np.str_], record: RunRecord | None) -> bool:
    """Whether the graph is that of the cohort trained on."""
    receipt = graph.receipt if "receipt" in graph else None
    if receipt is not None and receipt.new:
        return False
    if record is None:
        return True
    return bool(((names == "train") & (roles == "train")).any())


def _not_trained_on(name: str) -> str:
    return f"{name} (new patients)" if name in ("train", "tuning") else name


def _with_splits(graph: Any, names: Sequence[str]) -> Any:
    """The graph with other names of splits; everything else is shared."""
    view = copy.copy(graph)
    view["patient"].split = list(names)
    return view


def _refusal(split: str, patients: int, roles: NDArray[np.str_]) -> str:
    trained = int((roles == "train").sum())
    parts = [f"{trained} it was trained on"] if trained else []
    if trained < len(roles):
        parts.append(f"{len(roles) - trained} its epoch and threshold were chosen on")
    return (
        f"split {split!r}: the model has seen {len(roles)} of these {patients} patients before ({', '.join(parts)}), "
        "by the ids of them or of the persons they belong to, so figures on them say nothing of new patients. Judge "
        "others; leave these out (training_patients='drop', --training-patients drop); or, if they are other people "
        "who happen to have the same ids, say so (training_patients='other people', --training-patients other-people)"
    )


def _population(
    graph: Any,
    split: str,
    roles: NDArray[np.str_],
    alike: NDArray[np.bool_],
    own: bool,
    record: RunRecord | None,
    dropped: int,
) -> JudgedPopulation:
    patient, rows = graph["patient"], rows_of_split(graph, split)
    receipt = graph.receipt if "receipt" in graph else None
    environment = patient.get("environment")
    inside = Counter(str(environment[int(row)]) for row in rows) if environment is not None else Counter()
    trained = set(record.cohort.get("environments", ())) if record is not None else set()
    kind: Kind = "new"
    if own:
        named: dict[str, Kind] = {"train": "training", "tuning": "tuning"}
        kind = named.get(split, "unknown" if record is None else "held out")
    splits = record.cohort.get("splits", {}) if record is not None else {}
    near = NearKeys(sorted(trained)).pairs(set(inside) - trained) if inside and trained else []
    return JudgedPopulation(
        split=split,
        kind=kind,
        patients=len(rows),
        subjects=len({str(patient.subject[int(row)]) for row in rows}),
        source=tuple(Path(str(name)).name for name in receipt.cohort.source) if receipt is not None else (),
        of_cohort=len(patient.id),
        environment=str(graph.schema.environment or "") if environment is not None else "",
        environments=dict(sorted(inside.items(), key=lambda pair: (-pair[1], pair[0]))),
        in_training=tuple(sorted(set(inside) & trained)) if record is not None and inside and trained else None,
        train=int(splits.get("train", 0)),
        tuning=int(splits.get("tuning", 0)),
        checked_by=record.patients.compares(graph) if record is not None else "",
        same_ids=0 if kind in ("training", "tuning") else int((roles[rows] != "").sum()),
        dropped=dropped,
        tuning_outcomes=_tuning_outcomes(record, graph.schema) if record is not None else {},
        near_training=dict(near),
        same_values=0 if kind in ("training", "tuning") else int(alike[rows].sum()),
        tuning_persons=len(record.patients.hashes.get(("tuning", "subject"), ())) if record is not None else 0,
    )


def _tuning_outcomes(record: RunRecord, schema: CohortSchema) -> dict[str, tuple[int, int]]:
    """Of each target the tuning patients who have it, and those with a known label: the labels of conformal scores."""
    kept = next(iter(record.conformal.values()), None)
    if kept is None:
        return {}
    names = target_names(schema)
    if schema.multiclass:
        return {name: (int((kept.labels[0] == k).sum()), len(kept.labels[0])) for k, name in enumerate(names)}
    return {name: (int((own == 1).sum()), len(own)) for name, own in zip(names, kept.labels, strict=True)}
