"""A small random cohort for tests: all four kinds of modality, absent ones, repeated people, and signal to learn.

A latent ``severity`` per patient drives the outcome and leaks, with noise, into every modality, so that a model trained
on any of them beats chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import (
    CodeObservations,
    Cohort,
    EmbeddingObservations,
    EventObservations,
    Observations,
    TableObservations,
)
from gdsfd.cohort.receipt.receipt import Receipt, SourceReceipt
from gdsfd.cohort.schema import QUANTILE_LEVELS, CohortSchema, ModalityFields, NumericScale, OutcomeFields

__all__ = ["make_cohort"]

STEPS = 6
ITEMS = ("heart_rate", "lactate", "sodium")
CODES = ("A00", "B11", "C22", "D33", "E44")
LEVELS = ("MICU", "SICU", "CCU")
WIDTH = 4


def make_cohort(
    num_patients: int = 60,
    seed: int = 0,
    outcomes: str = "binary",
    presence: float = 0.7,
    environments: int | None = 3,
    unlabelled: float = 0.05,
    nobody_has: Sequence[str] = (),
    splits: Sequence[str] | None = None,
) -> Cohort:
    """A random cohort.

    Modalities: ``chart`` (table), ``labs`` (events), ``diagnosis`` (codes), ``note`` (embedding) and ``scan`` (a second
    embedding that only training patients have). Every tenth patient (row 3, 13, ...) has nothing at all; about a third
    of the subjects have two patients.

    Args:
        num_patients: Number of patients N; 0 and 1 work.
        seed: Of the generator; equal seeds give equal cohorts.
        outcomes: ``"binary"``, ``"multiclass"`` (three classes) or ``"multilabel"`` (two outcomes).
        presence: Chance that a patient has a modality.
        environments: Number of environments, or None for a cohort that declares none.
        unlabelled: Share of patients without a label.
        nobody_has: Modalities to empty.
        splits: The split of every patient, instead of random ones by subject.
    """
    rng = np.random.default_rng(seed)
    n = num_patients
    subject = np.cumsum(rng.random(n) > 0.3) if n else np.zeros(0, int)  # neighbours in the table share a subject
    severity = rng.normal(size=n)
    environment = None if environments is None else rng.integers(0, environments, n)
    split = _splits(subject, rng) if splits is None else np.array(splits, dtype=object)
    train = split == "train"

    def having(name: str, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        mask = (rng.random(n) < presence) & (np.arange(n) % 10 != 3)
        if allowed is not None:
            mask &= allowed
        if name in nobody_has:
            mask[:] = False
        return np.flatnonzero(mask).astype(np.int64)

    made = [
        _table("chart", having("chart"), severity, train, rng),
        _events("labs", having("labs"), severity, train, rng),
        _codes("diagnosis", having("diagnosis"), severity, train, rng),
        _embedding("note", having("note"), severity, train, rng),
        _embedding("scan", having("scan", train), severity, train, rng),
    ]
    y, outcome_fields = _outcomes(outcomes, severity, unlabelled, rng)
    schema = CohortSchema(
        modalities=tuple(fields for fields, _ in made),
        outcomes=outcome_fields,
        groups=("sex",),
        environment=None if environment is None else "hospital",
    )
    receipt = Receipt(
        cohort=SourceReceipt("cohort", "cohort", ["patients.csv"], n, n, n),
        modalities=[
            SourceReceipt(
                fields.name,
                fields.kind,
                [f"{fields.name}.csv"],
                len(found.patient),
                len(found.patient),
                len(found.patient),
            )
            for fields, found in made
        ],
    )
    return Cohort(
        id=[f"p{row:04d}" for row in range(n)],
        subject=[f"s{person:04d}" for person in subject],
        split=[str(name) for name in split],
        environment=None if environment is None else [f"site {place}" for place in environment],
        groups={"sex": [("F", "M", "Unknown")[pick] for pick in rng.choice(3, n, p=[0.48, 0.48, 0.04])]},
        y=y,
        observations={fields.name: found for fields, found in made},
        schema=schema,
        receipt=receipt,
        spec={"cohort": {"source": "patients.csv", "id": "id"}},
    )


def _splits(subject: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.object_]:
    people = np.unique(subject)
    drawn = rng.choice(np.array(["train", "tuning", "test"], dtype=object), len(people), p=[0.6, 0.15, 0.25])
    drawn[:3] = ["train", "tuning", "test"][: len(people)]  # no split is empty once there are three people
    return drawn[np.searchsorted(people, subject)] if len(subject) else np.zeros(0, dtype=object)


def _outcomes(
    kind: str, severity: NDArray[np.float64], unlabelled: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32] | NDArray[np.int64], tuple[OutcomeFields, ...]]:
    n = len(severity)
    noisy = severity + 0.5 * rng.normal(size=n)
    hidden = rng.random(n) < unlabelled
    if kind == "multiclass":
        classes = np.digitize(noisy, [-0.5, 0.7]).astype(np.int64)
        classes[hidden] = -1
        return classes, (OutcomeFields("stage", "dx", ("CN", "MCI", "AD"), multiclass=True),)
    if kind == "binary":
        columns, names = [noisy > 0.5], ["mortality"]
    elif kind == "multilabel":
        columns, names = [noisy > 0.5, -noisy + 0.5 * rng.normal(size=n) > 0.3], ["mortality", "discharge"]
    else:
        raise ValueError(f"outcomes must be 'binary', 'multiclass' or 'multilabel', got {kind!r}")
    y = np.stack(columns, 1).astype(np.float32) if n else np.zeros((0, len(names)), np.float32)
    y[hidden] = np.nan
    return y, tuple(OutcomeFields(name, name, ("no", "yes")) for name in names)


def _scale(values: NDArray[np.float32]) -> NumericScale:
    seen = values[np.isfinite(values)].astype(np.float64)
    if not len(seen):
        return NumericScale(0, 0.0, 0.0, (0.0,) * len(QUANTILE_LEVELS))
    return NumericScale(
        len(seen), float(seen.mean()), float(seen.std()), tuple(float(q) for q in np.quantile(seen, QUANTILE_LEVELS))
    )


def _ptr(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


Made = tuple[ModalityFields, Observations]


def _table(
    name: str,
    patient: NDArray[np.int64],
    severity: NDArray[np.float64],
    train: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Made:
    e = len(patient)
    numeric = np.stack(
        [
            60 + 15 * rng.normal(size=e),
            120 - 12 * severity[patient] + 8 * rng.normal(size=e),
            np.exp(rng.normal(size=e)),
        ],
        1,
    ).astype(np.float32)
    numeric[rng.random((e, 3)) < 0.15] = np.nan
    unit = np.where(severity[patient] > 0.8, 2, rng.integers(2, 2 + len(LEVELS), e))
    unit[rng.random(e) < 0.1] = 0
    alive = rng.integers(0, 4, e)  # 0 = missing, 1 = unseen in train, 2 and 3 = its two levels
    in_train = train[patient]
    alive[in_train & (alive == 1)] = 2
    fields = ModalityFields(
        name,
        "table",
        numeric=("age", "pressure", "creatinine"),
        categorical=("unit", "ward"),
        levels=(LEVELS, ("east", "west")),
        scales=tuple(_scale(numeric[in_train, column]) for column in range(3)),
    )
    return fields, TableObservations(patient, numeric, np.stack([unit, alive], 1).astype(np.int64))


def _events(
    name: str,
    patient: NDArray[np.int64],
    severity: NDArray[np.float64],
    train: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Made:
    centre, gain = np.array([85.0, 1.5, 140.0]), np.array([12.0, 0.8, 0.0])
    step, item, value, summary_item, summary = [], [], [], [], []
    lengths, summary_lengths = [], []
    for row in patient:
        seen = rng.random((STEPS, len(ITEMS))) < 0.5
        if not seen.any():
            seen[0, 0] = True
        steps, items = np.nonzero(seen)
        level = centre + gain * (severity[row] + 0.6 * rng.normal())  # not so clear that it would count as a leak
        values = level[items] + np.array([3.0, 0.3, 1.2])[items] * rng.normal(size=len(items))
        step.append(steps)
        item.append(items)
        value.append(values)
        lengths.append(len(items))
        present = np.unique(items)
        for one in present:
            own = values[items == one]
            summary.append([len(own), own.mean(), own.min(), own.max(), own[0], own[-1]])
        summary_item.append(present)
        summary_lengths.append(len(present))

    def joined(parts: list[NDArray[np.int64]], dtype: type) -> NDArray:
        return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)

    found = EventObservations(
        patient,
        _ptr(np.array(lengths, np.int64)),
        joined(step, np.int32),
        joined(item, np.int32),
        joined(value, np.float32),
        _ptr(np.array(summary_lengths, np.int64)),
        joined(summary_item, np.int32),
        np.array(summary, np.float32).reshape(-1, 6),
    )
    in_train = np.repeat(train[patient], lengths) if len(patient) else np.zeros(0, bool)
    fields = ModalityFields(
        name,
        "events",
        items=ITEMS,
        steps=STEPS,
        bin_minutes=60.0,
        window=(0.0, 60.0 * STEPS),
        scales=tuple(_scale(found.value[in_train & (found.item == one)]) for one in range(len(ITEMS))),
    )
    return fields, found


def _codes(
    name: str,
    patient: NDArray[np.int64],
    severity: NDArray[np.float64],
    train: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Made:
    chance = np.full((len(patient), len(CODES) + 2), 0.25)
    chance[:, 1] = 0.05  # blank codes are rare
    chance[:, 3] = 1 / (1 + np.exp(-2 * severity[patient]))
    has = rng.random(chance.shape) < chance
    has[~has.any(1), 2] = True
    edge, code = np.nonzero(has)
    counts = (
        np.bincount(code[train[patient[edge]] & (code >= 2)] - 2, minlength=len(CODES))
        if len(patient)
        else [0] * len(CODES)
    )
    fields = ModalityFields(name, "codes", codes=CODES, code_counts=tuple(int(count) for count in counts))
    return fields, CodeObservations(patient, _ptr(has.sum(1)), code.astype(np.int32))


def _embedding(
    name: str,
    patient: NDArray[np.int64],
    severity: NDArray[np.float64],
    train: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Made:
    vector = rng.normal(size=(len(patient), WIDTH)).astype(np.float32)
    vector[:, 0] += severity[patient]
    in_train = train[patient]
    fields = ModalityFields(
        name, "embedding", width=WIDTH, scales=tuple(_scale(vector[in_train, at]) for at in range(WIDTH))
    )
    return fields, EmbeddingObservations(patient, vector)
