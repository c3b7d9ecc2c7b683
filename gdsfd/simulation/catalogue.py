"""The modalities a simulated cohort can have: their files, columns and roles.

Every column, item, code or vector component has one role. *Causal* content follows the outcome, *biased* content
follows the care practice U, *noise* follows nothing. A modality that is not asked to carry bias keeps its biased
columns, but they are noise there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ANCHOR_CODE", "CATALOGUE", "Feature", "Modality", "Role"]

Role = Literal["causal", "biased", "noise"]

#: A code that every patient with a history has, so that the record is never empty.
ANCHOR_CODE = "Z00.0"


@dataclass(frozen=True)
class Feature:
    """One column, event item, code or vector component.

    Args:
        name: Its name in the file.
        role: What it follows.
        centre: Mean in the file's unit; for codes the prevalence.
        spread: Standard deviation in the file's unit; unused for codes.
        decimals: Digits after the point in the file.
        sign: 1: higher with the outcome (or practice 1), -1: lower.
    """

    name: str
    role: Role
    centre: float = 0.0
    spread: float = 1.0
    decimals: int = 4
    sign: int = 1


@dataclass(frozen=True)
class Modality:
    """One export file.

    Args:
        name: The modality's name.
        kind: As in the spec: ``table``, ``events``, ``codes`` or ``embedding``.
        file: File name.
        features: Its columns, items, codes or components. The first one is measured whenever the modality is present.
        missing: Share of patients without it, by default.
        levels: Categorical columns (all noise) and their levels (``table``).
    """

    name: str
    kind: Literal["table", "events", "codes", "embedding"]
    file: str
    features: tuple[Feature, ...]
    missing: float
    levels: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _components(causal: int, biased: int, noise: int) -> tuple[Feature, ...]:
    """Vector components, roles interleaved so that position says nothing."""
    roles: list[Role] = []
    left: dict[Role, int] = {"noise": noise, "causal": causal, "biased": biased}
    while any(left.values()):
        for role in ("noise", "causal", "biased"):
            if left[role]:
                roles.append(role)
                left[role] -= 1
    return tuple(Feature(f"e_{position:02d}", role) for position, role in enumerate(roles))


_LABS = Modality(
    "labs",
    "events",
    "labs.csv.gz",
    (
        Feature("sodium", "noise", 139.0, 3.0, 0),
        Feature("lactate", "causal", 3.2, 0.6, 1),
        Feature("creatinine", "causal", 1.6, 0.3, 2),
        Feature("bilirubin", "causal", 1.4, 0.25, 2),
        Feature("platelets", "causal", 230.0, 45.0, 0, -1),
        Feature("crp_rapid", "biased", 60.0, 11.0, 0),
        Feature("glucose_bedside", "biased", 8.1, 1.4, 1),
        Feature("ddimer_rapid", "biased", 2.4, 0.45, 2, -1),
        Feature("potassium", "noise", 4.2, 0.4, 1),
        Feature("haemoglobin", "noise", 11.9, 1.5, 1),
    ),
    missing=0.05,
)

_IMAGING = Modality("imaging", "embedding", "imaging.parquet", _components(causal=6, biased=6, noise=12), missing=0.35)

_VITALS = Modality(
    "vitals",
    "events",
    "vitals.parquet",
    (
        Feature("heart_rate", "causal", 92.0, 13.0, 0),
        Feature("systolic", "causal", 118.0, 16.0, 0, -1),
        Feature("resp_rate", "causal", 20.0, 3.5, 0),
        Feature("cuff_pressure", "biased", 26.0, 3.0, 0),
        Feature("spo2", "noise", 95.0, 1.3, 0),
        Feature("temperature", "noise", 37.1, 0.5, 1),
    ),
    missing=0.05,
)

_HISTORY = Modality(
    "history",
    "codes",
    "history.csv",
    (
        Feature("I50.9", "causal", 0.25),
        Feature("N18.3", "causal", 0.2),
        Feature("J44.9", "causal", 0.2),
        Feature("K74.6", "causal", 0.15),
        Feature("E78.5", "causal", 0.3, sign=-1),
        Feature("Z53.9", "biased", 0.3),
        Feature("Z71.3", "biased", 0.25),
        Feature("R69", "biased", 0.2, sign=-1),
        Feature("M54.5", "noise", 0.2),
        Feature("H25.9", "noise", 0.1),
        Feature("F41.9", "noise", 0.12),
        Feature("L40.0", "noise", 0.02),
        Feature("Q61.2", "noise", 0.0008),
    ),
    missing=0.1,
)

_DEMOGRAPHICS = Modality(
    "demographics",
    "table",
    "demographics.csv",
    (
        Feature("age", "causal", 64.0, 12.0, 0),
        Feature("frailty_score", "causal", 5.0, 1.4, 1),
        Feature("referral_km", "biased", 31.0, 7.0, 1),
        Feature("bmi", "noise", 27.0, 4.0, 1),
    ),
    missing=0.0,
    levels=(("smoker", ("never", "former", "current")), ("insurance", ("public", "private", "none"))),
)

_MEDICATIONS = Modality(
    "medications",
    "codes",
    "medications.csv",
    (
        Feature("paracetamol", "noise", 0.6),
        Feature("norepinephrine", "causal", 0.2),
        Feature("furosemide", "causal", 0.3),
        Feature("hydrocortisone", "causal", 0.15),
        Feature("metformin", "causal", 0.2, sign=-1),
        Feature("pantoprazole protocol", "biased", 0.5),
        Feature("heparin protocol", "biased", 0.4),
        Feature("ondansetron", "noise", 0.3),
        Feature("magnesium", "noise", 0.25),
    ),
    missing=0.15,
)

_ECG = Modality(
    "ecg",
    "table",
    "ecg.csv",
    (
        Feature("pr_ms", "noise", 162.0, 20.0, 0),
        Feature("qrs_ms", "causal", 102.0, 12.0, 0),
        Feature("qtc_ms", "causal", 440.0, 24.0, 0),
        Feature("st_deviation_mv", "causal", -0.02, 0.06, 3, -1),
        Feature("filter_hz", "biased", 110.0, 14.0, 0),
        Feature("axis_degrees", "noise", 35.0, 30.0, 0),
    ),
    missing=0.3,
    levels=(("rhythm", ("sinus", "atrial fibrillation", "paced")),),
)

_NOTES = Modality("notes", "embedding", "notes.parquet", _components(causal=4, biased=4, noise=8), missing=0.25)

#: Modality name -> modality, in the order in which ``modalities = K`` takes them.
CATALOGUE: dict[str, Modality] = {
    modality.name: modality
    for modality in (_LABS, _IMAGING, _VITALS, _HISTORY, _DEMOGRAPHICS, _MEDICATIONS, _ECG, _NOTES)
}
