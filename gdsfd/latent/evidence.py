"""What says whether strata that were found are a practice, severity, or neither.

Classes inside outcome classes are not enough: label noise makes them, too (they are then the true outcome), and so does
severity, which on real tables always comes out. Four looks tell these apart (our formulation):

- **The tie.** A practice differs between environments or shows in who has which modality; errors in labels do not.
  Inside outcome classes, the association of classes with each declared suspect is tested by responsibilities that did
  not look at that suspect; statistics are summed over outcome classes, p-values corrected for the number of suspects.
- **The overlap.** Severity writes where the illness writes, a practice elsewhere. With ``b`` the shift of content by
  the outcome and ``c`` that by the class, the cosine ``b' S^-1 c / (|b| |c|)`` in the mixture's own metric, modalities
  weighted by presence; of more classes than two the length of ``b``'s projection on the span of their shifts.
- **The outcome inside the classes.** Where many labels are wrong, the true outcome varies inside a class of labels and
  goes with the practice, so that averaging the practice out averages the outcome out, too. Such labels are hardly to be
  read once the class is known, and then the overlap compares with a direction that is noise.
- **Suspects that tell of the outcome.** What is tied to a suspect and goes with the outcome makes that suspect go with
  the outcome, too. Habits that say nothing of it are tied, and what makes their classes lean is something else: wrong
  labels, or a pattern of modalities that habits and illness decide together.

None is proof. A cause that differs between sites and writes where nothing else does looks like a practice, and
nothing in one data set tells the two apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gdsfd.latent.gaussian_block import Floats, Ints
from gdsfd.latent.mixture import Mixture, Observed

__all__ = [
    "OVERLAP_PRACTICE",
    "OVERLAP_SEVERITY",
    "TIE_P",
    "Evidence",
    "Verdict",
    "log_odds",
    "outcome_inside_p",
    "outcome_p",
    "overlap",
    "tie",
    "told_by_suspects",
    "weigh",
]

Verdict = Literal["practice", "severity", "cannot tell", "none"]

#: A suspect is tied to the classes below this p-value. Practices measured had 1e-6 and less, label noise .3 to 1.
TIE_P = 1e-3
#: Up to this overlap classes write elsewhere than the illness: simulated practices had .00 to .20, weak ones to .31.
OVERLAP_PRACTICE = 0.33
#: From this overlap on they write where the illness writes: two cohorts of intensive care had .39 to .58. Between the
#: two nothing is said.
OVERLAP_SEVERITY = 0.38
#: Classes tell of the outcome below this p-value.
OUTCOME_P = 1e-3
#: The outcome shows in content inside classes below this p-value: simulated practices had 1e-11 and less, those beside
#: labels of which a quarter or more was wrong 1e-3 and more.
INSIDE_P = 1e-6
#: Expected patients below which a suspect's levels are taken together, and left out where that is not enough.
LEAST_EXPECTED = 5.0


@dataclass(frozen=True)
class Evidence:
    """What was found and what it says.

    Args:
        classes: Number of classes found, 1 = none.
        masses: Share of each class.
        ties: Suspect -> corrected p-value of the classes having nothing to do with it inside outcome classes.
        overlap: Whether classes write where the illness writes, 0 to 1; None with one class.
        log_odds: Largest log-odds between a class and an outcome.
        outcome_p: p-value of the classes telling nothing of the outcome.
        outcome_inside_p: p-value of content telling nothing of the outcome once the class is known.
        verdict: ``practice``, ``severity``, ``cannot tell`` or ``none``.
        sentence: The verdict in words.
        graded: Whether the classes are levels of one practice, on a line.
    """

    classes: int
    masses: tuple[float, ...]
    ties: dict[str, float]
    overlap: float | None
    log_odds: float
    outcome_p: float
    outcome_inside_p: float
    verdict: Verdict
    sentence: str
    graded: bool = False

    @property
    def adjust(self) -> bool:
        """Whether the strata count: averages are taken over them."""
        return self.verdict == "practice"


def tie(share: Floats, y: Ints, codes: Ints) -> float:
    """p-value of classes being unrelated to a suspect given the outcome.

    Pearson's test of conditional independence: its statistic and degrees of freedom, summed over outcome classes, on
    responsibilities: ``n tr(T^-1 B)`` with ``T`` the covariance of the responsibilities and ``B`` that of their means
    by level. Where classes are certain this is the statistic of the table of counts. Where they are not, sums of
    responsibilities vary less than counts do, so they are held against their own variance.

    Args:
        share: Responsibilities that did not look at the suspect; [N, K].
        y: Outcomes; [N].
        codes: The suspect's codes, -1 = missing; [N].
    """
    from scipy.stats import chi2  # slow to import

    statistic, freedom = 0.0, 0
    for label in np.unique(y):
        own = (y == label) & (codes >= 0)
        level = _levels(share[own], codes[own])
        known = level >= 0
        if known.any() and level.max() > 0:
            found = _dependence(share[own][known], level[known])
            statistic, freedom = statistic + found[0], freedom + found[1]
    return float(chi2.sf(statistic, freedom)) if freedom else 1.0


def told_by_suspects(views: Mapping[str, Ints], y: Ints) -> dict[str, float]:
    """Suspect -> p-value of it telling nothing of the outcome.

    Args:
        views: Suspect -> codes, -1 = missing; [N].
        y: Outcomes, 0, 1, ..; [N].
    """
    certain = np.eye(int(y.max(initial=0)) + 1)[y]
    return {name: tie(certain, np.zeros_like(y), codes) for name, codes in views.items()}


def _levels(share: Floats, codes: Ints) -> Ints:
    """Levels numbered anew: rare ones taken together, -1 where even that is too few; [N].

    They are taken together because a class may be told by what is rare elsewhere.
    """
    size = int(codes.max(initial=-1)) + 1
    table: Floats = np.stack([np.bincount(codes, each, minlength=size) for each in share.T]).astype(np.float64)
    rare = _expected(table) < LEAST_EXPECTED
    together = table[:, rare].sum(1)
    enough = _expected(np.concatenate([table[:, ~rare], together[:, None]], axis=1))[-1] >= LEAST_EXPECTED
    number = np.where(rare, (~rare).sum() if enough else -1, np.cumsum(~rare) - 1)
    return np.asarray(number[codes], dtype=np.int64)


def _dependence(share: Floats, level: Ints) -> tuple[float, int]:
    """How much the mean of responsibilities differs between levels: Pearson's statistic, its degrees of freedom."""
    apart = share - share.mean(0)
    counts = np.bincount(level).astype(np.float64)
    means = np.stack([np.bincount(level, each) for each in apart.T], axis=1) / counts[:, None]
    size, axes = np.linalg.eigh(apart.T @ apart / len(share))
    axes = axes[:, size > 1e-9] / np.sqrt(size[size > 1e-9])  # responsibilities sum to one
    return float((counts[:, None] * (means @ axes) ** 2).sum()), axes.shape[1] * (len(counts) - 1)


def _expected(table: Floats) -> Floats:
    """Least expected patients of each level."""
    return np.asarray(table.sum(0) * table.sum(1).min() / max(float(table.sum()), 1e-12), dtype=np.float64)


def overlap(mixture: Mixture, presence: Floats) -> float:
    """Whether classes write where the illness writes: 0 = elsewhere, 1 = in the same places.

    The largest cosine between a shift by the outcome and a shift by the class.

    Args:
        mixture: Of at least two classes and outcomes.
        presence: Share of patients who have each modality.
    """
    illness, classes = [], []
    for share, block in zip(presence, mixture.blocks):
        root = np.linalg.cholesky(share * np.linalg.inv(block.covariance) + 1e-12 * np.eye(len(block.covariance)))
        illness.append((block.outcome[1:] - block.outcome[0]) @ root)
        classes.append((block.stratum[1:] - block.stratum[0]) @ root)
    b, c = _span(np.concatenate(illness, axis=1)), _span(np.concatenate(classes, axis=1))
    return float(min(1.0, np.linalg.svd(b @ c.T, compute_uv=False).max(initial=0.0)))


def _span(shifts: Floats) -> Floats:
    """Orthonormal rows that span the rows given."""
    _, size, rows = np.linalg.svd(shifts, full_matrices=False)
    return rows[size > 1e-9 * size.max(initial=1e-300)]


def log_odds(mixture: Mixture) -> float:
    """Largest log-odds ratio of two classes and two outcomes."""
    table = np.log(mixture.share)
    contrast = table[:, None, :] - table[None]  # outcome against outcome, class by class
    return float((contrast.max(-1) - contrast.min(-1)).max())


def outcome_p(mixture: Mixture, seen: Observed, y: Ints) -> float:
    """p-value of ``P(u | y)`` being the same for every outcome, by the ratio of likelihoods."""
    from scipy.stats import chi2  # slow to import

    same = np.tile(mixture.marginal, (len(mixture.share), 1))
    alike = Mixture(same, mixture.views, mixture.blocks, mixture.block, mixture.marginal)
    gain = 2.0 * (mixture.log_likelihood(seen, y) - alike.log_likelihood(seen, y)).sum()
    return float(chi2.sf(gain, (len(mixture.share) - 1) * (mixture.classes - 1)))


def outcome_inside_p(mixture: Mixture, seen: Observed, y: Ints) -> float:
    """p-value of content being the same for every outcome once the class is known: Wald's test of the shifts.

    In every modality the shifts ``b`` [L - 1, d] by the outcome are held against their covariance beside the shifts by
    the class: ``tr(V^-1 b P b')``, with ``V`` by the counts of outcomes and classes and ``P`` the mean information of a
    patient's measured cells; summed over modalities, which are independent given outcome and class. Where classes
    are uncertain, shares of patients stand for patients, and p-values come out somewhat small.

    Args:
        mixture: Fitted on these patients.
        seen: The patients.
        y: Their outcomes; [N].
    """
    from scipy.stats import chi2  # slow to import

    share, statistic, freedom, outcomes = _told_apart(mixture, seen, y), 0.0, 0, len(mixture.share)
    for part, block in zip(seen.cells(), mixture.blocks):
        own, weight = np.eye(outcomes)[y[part.rows]], share[part.rows][:, 1:]
        cross = own.T @ weight
        design = np.block([[np.diag(own.sum(0)), cross], [cross.T, np.diag(weight.sum(0))]])
        contrast = np.eye(len(design))[1:outcomes] - np.eye(len(design))[0]
        spread = contrast @ np.linalg.pinv(design, hermitian=True) @ contrast.T
        information = np.einsum("p,pij->ij", np.bincount(part.which) / len(part.rows), block.precision(part))
        shifts = block.outcome[1:] - block.outcome[0]
        statistic += float(np.trace(np.linalg.pinv(spread, hermitian=True) @ shifts @ information @ shifts.T))
        freedom += shifts.size
    return float(chi2.sf(statistic, freedom))


def _told_apart(mixture: Mixture, seen: Observed, y: Ints, without: str | None = None) -> Floats:
    """Responsibilities of each class, and of levels on a line those of its two ends: how far along a patient is."""
    share = mixture.responsibilities(seen, y, without)
    if mixture.levels is None:
        return share
    along = share @ (mixture.levels - mixture.levels.min()) / np.ptp(mixture.levels)
    return np.stack([1.0 - along, along], axis=1)


def weigh(mixture: Mixture, seen: Observed, y: Ints, most_overlap: float = OVERLAP_PRACTICE) -> Evidence:
    """Weighs practice against severity.

    Args:
        mixture: The mixture.
        seen: The patients it was fitted on; its views are the declared suspects.
        y: Their outcomes.
        most_overlap: Up to this overlap classes may be a practice.
    """
    masses = tuple(float(each) for each in mixture.marginal)
    if mixture.classes == 1:
        return Evidence(1, masses, {}, None, 0.0, 1.0, 1.0, "none", _none(mixture, {}, 1.0))
    ties = {
        name: min(1.0, len(seen.views) * tie(_told_apart(mixture, seen, y, without=name), y, codes))
        for name, codes in seen.views.items()
    }
    presence = np.array([len(part.rows) / len(y) for part in seen.cells()])
    where, lean, told = overlap(mixture, presence), log_odds(mixture), outcome_p(mixture, seen, y)
    inside = outcome_inside_p(mixture, seen, y)
    verdict, sentence = _judged(mixture, ties, where, told, inside, told_by_suspects(seen.views, y), most_overlap)
    graded = mixture.levels is not None
    return Evidence(mixture.classes, masses, ties, where, lean, told, inside, verdict, sentence, graded)


def _judged(
    mixture: Mixture,
    ties: dict[str, float],
    where: float,
    told: float,
    inside: float,
    suspects: dict[str, float],
    most_overlap: float,
) -> tuple[Verdict, str]:
    """The verdict and its sentence; ``suspects``: suspect -> p-value of it telling nothing of the outcome."""
    count = mixture.classes
    tied = [name for name, p in ties.items() if p < TIE_P]
    named = " and ".join(tied)
    if told >= OUTCOME_P:
        return "none", _none(mixture, ties, told)
    if not ties:
        return "cannot tell", (
            f"{count} classes of patients were found inside outcome classes, but no suspect is declared that could say "
            "whether they are a practice; they are not adjusted for."
        )
    if not tied:
        return "cannot tell", (
            f"{count} classes of patients were found inside outcome classes, but nothing ties them to "
            f"{' or '.join(ties)} (p {min(ties.values()):.2g} at the least): errors in the labels look like this, too; "
            "they are not adjusted for."
        )
    if inside >= INSIDE_P:
        return "cannot tell", (
            f"{count} classes of patients were found, tied to {named}, but inside them the outcome shows in no number "
            f"(p {inside:.2g}): whether they write elsewhere cannot be told, and with many wrong labels averaging them "
            "out would average the outcome out, too; they are not adjusted for."
        )
    silent = [name for name in tied if suspects[name] >= TIE_P]
    if where <= most_overlap and silent:
        return "cannot tell", (
            f"{count} classes of patients were found, tied to {named}, but {' and '.join(silent)} "
            f"{'tell' if len(silent) > 1 else 'tells'} nothing of the outcome (p "
            f"{min(suspects[name] for name in silent):.2g}): a practice that goes with the outcome would make "
            f"{'them' if len(silent) > 1 else 'it'} tell; they are not adjusted for."
        )
    if where <= OVERLAP_PRACTICE and mixture.levels is not None:
        return "practice", (
            f"A graded practice was found, {count} levels on a line, told by {named}; it writes elsewhere than the "
            f"outcome does (overlap {where:.2f}) and is averaged out."
        )
    if where <= OVERLAP_PRACTICE:
        return "practice", (
            f"{count} kinds of practice were found, told by {named}; they write elsewhere than the outcome does "
            f"(overlap {where:.2f}) and are averaged out."
        )
    if where <= most_overlap:
        return "practice", (
            f"{count} kinds of practice were found, told by {named}; they write partly where the outcome writes "
            f"(overlap {where:.2f}), but go with it more strongly than severity was seen to "
            f"(log-odds {log_odds(mixture):.1f}), and are averaged out."
        )
    if where >= OVERLAP_SEVERITY:
        return "severity", (
            f"{count} classes of patients were found, tied to {named}, but they write where the outcome writes "
            f"(overlap {where:.2f}), as severity does; they are not adjusted for."
        )
    return "cannot tell", (
        f"{count} classes of patients were found, tied to {named}; from where they write (overlap {where:.2f}) a "
        "practice and severity cannot be told apart; they are not adjusted for."
    )


def _none(mixture: Mixture, ties: dict[str, float], told: float) -> str:
    if mixture.classes == 1:
        return "No latent confounder was found: one class of patients describes each outcome class best."
    return (
        f"No latent confounder was found: {mixture.classes} classes of patients inside outcome classes tell nothing of "
        f"the outcome (p {told:.2g})."
    )
