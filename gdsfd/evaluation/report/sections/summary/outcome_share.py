"""Whether the outcome is as common among the patients judged as where the model was trained, in words.

A model's risks and its threshold hold where the outcome is as common as it was there. A cohort put together by outcome
(cases and controls) is the plainest way to have it otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.intervals.shares import share_interval
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.numbers import percent

__all__ = ["share_sentences"]

#: Two shares differ where their intervals at this level do not touch.
_LEVEL = 0.95


def share_sentences(result: SplitResult, population: JudgedPopulation | None) -> Iterator[str]:
    """A sentence or two where the outcome is rarer or more frequent than among the tuning patients; else nothing.

    Args:
        result: The split.
        population: Whose patients these are, with what is known of the tuning patients.
    """
    if population is None or population.kind not in ("new", "held out"):
        return
    # Stays of one person fare alike: of the tuning patients it is kept how many persons they are, not who is whose.
    alone = population.tuning_persons / population.tuning if population.tuning and population.tuning_persons else 1.0
    differ: list[tuple[str, str, bool]] = []
    for name, scored in zip(result.names, result.model.targets):
        positives, labelled = population.tuning_outcomes.get(name, (0, 0))
        if not labelled or not scored.n or scored.positives is None:
            continue
        here, there = scored.positives / scored.n, positives / labelled
        ends, others = share_interval(here, scored.worth, _LEVEL), share_interval(there, labelled * alone, _LEVEL)
        if ends[0] > others[1] or ends[1] < others[0]:
            shares = f"{percent(there)} ({positives:,} of {labelled:,})", percent(here)
            differ.append((name, f"{shares[0]} there, {shares[1]} here", here < there))
    if not differ:
        return
    if len(result.names) == 1:
        _, words, rarer = differ[0]
        yield f"The outcome is {'rarer' if rarer else 'more frequent'} than among the tuning patients: {words}."
    else:
        listed = "; ".join(f"{name} {words}" for name, words, _ in differ)
        yield (
            f"{len(differ)} of {len(result.names)} targets are rarer or more frequent than among the tuning "
            f"patients: {listed}."
        )
    ways = {rarer for *_, rarer in differ}
    off = "too high" if ways == {True} else "too low" if ways == {False} else "off"
    flagged = "fewer" if ways == {True} else "more" if ways == {False} else "another share"
    yield (
        f"Where that comes of how the cohorts were put together (cases and controls, say), risks are {off} here and "
        f"{flagged} of those above the threshold have the outcome; ranking is not touched. Recalibrate risks on "
        "patients of this kind before they, or the threshold, are used."
    )
