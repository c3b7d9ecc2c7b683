"""Whether somebody has a thing at all: when that alone gives the outcome away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.candidates import Flags
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import shown

__all__ = ["ToldPresence", "telling"]

MIN_PATIENTS = 20  #: patients that have it, or lack it, from which their class is judged
MAX_OTHERS = 0.025  #: share of the other class up to which they count as of one class
MAX_SHARE = 0.8  #: a class that is commoner than this overall says nothing by being alone
MIN_DISTANCE = 0.3  #: distance of the AUROC of presence from one half from which it is told
MAX_CHANCE = 1e-6  #: chance of so few, or so many, if presence had nothing to do with the outcome


def telling(
    true_positive: NDArray[np.int64], false_positive: NDArray[np.int64], positives: int, negatives: int
) -> NDArray[np.bool_]:
    """Which of several things give a class away by being there.

    That is so when those who have it, or those who lack it, are all but one class, or when the AUROC of having it is at
    least 0.8 or at most 0.2; in both cases with enough patients, and beyond chance (hypergeometric, one side).

    Args:
        true_positive: For each thing the patients of the class who have it; [F].
        false_positive: The other patients who have it; [F].
        positives: Patients of the class.
        negatives: The others.

    Returns:
        bool [F].

    Example:
        >>> telling(np.array([378, 300, 8]), np.array([0, 250, 0]), 539, 573)
        array([ True, False, False])
    """
    total = positives + negatives
    has = true_positive + false_positive
    found = np.zeros(len(has), dtype=bool)
    for own, others in ((true_positive, false_positive), (positives - true_positive, negatives - false_positive)):
        size = own + others
        share = np.where(own >= others, positives, negatives) / total
        found |= (size >= MIN_PATIENTS) & (np.minimum(own, others) <= MAX_OTHERS * size) & (share <= MAX_SHARE)
    distance = np.abs(true_positive / positives - false_positive / negatives) / 2
    found |= (distance >= MIN_DISTANCE) & (np.minimum(has, total - has) >= MIN_PATIENTS)
    for number in np.flatnonzero(found):
        from scipy.stats import hypergeom  # slow to import, and seldom needed

        drawn = hypergeom(total, positives, has[number])
        chance = min(drawn.cdf(true_positive[number]), drawn.sf(true_positive[number] - 1))
        found[number] = chance < MAX_CHANCE
    return found


@dataclass
class ToldPresence:
    """Collects things whose presence gives a class away; those of one modality make one finding.

    Args:
        who: Whose patients are looked at, for the texts: ``training`` or ``new``.
    """

    who: str = "training"
    _found: dict[tuple[str, str], list[_Told]] = field(default_factory=dict)

    def add(
        self,
        flags: Flags,
        target: str,
        true_positive: NDArray[np.int64],
        false_positive: NDArray[np.int64],
        positives: int,
        negatives: int,
    ) -> None:
        """Judges the flags of one candidate.

        Args:
            flags: The candidate.
            target: The class in words.
            true_positive, false_positive, positives, negatives: As in :func:`telling`.
        """
        modality = flags.where.split(".")[0]
        for number in np.flatnonzero(telling(true_positive, false_positive, positives, negatives)):
            own, others = int(true_positive[number]), int(false_positive[number])
            found = self._found.setdefault((modality, target), [])
            if any((one.own, one.others) == (own, others) for one in found):
                continue  # a column that is there whenever its modality is tells nothing more
            what = flags.what[number]
            words = flags.where if what in ("presence", "measured at all") else f"{flags.where} ({what})"
            found.append(_Told(words, own, others, positives, negatives))

    def findings(self) -> Iterator[Finding]:
        """One finding per modality and class, the clearest thing first."""
        for (modality, target), found in self._found.items():
            found.sort(key=lambda one: -abs(one.auroc - 0.5))
            first = found[0]
            more = [one.words for one in found[1:]]
            also = f" The same goes for {shown(more)}." if more else ""
            text = (
                f"whether it is there at all tells {target} from the rest: {first.own:,} of the {first.positives:,} "
                f"{self.who} patients with it have {first.words}, and {first.others:,} of the {first.negatives:,} "
                f"others.{also} If it is ordered or recorded because of the outcome, or one group comes from another "
                "source, leave it out"
            )
            yield Finding("presence", modality if first.words == modality else first.words, text, first.auroc)


@dataclass(frozen=True)
class _Told:
    """A thing and how many with, and without, the class have it."""

    words: str
    own: int
    others: int
    positives: int
    negatives: int

    @property
    def auroc(self) -> float:
        return (1 + self.own / self.positives - self.others / self.negatives) / 2
