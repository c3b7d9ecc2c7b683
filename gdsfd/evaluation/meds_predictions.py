"""Predictions as MEDS-Evaluation reads them: who, when, what was true, what was predicted."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from torch_geometric.data import HeteroData

from gdsfd.baselines.labels import labels_of, target_names, task_of
from gdsfd.errors import InputError, near_names, shown
from gdsfd.evaluation.report.fixed_settings import kept_rules
from gdsfd.graph.loader import rows_of
from gdsfd.training.run_record.tuned_rules import SENSITIVITIES

__all__ = ["MEDS_PREDICTIONS", "meds_predictions"]

_log = logging.getLogger(__name__)

#: The schema of MEDS-Evaluation 0.0.6; ``boolean_value`` may be left out, and has no gaps where it is there.
MEDS_PREDICTIONS = pa.schema(
    [
        pa.field("subject_id", pa.int64(), nullable=False),
        pa.field("prediction_time", pa.timestamp("us"), nullable=False),
        pa.field("boolean_value", pa.bool_(), nullable=False),
        pa.field("predicted_boolean_value", pa.bool_()),
        pa.field("predicted_boolean_probability", pa.float32()),
    ]
)


def meds_predictions(
    model: Any,
    graph: HeteroData,
    split: str | Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    *,
    outcome: str | None = None,
    sensitivity: float = 0.8,
) -> pa.Table:
    """A model's predictions in the schema of MEDS-Evaluation.

    ``subject_id`` and ``prediction_time`` are read from the patients' ids, ``<subject_id>@<prediction_time>``: those of
    a graph from ``format = "meds"`` or ``"omop"`` are such, and any spec can derive them. The predicted value is true
    from the threshold that was fixed on the training cohort's tuning patients; without one the column is left out. The
    schema has no place for an unknown label: patients without one are left out (the logger says how many), and where
    nobody has one the column of labels is.

    Args:
        model: A trained ``Debiaser``.
        graph: The patients.
        split: A split's name, or several; None with ``ids=None`` = all patients.
        ids: Patient ids, instead of a split.
        outcome: Which outcome; of several classes ``"<outcome>: <class>"``. Default: the only one.
        sensitivity: Of the threshold on tuning patients; those kept are listed in
            :data:`~gdsfd.training.run_record.tuned_rules.SENSITIVITIES`.

    Returns:
        One row per patient, of the types that the schema asks for.

    Raises:
        InputError: Several outcomes and none named, an id that is not of the form above, or a sensitivity that no
            threshold was kept for.

    Example:
        >>> table = meds_predictions(model, graph, split="test")  # doctest: +SKIP
        >>> pq.write_table(table, "predictions.parquet")  # doctest: +SKIP
    """
    if graph.schema.survival is not None:
        raise InputError("MEDS-Evaluation judges a yes or no; a time to an event has none")
    place = _target(graph, outcome)
    rows = rows_of(graph, split, ids).numpy()
    people, moments = _people_and_moments([graph["patient"].id[row] for row in rows])
    probability = np.asarray(model.predict_proba(graph, split=split, ids=ids))
    risk = probability[:, 1 if task_of(graph.schema) == "binary" else place]
    columns: dict[str, Any] = {"subject_id": people, "prediction_time": moments}
    label = labels_of(graph, rows)[:, place]
    known = np.isfinite(label)
    if known.any():
        columns["boolean_value"] = label == 1
    threshold = _threshold(model, place, sensitivity)
    if threshold is not None:
        columns["predicted_boolean_value"] = risk >= threshold
    columns["predicted_boolean_probability"] = risk.astype(np.float32)
    schema = pa.schema([MEDS_PREDICTIONS.field(name) for name in columns])
    table = pa.table({name: pa.array(cells, schema.field(name).type) for name, cells in columns.items()}, schema)
    if known.any() and not known.all():
        _log.warning("%d of %d patients have no label and are left out", int((~known).sum()), len(known))
        table = table.filter(pa.array(known))
    return table


def _target(graph: HeteroData, outcome: str | None) -> int:
    names = target_names(graph.schema)
    if outcome is None and len(names) == 1:
        return 0
    if outcome is None:
        raise InputError(f"MEDS-Evaluation judges one yes or no at a time: name the outcome, one of {shown(names, 12)}")
    if outcome not in names:
        raise InputError(f"outcome: expected one of the model's, got {outcome!r}.{near_names(outcome, names)}")
    return names.index(outcome)


def _people_and_moments(ids: Sequence[str]) -> tuple[list[int], list[datetime]]:
    people, moments, wrong = [], [], []
    for own in ids:
        person, _, moment = own.rpartition("@")
        try:
            number, when = int(person), datetime.fromisoformat(moment)
            if not -(1 << 63) <= number < 1 << 63 or when.tzinfo is not None:
                raise ValueError
        except ValueError:
            wrong.append(own)
            continue
        people.append(number)
        moments.append(when)
    if wrong:
        raise InputError(
            f"{len(wrong)} patients have ids that do not say who and when, such as {shown(wrong, 3)}; expected "
            "<subject_id>@<prediction_time>, '4711@2150-03-04 08:00:00', a whole number and a time without a zone. "
            "A spec with format = 'meds' or 'omop' makes them; in another, derive the id: derive = {who_when = "
            "\"CAST(subject_id AS VARCHAR) || '@' || CAST(prediction_time AS VARCHAR)\"}"
        )
    return people, moments


def _threshold(model: Any, place: int, sensitivity: float) -> float | None:
    rules = kept_rules(model, "model", None)
    if rules is None:
        return None
    points = rules.at(sensitivity)
    if points is None:
        kept = ", ".join(map(str, SENSITIVITIES))
        raise InputError(f"sensitivity: the run keeps no threshold for {sensitivity:g}; kept are {kept}")
    return None if math.isnan(points[place].threshold) else points[place].threshold
