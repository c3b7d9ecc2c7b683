"""Whose patients are judged, in words."""

from __future__ import annotations

from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.numbers import count, spelled

__all__ = ["population_narrative"]

#: The most environments named one by one.
_NAMED = 6


def population_narrative(found: JudgedPopulation) -> str:
    """Two to five sentences: who they are, whether the model has seen them, where they come from."""
    return " ".join(part for part in (_who(found), _checked(found), _left_out(found), _where(found)) if part)


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
        return f"{text}; none of these names stood in training."
    if known == len(names):
        return f"{text}; {'this name' if known == 1 else 'all of these names'} stood in training, too."
    return f"{text}; {known:,} of these {len(names):,} names stood in training, too."
