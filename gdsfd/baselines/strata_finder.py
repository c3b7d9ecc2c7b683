"""What baselines with found strata share: finding them for one outcome, and saying what was done."""

from __future__ import annotations

from typing import Any

from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.errors import InputError
from gdsfd.latent.choice import choose_strata
from gdsfd.latent.found_strata import SUSPECTS, FoundStrata

__all__ = ["declared", "strata_or_why"]


def declared(suspects: SuspectFacts | None, name: str) -> tuple[str, ...]:
    """Those of the declared suspects that strata can be tied to.

    Raises:
        InputError: No suspects are given.
    """
    if suspects is None:
        raise InputError(
            f"{name}: fit takes what the declared suspects say, too: fit(graph, suspect_facts(graph, ('pattern', "
            "'environment'))) of gdsfd.training.suspects.suspect_facts"
        )
    return tuple(word for word in SUSPECTS if word in suspects.names)


def strata_or_why(
    graph: Any, outcome: int, suspects: tuple[str, ...], seed: int, force: bool
) -> tuple[FoundStrata | None, str]:
    """Strata of an outcome that are to be averaged over, or None, and the sentence that says why.

    Args:
        graph: The graph.
        outcome: Number of the outcome.
        suspects: What strata may be tied to.
        seed: Of EM's starts.
        force: Whether at least two classes are averaged over whatever the evidence says.
    """
    choice = choose_strata(graph, outcome, suspects, seed, force)
    return (choice.found if choice.used else None), choice.sentence
