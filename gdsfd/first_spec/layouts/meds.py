"""MEDS: one long table of subject_id, time, code and numeric_value, with labels beside it."""

from __future__ import annotations

from gdsfd.first_spec.layouts.layout import Layout, TableHint

__all__ = ["MEDS"]

MEDS = Layout(
    title="MEDS (Medical Event Data Standard)",
    signs=(
        frozenset({"subject_id", "time", "code", "numeric_value"}),
        frozenset({"subject_id", "prediction_time"}),
    ),
    id="subject_id",
    origin=("prediction_time",),
    hours=0,
    notes=(
        'One line stands for such a spec, too: format = "meds" under [cohort], with source (the folder) and labels; '
        "docs/standards.md.",
        "One patient is one label: a subject at a prediction time. Times are counted from the prediction time, so that "
        "everything used lies before it.",
        "Codes of birth and death (MEDS_BIRTH, MEDS_DEATH) are in the table of events; the window keeps later ones "
        "out.",
    ),
    leaks={
        "boolean_value": "a label",
        "integer_value": "a label",
        "float_value": "a label",
        "categorical_value": "a label",
    },
    tables=(
        TableHint(
            frozenset({"subject_id", "time", "code", "numeric_value"}),
            kind="events",
            item="code",
            value="numeric_value",
            time="time",
            where="numeric_value IS NOT NULL",
            note="the rows with a number; those without are codes, and could be a modality of kind codes",
        ),
    ),
)
