"""A study's plan: what will be fitted and judged, written down and hashed before anything is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gdsfd.comparison.statistics import MARGIN
from gdsfd.file_digest import digest_of_json
from gdsfd.fusion_study.conditions import FLIPPED
from gdsfd.fusion_study.contenders import PRESENCE, Contender, restricted, trained_under
from gdsfd.fusion_study.retrained import MOST_RETRAINED, hidden_sets, more_sets, on_shares, placebo_fits, subset_model

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
        seeds: Each draws a split (of a spec) and initial weights. With folds, seed ``s`` and fold ``f`` make number
            ``s * folds + f``.
        questions: Numbers of :data:`QUESTIONS`.
        rates: Rates at which test patients' modalities are hidden at random.
        mechanisms: Further conditions of test patients (:mod:`gdsfd.fusion_study.conditions`).
        train_conditions: Under which some contenders are trained again.
        retrained: Names of these contenders.
        folds: Of a cross-validation; None = every seed draws a split.
        environments: Whether each environment is left out in turn, too.
        shares: Of training patients, for the learning curve of question 1; none: no curve.
        every_set: Whether question 1 finds what modalities are worth: boosting on every set of up to four, or one
            network from which others are hidden.
        placebos: Modalities that are dealt out anew between patients, one at a time, as a control.
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
    mechanisms: tuple[str, ...] = ()
    train_conditions: tuple[str, ...] = ()
    retrained: tuple[str, ...] = ()
    folds: int | None = None
    environments: bool = False
    shares: tuple[float, ...] = ()
    every_set: bool = False
    placebos: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    sensitivity: float = 0.8
    margin: float = MARGIN
    patients: int | None = None
    settings: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None

    @property
    def fits(self) -> tuple[Contender, ...]:
        """Everything that is fitted for each seed."""
        more: list[Contender] = []
        if 1 in self.questions:
            more += [*restricted(self.modalities), *on_shares(self.modalities, self.shares)]
            more += placebo_fits(self.placebos)
            if self.every_set:
                many = len(self.modalities) > MOST_RETRAINED
                more += [subset_model()] if many else more_sets(self.modalities)
        if 3 in self.questions:
            floors = () if 1 in self.questions else restricted(self.modalities)
            more += [each for each in floors if len(floors) == len(self.modalities) or ", without " in each.name]
            more += [*self.floors, *self.squares, Contender(PRESENCE, PRESENCE, False)]
        return tuple({each.name: each for each in (*self.contenders, *more)}.values())

    @property
    def floors(self) -> tuple[Contender, ...]:
        """Boosting trained on patients who lose as many modalities as those who are judged."""
        boosting = Contender("boosting", "boosting", False)
        made = (trained_under(boosting, f"random {rate:g}") for rate in self.rates)
        return tuple(each for each in made if each is not None)

    @property
    def squares(self) -> tuple[Contender, ...]:
        """Contenders trained again under each of the conditions of training."""
        own = [each for each in self.contenders if each.name in self.retrained]
        made = (trained_under(each, condition) for each in own for condition in self.train_conditions)
        return tuple(each for each in made if each is not None)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Under which whole contenders predict the test patients, as they come first."""
        if 3 not in self.questions:
            return ("natural",)
        names = [f"random {rate:g}" for rate in self.rates]
        if len(self.modalities) > 1:
            names += [f"without {name}" for name in self.modalities] + [f"only {name}" for name in self.modalities]
        return tuple(dict.fromkeys(("natural", *names, *self.mechanisms, *self._met_in_training)))

    @property
    def _met_in_training(self) -> tuple[str, ...]:
        """Conditions of training as test patients meet them, each with its flip; ``dropout`` as ``random``."""
        found = []
        for condition in self.train_conditions:
            word = condition.replace("dropout ", "random ", 1)
            flips = [word.replace(one, other, 1) for one, other in FLIPPED.items() if word.startswith(f"{one} ")]
            found += [word, *flips]
        return tuple(dict.fromkeys(found))

    def conditions_of(self, contender: Contender) -> tuple[str, ...]:
        """Under which a contender predicts test patients; one trained again meets what it is for, and its flip."""
        if not contender.whole:
            return ("natural",)
        if contender in self.contenders:
            return self.conditions
        sets = self.every_set and 1 in self.questions and contender == subset_model()
        own = list(hidden_sets(self.modalities).values()) if sets else []
        own += [contender.training] if contender in self.floors else []
        return tuple(dict.fromkeys(("natural", *own, *(self._met_in_training if contender in self.squares else ()))))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        told = {**vars(self), "contenders": [each.to_dict() for each in self.contenders]}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items()}

    @property
    def hash(self) -> str:
        """Of everything above, hexadecimal."""
        return digest_of_json(self.to_dict())
