"""What more is asked of strata that show in codes and categories before they are a practice.

Codes cluster by what patients have: on a cohort of many diagnoses classes of patients always come out, differ between
hospitals and write mostly in codes, hence elsewhere than the outcome. So beside what :mod:`gdsfd.latent.evidence` asks
(our formulation):

- **A number of classes.** Where the likelihood still grows at the most classes there may be, they are a cut through a
  landscape of diseases.
- **No flags.** A class that lies many standard deviations away is one that has a code, or a few that go together.
- **Not in numbers where the illness is.** Of classes that write in numbers as well the overlap there counts alone:
  what codes they have must not dilute it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gdsfd.latent.evidence import OVERLAP_PRACTICE, TIE_P, Evidence, overlap
from gdsfd.latent.gaussian_block import Floats
from gdsfd.latent.mixture import Mixture

__all__ = ["FLAG", "WRITES", "judge_coded", "shift_of_classes"]

#: Standard deviations between classes in codes from which they are flags: simulated habits had 2 to 4, cohorts of
#: intensive care and of severe illness 17 to 100.
FLAG = 10.0
#: Standard deviations between classes in numbers from which they write in numbers: habits had .5 to .8, which is noise.
WRITES = 1.0


def shift_of_classes(mixture: Mixture, presence: Floats, modalities: NDArray[np.bool_]) -> float:
    """Largest distance between classes in some modalities, in standard deviations.

    Args:
        mixture: Of at least two classes.
        presence: Share of patients who have each modality.
        modalities: Which of them are looked at.
    """
    total = np.zeros((mixture.classes, mixture.classes))
    for share, block, looked in zip(presence, mixture.blocks, modalities):
        if looked:
            apart = block.stratum[:, None] - block.stratum[None]
            total += share * np.einsum("uvd,de,uve->uv", apart, np.linalg.inv(block.covariance), apart)
    return float(np.sqrt(total.max(initial=0.0)))


def judge_coded(
    evidence: Evidence,
    mixture: Mixture,
    presence: Floats,
    numbers: NDArray[np.bool_],
    settled: bool,
) -> Evidence:
    """The evidence of strata that codes and categories had a part in.

    Args:
        evidence: As :func:`gdsfd.latent.evidence.weigh` has it.
        mixture: The mixture.
        presence: Share of patients who have each modality.
        numbers: Which modalities are numbers.
        settled: Whether one more class than there are would have been worse.

    Returns:
        The same where it is no practice; a practice in words of codes; or why it is none.
    """
    if not evidence.adjust:
        return evidence
    count = evidence.classes
    if not settled:
        why = "with codes and categories among the content there is no end to their number, as of diseases"
    elif (far := shift_of_classes(mixture, presence, ~numbers)) > FLAG:
        why = f"they lie {far:.0f} standard deviations apart in codes and categories: to have one is no practice"
    elif numbers.any() and shift_of_classes(mixture, presence, numbers) > WRITES:
        own = _some_of(mixture, numbers)
        where = overlap(own, presence[numbers])
        if where <= OVERLAP_PRACTICE:
            return _said(evidence)
        why = f"in numbers they write where the outcome writes (overlap {where:.2f}), as severity does"
    else:
        return _said(evidence)
    sentence = f"{count} classes of patients were found, but {why}; they are not adjusted for."
    return replace(evidence, verdict="cannot tell", sentence=sentence)


def _said(evidence: Evidence) -> Evidence:
    told = " and ".join(name for name, p in evidence.ties.items() if p < TIE_P)
    sentence = (
        f"{evidence.classes} kinds of practice were found in codes and categories, told by {told}; they write "
        f"elsewhere than the outcome does (overlap {evidence.overlap:.2f}) and are averaged out."
    )
    return replace(evidence, sentence=sentence)


def _some_of(mixture: Mixture, modalities: NDArray[np.bool_]) -> Mixture:
    """The mixture as some modalities have it; only its blocks are right."""
    blocks = tuple(block for block, looked in zip(mixture.blocks, modalities) if looked)
    return Mixture(mixture.share, mixture.views, blocks, mixture.block, mixture.marginal)
