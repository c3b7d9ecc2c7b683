"""The answer to one question of a study: sentences by rules, tables, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from gdsfd.fusion_study.plan import QUESTIONS, StudyPlan

__all__ = ["Answer", "Material", "signed"]


@dataclass(frozen=True)
class Material:
    """What questions look at; all of it is read from the study's folder.

    Args:
        plan: The plan.
        predictions: See :func:`gdsfd.fusion_study.figures_table.read_predictions`.
        figures: :func:`gdsfd.fusion_study.figures_table.figures_of` of them.
        means: :func:`gdsfd.fusion_study.figures_table.mean_over_targets` of these.
        patients: See :func:`gdsfd.fusion_study.figures_table.patients_of`.
        fits: Facts of the fits.
        left_out: Predictions of patients of environments that were left out in training, with ``holdout``; or None.
        left_out_fits: Facts of those fits.
    """

    plan: StudyPlan
    predictions: pd.DataFrame
    figures: pd.DataFrame
    means: pd.DataFrame
    patients: pd.DataFrame
    fits: list[dict[str, Any]]
    left_out: pd.DataFrame | None = None
    left_out_fits: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sizes(self) -> tuple[int, int]:
        """Training and test patients of a fit, on average."""
        train, test = (round(sum(each[key] for each in self.fits) / len(self.fits)) for key in ("train", "test"))
        return train, test

    @cached_property
    def one_split(self) -> bool:
        """Whether every seed judges the same patients: seeds then only draw weights."""
        tested = [frozenset(own) for _, own in self.predictions.groupby("seed")["id"].unique().items()]
        return len(set(tested)) == 1

    def by_seed(self, learner: str, condition: str = "natural", figure: str = "auroc") -> list[float]:
        """A learner's figure for each seed of the plan, the mean over targets; NaN where it was not fitted."""
        own = self.means[(self.means["learner"] == learner) & (self.means["condition"] == condition)]
        found = dict(zip(own["seed"], own[figure], strict=True))
        return [float(found.get(seed, float("nan"))) for seed in self.plan.seeds]


@dataclass(frozen=True)
class Answer:
    """One answer.

    Args:
        number: Of the question.
        sentences: Two, or a few; every figure in them stands in a table.
        tables: Name -> table.
        figures: Name -> SVG.
        facts: What the sentences were made from, JSON-able.
    """

    number: int
    sentences: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """What was asked."""
        return QUESTIONS[self.number]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"question": self.question, "sentences": list(self.sentences), "facts": dict(self.facts)}


def signed(value: float, low: float, high: float) -> str:
    """A difference with its interval: ``+.012 [+.004, +.020]``; without one the difference alone."""
    short = [f"{each:+.3f}".replace("0.", ".", 1) for each in (value, low, high)]
    return short[0] if low != low else f"{short[0]} [{short[1]}, {short[2]}]"
