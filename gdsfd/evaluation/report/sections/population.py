"""The section "Whose patients these are, and what was fixed where"."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gdsfd.cohort.keys.key_forms import pairs_shown
from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.fixed_settings import FixedSetting
from gdsfd.evaluation.report.numbers import count, spelled
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext

__all__ = ["PopulationSection", "Populations", "population_narrative", "same_values_warning"]

#: The most environments named one by one.
_NAMED = 6


@dataclass(frozen=True)
class Populations:
    """Whose patients are judged, and what was fixed before they were.

    Args:
        judged: One per split.
        fixed: What was fixed, to what, on whom.
    """

    judged: tuple[JudgedPopulation, ...]
    fixed: tuple[FixedSetting, ...]


@SECTIONS.register("population")
class PopulationSection(Section[Populations]):
    """A paragraph per split, and the table of what was fixed."""

    name = "population"
    title = "Whose patients these are, and what was fixed where"
    template = "population.html"

    def judge(self, context: SectionContext) -> Populations:
        return Populations(context.populations, context.fixed)

    def fill(self, data: Populations, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        return {
            "populations": [(one.split, population_narrative(one)) for one in data.judged],
            "fixed": data.fixed,
            "external": any(one.kind == "new" for one in data.judged),
        }

    def to_dict(self, data: Populations) -> dict[str, Any]:
        judged = {one.split: {**asdict(one), "words": population_narrative(one)} for one in data.judged}
        return {"population": judged, "fixed": [asdict(one) for one in data.fixed]}


def population_narrative(found: JudgedPopulation) -> str:
    """Two to five sentences: who they are, whether the model has seen them, where they come from."""
    parts = (_who(found), _checked(found), same_values_warning(found), _left_out(found), _where(found))
    return " ".join(part for part in parts if part)


def _who(found: JudgedPopulation) -> str:
    source = f" of {', '.join(found.source)}" if found.source else ""
    if found.kind == "training":
        return (
            f"These are the {count(found.patients, 'patient')} that the model was trained on: the figures say how well "
            "it fits what it has seen, and nothing of other patients."
        )
    if found.kind == "tuning":
        return (
            f"These are the {count(found.patients, 'patient')} on whom the epoch and the threshold were chosen: the "
            "figures are flattered by that."
        )
    if found.kind == "new":
        everybody = found.patients == found.of_cohort
        part = f"{found.patients:,} of {found.of_cohort:,} patients"
        whom = f"All {count(found.patients, 'patient')}" if everybody else part
        other = "" if found.dropped or found.same_ids else ", another cohort than the one that the model was trained on"
        return f"{whom}{source}{other}."
    cohort = "the cohort that the model was trained on" if found.kind == "held out" else "the cohort"
    whom = f"{count(found.patients, 'patient')} of {found.of_cohort:,} in {cohort}"
    return f"The split “{found.split}”{source}: {whom}."


def _checked(found: JudgedPopulation) -> str:
    if found.kind in ("training", "tuning"):
        return ""
    if not found.checked_by:
        return "Whether the model has seen any of them cannot be checked: it keeps no hashes of its training patients."
    seen = f"its {found.train:,} training and {found.tuning:,} tuning patients"
    if found.same_ids:
        verb = "has an id that stands" if found.same_ids == 1 else "have ids that stand"
        return f"{found.same_ids:,} of them {verb} among {seen}, too; they were declared to be other people."
    return f"None of them is among {seen} (checked by salted hashes of {found.checked_by})."


def same_values_warning(found: JudgedPopulation) -> str:
    """What is said where patients have the values of some that the model has seen; else nothing."""
    if not found.same_values:
        return ""
    verb = "has" if found.same_values == 1 else "have"
    return (
        f"{found.same_values:,} of the {found.patients:,} {verb} the very same numbers, in all tables and events, as a "
        "patient that the model has seen: most likely the same people under other ids. Figures on them say nothing of "
        "new patients; leave them out with where."
    )


def _left_out(found: JudgedPopulation) -> str:
    if not found.dropped:
        return ""
    verb = "was" if found.dropped == 1 else "were"
    return f"{count(found.dropped, 'patient')} {verb} left out because the model has seen them."


def _where(found: JudgedPopulation) -> str:
    if not found.environments:
        return ""
    what, names = spelled(found.environment), list(found.environments)
    listed = ", ".join(f"{name} ({found.environments[name]:,})" for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    text = f"By {what}: {listed}{more}"
    if found.in_training is None:
        return f"{text}."
    known = len(found.in_training)
    if not known:
        text += "; none of these names stood in training."
    elif known == len(names):
        text += f"; {'this name' if known == 1 else 'all of these names'} stood in training, too."
    else:
        text += f"; {known:,} of these {len(names):,} names stood in training, too."
    if found.near_training:
        pairs = pairs_shown([*found.near_training.items()])
        text += (
            f" But {len(found.near_training):,} of them differ from a name of training in case, blanks, zeros or the "
            f"like only ({pairs}): they may be the same."
        )
    return text
