"""Whether found strata are to be used for an outcome, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdsfd.errors import InputError
from gdsfd.latent.found_strata import FoundStrata, find_strata
from gdsfd.latent.gaussian_block import Ints

__all__ = ["StrataChoice", "choose_strata"]


@dataclass(frozen=True)
class StrataChoice:
    """What was found, and whether it is used.

    Args:
        found: The strata; None where none could be looked for.
        used: Whether they are averaged out.
        sentence: What was found and why it is used or not.
    """

    found: FoundStrata | None
    used: bool
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """The evidence and the choice, JSON-able."""
        told: dict[str, Any] = {"used": self.used, "sentence": self.sentence}
        if self.found is None:
            return told
        evidence, number = self.found.evidence, self.found.number
        return told | {
            "verdict": evidence.verdict,
            "classes": evidence.classes,
            "graded": evidence.graded,
            "masses": list(evidence.masses),
            "share_by_outcome": self.found.mixture.share.tolist(),
            "outcome_by_class": self.found.outcome_by_class().tolist(),
            "ties": dict(evidence.ties),
            "overlap": evidence.overlap,
            "log_odds": evidence.log_odds,
            "outcome_p": evidence.outcome_p,
            "outcome_inside_p": evidence.outcome_inside_p,
            "held_out_gain": list(number.gain),
            "held_out_error": list(number.error),
            "patients": len(self.found.rows),
        }


def choose_strata(
    graph: Any,
    outcome: int,
    suspects: Sequence[str],
    seed: int,
    force: bool = False,
    rows: Mapping[str, Ints] | None = None,
    fit_tuning: bool = True,
) -> StrataChoice:
    """Looks for strata of an outcome and decides by the evidence.

    Args:
        graph: The graph.
        outcome: Number of the outcome.
        suspects: Of ``pattern`` and ``environment`` what strata may be tied to.
        seed: Of EM's starts.
        force: Whether at least two classes are used whatever the evidence says.
        rows: Rows of ``train`` and ``tuning``; default: the graph's splits.
        fit_tuning: Whether the mixture is fitted on tuning patients, too.
    """
    asked: dict[str, Any] = {"suspects": suspects, "seed": seed, "rows": rows, "fit_tuning": fit_tuning}
    try:
        found = find_strata(graph, outcome, **asked)
        if force and found.mixture.classes == 1:
            found = find_strata(graph, outcome, classes=2, **asked)
    except InputError as error:
        return StrataChoice(None, False, f"No strata were looked for: {error}")
    sentence = found.evidence.sentence
    if force and not found.evidence.adjust:
        return StrataChoice(found, True, f"{sentence} They are averaged out all the same, as asked.")
    return StrataChoice(found, found.evidence.adjust, sentence)
