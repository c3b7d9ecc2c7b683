"""A study's plan: what will be fitted and judged, written down and hashed before anything is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdsfd.comparison.statistics import MARGIN
from gdsfd.file_digest import digest_of_json
from gdsfd.fusion_study.contenders import Contender, restricted

__all__ = ["FULL_LEARNERS", "QUESTIONS", "QUICK_LEARNERS", "StudyPlan"]

#: Number of a question -> what it asks.
QUESTIONS = {
    1: "When does fusion help?",
    2: "Which fusion?",
    3: "How robust against missing modalities?",
    4: "How fair?",
}
#: What ``--quick`` fits: the additive control, concatenation, and three ways to mix.
QUICK_LEARNERS = ("late:fusion=sum", "concat", "mmtm", "muse", "multimodn")
FULL_LEARNERS = (
    *QUICK_LEARNERS,
    "late:fusion=mean",
    "grape",
    "daft",
    "medfuse",
    "mt",
    "umse",
    "m3care",
    "shaspec",
    "cmae",
)
BASELINES = ("boosting", "logistic")


@dataclass(frozen=True)
class StudyPlan:
    """What a study will do.

    Args:
        contenders: What is fitted on all modalities.
        modalities: Names of the cohort's modalities, in its order.
        seeds: Each draws a split (of a spec) and initial weights.
        questions: Numbers of :data:`QUESTIONS`.
        rates: Rates at which test patients' modalities are hidden at random.
        groups: Attributes of question 4.
        sensitivity: Share of tuning patients with the outcome whom thresholds find.
        margin: Difference in AUROC that counts as none.
        patients: Most patients that take part; None = all.
        settings: Training settings, the same for all learners.
        data: Design -> hashes of what it is made from.
    """

    contenders: tuple[Contender, ...]
    modalities: tuple[str, ...]
    seeds: tuple[int, ...]
    questions: tuple[int, ...] = (1, 2, 3, 4)
    rates: tuple[float, ...] = (0.2, 0.5, 0.8)
    groups: tuple[str, ...] = ()
    sensitivity: float = 0.8
    margin: float = MARGIN
    patients: int | None = None
    settings: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None

    @property
    def fits(self) -> tuple[Contender, ...]:
        """Everything that is fitted for each seed."""
        more: Sequence[Contender] = restricted(self.modalities) if 1 in self.questions else ()
        return (*self.contenders, *more)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Under which whole contenders predict the test patients, as they come first."""
        if 3 not in self.questions:
            return ("natural",)
        names = [f"random {rate:g}" for rate in self.rates]
        if len(self.modalities) > 1:
            names += [f"without {name}" for name in self.modalities] + [f"only {name}" for name in self.modalities]
        return ("natural", *names)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        told = {**vars(self), "contenders": [each.to_dict() for each in self.contenders]}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items()}

    @property
    def hash(self) -> str:
        """Of everything above, hexadecimal."""
        return digest_of_json(self.to_dict())
