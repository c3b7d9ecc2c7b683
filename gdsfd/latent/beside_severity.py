"""A practice beside severity: two classes among numbers read by their rank, with one covariance over all modalities.

On real tables severity makes classes, too, and so do the long tails of clinical numbers. A mixture of independent
modalities then has several classes, which divide patients by practice *and* by severity; as a whole they write where
the illness writes, and are left alone. Here ranks take the tails away, one covariance over all modalities takes what
moves with severity, and of the places where EM of two classes ends each is weighed by itself: one may be severity,
another the practice.

There is more than one thing to be had here, so more is asked: classes that are a practice by all that
:mod:`gdsfd.latent.evidence` asks, that go with the outcome strongly, that content tells apart, and that make patients
likelier who were not fitted on. Classes that go with the outcome far more strongly than any of severity was seen to may
write partly where the illness writes. What cohorts of intensive care and of heart disease come to without a practice
planted among them is left alone by that (docs/latent_strata.md). Our formulation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gdsfd.latent.evidence import OVERLAP_PRACTICE, Evidence, log_odds, weigh
from gdsfd.latent.gaussian_block import Ints
from gdsfd.latent.mixture import Fit, Mixture, Observed
from gdsfd.latent.number_of_classes import SURE, NumberOfClasses
from gdsfd.latent.search import Search

__all__ = [
    "LEAST_LOG_ODDS",
    "LEAST_WRITTEN",
    "MOST_OVERLAP",
    "STRONG_LOG_ODDS",
    "STRONG_WRITTEN",
    "likelier_than_one",
    "practice_beside_severity",
    "written",
]

#: Least log-odds between class and outcome. Practices planted among real patients had 3.1 to 4.7, classes found there
#: that are not a practice and write elsewhere than the outcome up to 2.0.
LEAST_LOG_ODDS = 2.5
#: Least distance of the classes' means, in standard deviations along the line between them: classes that only the
#: suspects tell are what a margin of the suspects is for.
LEAST_WRITTEN = 1.5
#: From these log-odds and this distance on classes may write where the illness writes, up to this overlap. Classes that
#: the suspects found beside a practice in codes, which none of the numbers shows, were 1.1 to 1.7 apart.
STRONG_LOG_ODDS = 4.0
STRONG_WRITTEN = 2.0
MOST_OVERLAP = 0.65
#: Parts of the patients, each in turn not fitted on; rounds of EM on the others.
FOLDS = 5
ROUNDS = 60


def written(mixture: Mixture) -> float:
    """How far apart two classes' contents are, in standard deviations (Mahalanobis), modalities together."""
    total = 0.0
    for block in mixture.blocks:
        shift = block.stratum[1] - block.stratum[0]
        total += float(shift @ np.linalg.solve(block.covariance, shift))
    return total**0.5


def practice_beside_severity(search: Search) -> tuple[Mixture, Evidence] | None:
    """The likeliest two classes that are a practice, and what says so; None where none are.

    Args:
        search: Of patients whose numbers are read by their rank (:func:`gdsfd.latent.content.ranked_reader`).
    """
    for mixture, _ in search.modes(2):
        mixture = mixture.permuted(np.argsort(mixture.share[-1] - mixture.share[0], kind="stable"))
        lean, apart = log_odds(mixture), written(mixture)
        if lean < LEAST_LOG_ODDS or apart < LEAST_WRITTEN:
            continue
        strong = lean >= STRONG_LOG_ODDS and apart >= STRONG_WRITTEN
        evidence = weigh(mixture, search.seen, search.y, MOST_OVERLAP if strong else OVERLAP_PRACTICE)
        if evidence.adjust:
            beside = f"{evidence.sentence} They were told apart beside classes of severity."
            return mixture, replace(evidence, sentence=beside)
    return None


def likelier_than_one(mixture: Mixture, seen: Observed, y: Ints, seed: int = 0) -> NumberOfClasses | None:
    """How much likelier two classes make patients who were not fitted on; None where not surely so.

    Every patient is once among those left out. Classes of the others start from what the mixture makes of them, so that
    they are the same classes, and EM goes on from there without those left out.

    Args:
        mixture: Two classes of these patients.
        seen: The patients.
        y: Their outcomes; [N].
        seed: Of the parts.
    """
    share, outcomes, gain = mixture.responsibilities(seen, y), len(mixture.share), np.empty(len(y))
    sizes = {name: table.shape[1] for name, table in mixture.views.items()}
    part = np.random.default_rng(seed).permutation(len(y)) % FOLDS
    for number in range(FOLDS):
        inside, outside = (np.flatnonzero(own) for own in (part != number, part == number))
        fit, others = Fit(seen.rows(inside), y[inside], outcomes, sizes), seen.rows(outside)
        one, two = (
            fit.run(fit.first(first), ROUNDS)[0].log_likelihood(others, y[outside])
            for first in (np.ones((len(inside), 1)), share[inside])
        )
        gain[outside] = two - one
    error = float(gain.std(ddof=1) / np.sqrt(len(gain)))
    if not gain.mean() > SURE * error:
        return None
    return NumberOfClasses(2, (float(gain.mean()),), (error,))
