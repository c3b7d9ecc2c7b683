"""PhysioNet/CinC Challenge 2012: 48 hours of ICU stays in long form."""

from __future__ import annotations

from gdsfd.first_spec.layouts.layout import Layout

__all__ = ["PHYSIONET2012"]

PHYSIONET2012 = Layout(
    title="PhysioNet/CinC Challenge 2012",
    signs=(frozenset({"RecordID", "Parameter", "Value", "Time"}),),
    id="RecordID",
    environment=("ICUType",),
    groups=("Gender",),
    hours=48,
    notes=(
        "Times are hh:mm since the admission to the ICU, and the export ends after 48 hours.",
        "The variables are one modality here; where = \"Parameter IN ('HR', 'Temp')\" makes modalities of what is "
        "measured "
        "together (examples/physionet2012.toml).",
    ),
    leaks={
        "Length_of_stay": "known at the end of the stay",
        "Survival": "the outcome: days until death",
        "SAPS-I": "a score of the first day made of these measurements: a benchmark, not an input",
        "SOFA": "a score made of these measurements: a benchmark, not an input",
        "In-hospital_death": "the outcome",
    },
)
