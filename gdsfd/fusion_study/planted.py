r"""Cohorts whose answer is known, written as exports with a spec: whether a study finds what was put in.

Every patient has three modalities of two standard normal columns each, and a sex that tells nothing; a is the first
column of ``labs``, b of ``imaging``, and ``notes`` is noise. The log-odds of the outcome are

===========================  ======================================================================================
``interaction``              :math:`3 a b`: neither modality tells anything alone
``additive``                 :math:`1.2 a + 1.2 b`: no learner can gain by more than adding
``useless``                  :math:`1.2 a + 1.2 b`, and ``notes`` is what would be missed if it were left out
``linked missingness``       :math:`1.2 a + 0.5 b`: for conditions that hide ``imaging`` in one class
===========================  ======================================================================================

Our formulation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from gdsfd.errors import InputError, near_names

__all__ = ["PLANTED", "log_odds_of", "write_planted"]

Floats = NDArray[np.float64]

#: Name of a cohort -> what a and b weigh, and what their product weighs.
PLANTED: dict[str, tuple[float, float, float]] = {
    "interaction": (0.0, 0.0, 3.0),
    "additive": (1.2, 1.2, 0.0),
    "useless": (1.2, 1.2, 0.0),
    "linked missingness": (1.2, 0.5, 0.0),
}
_COLUMNS = {"labs": ["lactate", "sodium"], "notes": ["length", "tone"], "imaging": ["lesion", "contrast"]}


def log_odds_of(kind: str, a: Floats, b: Floats) -> Floats:
    """Log-odds of the outcome.

    Args:
        kind: A name of :data:`PLANTED`.
        a: First column of ``labs``; [n].
        b: First column of ``imaging``; [n].

    Raises:
        InputError: No such cohort.
    """
    if kind not in PLANTED:
        raise InputError(f"planted: no cohort {kind!r}.{near_names(kind, PLANTED)}")
    first, second, both = PLANTED[kind]
    return first * a + second * b + both * a * b


def write_planted(folder: str | Path, kind: str, patients: int = 2000, seed: int = 0) -> Path:
    """Writes a cohort.

    Args:
        folder: For ``patients.csv`` and ``spec.toml``; made where it is not there.
        kind: A name of :data:`PLANTED`.
        patients: How many.
        seed: Of the draw.

    Returns:
        The spec.
    """
    folder = Path(folder)
    random = np.random.default_rng([seed, list(PLANTED).index(kind) if kind in PLANTED else 0])
    columns = {name: random.normal(size=patients) for own in _COLUMNS.values() for name in own}
    odds = log_odds_of(kind, columns["lactate"], columns["lesion"])
    table = pd.DataFrame({"id": [f"P{number:05d}" for number in range(patients)], **columns})
    table["sex"] = np.where(np.arange(patients) % 2, "female", "male")
    table["ill"] = (random.random(patients) < expit(odds)).astype(int)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "patients.csv", index=False)
    parts = [
        '[cohort]\nsource = "patients.csv"\nid = "id"\ngroups = ["sex"]\n',
        '[outcome]\nname = "ill"\ncolumn = "ill"\npositive = 1\nnegative = 0\n',
        '[split]\nkind = "subject"\nfractions = [0.6, 0.15, 0.25]\nseed = 0\n',
    ]
    for name, own in _COLUMNS.items():
        listed = ", ".join(f'"{column}"' for column in own)
        parts.append(f'[[modality]]\nname = "{name}"\nkind = "table"\nsource = "patients.csv"\nid = "id"\n')
        parts[-1] += f"columns = [{listed}]\n"
    spec = folder / "spec.toml"
    spec.write_text("\n".join(parts), encoding="utf-8")
    return spec
