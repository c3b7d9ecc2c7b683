r"""The gain of one learner over another inside strata of patients, and whether strata differ by more than chance.

With :math:`d_s` the gain inside stratum s, :math:`e_s` its standard error and :math:`w_s = 1/e_s^2`,

.. math:: Q = \sum_s w_s (d_s - \bar d)^2, \qquad \bar d = \sum_s w_s d_s \big/ \sum_s w_s

which follows :math:`\chi^2` with one degree less than strata where these are independent and all gains are equal.
Outcomes of the same patients are not independent: gains that rise and fall together make Q too small there, never too
large.

References:
    Cochran, Biometrics (1954).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from gdsfd.fusion_study.answer import Material
from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.figures_table import figures_of, mean_over_targets

__all__ = ["Heterogeneity", "cochran_q", "gains_in_strata"]

Floats = NDArray[np.float64]

#: The fewest patients, and of each class, for a gain: in all test parts of a study together.
MIN_PATIENTS, MIN_PER_CLASS = 50, 10
#: At most so many patterns, the most frequent ones.
MOST_PATTERNS = 8


class Heterogeneity(NamedTuple):
    """Cochran's Q.

    Args:
        q: The statistic; NaN with fewer than two strata.
        degrees: Of freedom.
        p: Of no difference between strata.
        share: Of the spread that is not chance (I squared), 0 to 1.
    """

    q: float
    degrees: int
    p: float
    share: float


def cochran_q(values: Floats, errors: Floats) -> Heterogeneity:
    """Whether figures differ by more than their errors.

    Args:
        values: One per stratum; [S].
        errors: Their standard errors; strata without one, or with 0, are left out; [S].

    Example:
        >>> found = cochran_q(np.array([0.0, 0.2]), np.array([0.1, 0.1]))
        >>> round(found.q, 3), found.degrees, round(found.p, 3), round(found.share, 2)
        (2.0, 1, 0.157, 0.5)
    """
    kept = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    own, weights = values[kept], 1 / errors[kept] ** 2
    degrees = len(own) - 1
    if degrees < 1:
        return Heterogeneity(math.nan, max(degrees, 0), math.nan, math.nan)
    q = float(weights @ (own - weights @ own / weights.sum()) ** 2)
    return Heterogeneity(q, degrees, float(chdtrc(degrees, q)), max(0.0, 1 - degrees / q) if q > 0 else 0.0)


def gains_in_strata(material: Material, learner: str, reference: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gains by outcome, environment, third of the reference's risk, and pattern of modalities.

    Args:
        material: The study's.
        learner: Name of a contender.
        reference: Name of another; its risk makes the thirds, inside each seed and target.

    Returns:
        Gains: columns ``by``, ``stratum``, ``patients``, ``events`` (over all test parts), ``gain`` with its ends,
        ``error``, ``verdict``; strata of fewer than 50 patients, or 10 of a class, are "too few". And Cochran's Q of
        each ``by``.
    """
    shown = material.predictions["learner"].isin([learner, reference])
    own = material.predictions[shown & (material.predictions["condition"] == "natural")]
    rows: list[dict[str, Any]] = []
    for by, stratum, part in _parts(own, material, reference):
        one = part[part["learner"] == learner].drop_duplicates(["id", "target"])
        row: dict[str, Any] = {
            "by": by,
            "stratum": stratum,
            "patients": int(one["id"].nunique()),
            "events": int(one["y"].sum()),
        }
        fewest = min(row["events"], len(one) - row["events"])
        if row["patients"] < MIN_PATIENTS or fewest < MIN_PER_CLASS:
            rows.append({**row, "verdict": "too few"})
            continue
        figures = figures_of(part)
        inside = replace(material, predictions=part, figures=figures, means=mean_over_targets(figures))
        found = difference(inside, learner, reference)
        ends = {"gain": found.mean, "gain_low": found.low, "gain_high": found.high, "error": found.error}
        rows.append({**row, **ends, "verdict": found.verdict})
    columns = ["by", "stratum", "patients", "events", "gain", "gain_low", "gain_high", "error", "verdict"]
    table: Any = pd.DataFrame(rows, columns=columns)
    tests = []
    for by, part in table.groupby("by", sort=False):
        found_q = cochran_q(part["gain"].to_numpy(dtype=np.float64), part["error"].to_numpy(dtype=np.float64))
        tests.append({"by": by, "strata": int(part["gain"].notna().sum()), **found_q._asdict()})
    return table, pd.DataFrame(tests, columns=["by", "strata", "q", "degrees", "p", "share"])


def _parts(own: Any, material: Material, reference: str) -> Iterator[tuple[str, str, Any]]:
    """What is divided by, the stratum's name, and its predictions."""
    targets = list(dict.fromkeys(own["target"]))
    for target in targets if len(targets) > 1 else ():
        yield "outcome", str(target), own[own["target"] == target]
    facts = material.patients.set_index("id")
    if "environment" in facts:
        where = own["id"].map(facts["environment"])
        names = sorted(where.dropna().unique())
        for name in names if len(names) > 1 else ():
            yield "environment", str(name), own[where == name]
    risk = own[own["learner"] == reference].copy()
    ranks = risk.groupby(["seed", "target"])["p"].rank(pct=True)
    risk["third"] = np.minimum((ranks * 3).to_numpy(), 2.999).astype(int)
    third = own.merge(risk[["id", "seed", "target", "third"]], on=["id", "seed", "target"], how="left")
    for number, name in enumerate(("lowest third", "middle third", "highest third")):
        yield "risk by the best single modality", name, third[third["third"] == number].drop(columns="third")
    if "pattern" in facts:
        pattern = own["id"].map(facts["pattern"])
        frequent = pattern[own["learner"] == reference].value_counts().index[:MOST_PATTERNS]
        for word in frequent if len(frequent) > 1 else ():
            yield "modalities had", _words(str(word), material.plan.modalities), own[pattern == word]


def _words(pattern: str, modalities: tuple[str, ...]) -> str:
    had = [name for name, each in zip(modalities, pattern, strict=True) if each == "1"]
    return "all" if len(had) == len(modalities) else " + ".join(had) or "none"
