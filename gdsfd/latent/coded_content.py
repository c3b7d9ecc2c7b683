"""Content of codes and categories: a few principal components of what is written, none where it is noise.

A hospital's habits show in what it writes: which of two codes stands for a finding, which drug of a class is given,
which word fills a column. One such column is no content (a class of patients who have a rare code is no practice);
what many of them have in common is. So the columns of one modality are scaled so that independent ones would spread
alike in every direction, and components are kept that spread more than any of shuffled columns does (parallel analysis)
and draw on several columns. Beside these stands what tells of the outcome and lies in none of them: with less than that
a class and the outcome could shift content in one direction only, and would seem to write in the same places.
"""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.schema import ModalityFields
from gdsfd.latent.gaussian_block import Floats, Ints

__all__ = [
    "LEAST_SHARE",
    "MOST_CODES",
    "MOST_COMPONENTS",
    "code_components",
    "outcome_components",
    "scaled_by_share",
    "written_columns",
]

#: Most codes, or words of categories, of one modality; the most frequent ones are taken.
MOST_CODES = 100
#: A code that fewer patients have, or that all but so few have, is left out; of words likewise.
LEAST_SHARE = 0.02
#: Most components of one modality.
MOST_COMPONENTS = 6
#: The fewest columns that a component draws on, as the inverse of the sum of their squared shares.
LEAST_COLUMNS = 1.8
#: The fewest patients who have the modality.
LEAST_PATIENTS = 100
#: Shuffled copies, and standard deviations above the mean of their largest spread that a component has to have.
SHUFFLES, SURE = 20, 4.0
#: Standard errors by which a column has to go with the outcome, so that of a hundred that do not hardly one is taken.
TOLD = 3.5
#: Share of the direction that tells the outcome that has to lie in no component: less than that is a few flags.
LEAST_REST = 0.3
#: Share of the identity in the covariance of the columns that go with the outcome.
RIDGE = 0.3
#: The most patients that components are worked out on.
_MOST_ROWS = 20_000


def written_columns(names: list[str], modality: ModalityFields) -> tuple[Ints, Ints]:
    """Columns of the flattened table that say what is written in a modality, and which belong together.

    Args:
        names: The table's columns.
        modality: What the schema says of it.

    Returns:
        Places of the columns, and a number for each: words of one category share it, every code has its own.
    """
    codes = modality.kind == "codes"
    columns = modality.categorical if modality.kind == "table" else []
    starts = {modality.name: 0} if codes else {f"{modality.name}.{each}": number for number, each in enumerate(columns)}
    places: list[int] = []
    owner: list[int] = []
    for place, name in enumerate(names):
        ends = (position for position, letter in enumerate(name) if letter == "=")  # a column's name may have one, too
        start = next((name[:position] for position in ends if name[:position] in starts), None)
        if start is not None:
            owner.append(len(owner) if codes else starts[start])
            places.append(place)
    return np.array(places, dtype=np.int64), np.array(owner, dtype=np.int64)


def scaled_by_share(written: Floats, owner: Ints) -> tuple[Ints, Floats, Floats]:
    """Columns that are kept, their shares, and scales by which independent columns spread alike in every direction.

    A code has the standard deviation of its flag; words of one category, which exclude each other, the root of their
    share, as in correspondence analysis.

    Args:
        written: 1 = written, 0 = not, NaN = the category was not measured; [n, F].
        owner: Which columns belong together; [F].

    Returns:
        Places of the columns kept, their shares and their scales.
    """
    measured = np.isfinite(written)
    share = np.where(measured, written, 0.0).sum(0) / np.maximum(measured.sum(0), 1)
    common = np.flatnonzero((share >= LEAST_SHARE) & (share <= 1.0 - LEAST_SHARE) & (measured.sum(0) >= LEAST_PATIENTS))
    kept = np.sort(common[np.argsort(-share[common], kind="stable")[:MOST_CODES]])
    alone = np.bincount(owner, minlength=int(owner.max(initial=-1)) + 1)[owner[kept]] == 1
    scale = np.sqrt(share[kept] * np.where(alone, 1.0 - share[kept], 1.0))
    return kept, share[kept], scale


def code_components(scaled: Floats, owner: Ints, seed: int = 0) -> Floats:
    """Weights that make components of columns, each with a standard deviation of 1; [F, D], D may be 0.

    Args:
        scaled: Scaled columns, 0 where not measured; [n, F].
        owner: Which columns belong together, and are shuffled together; [F].
        seed: Of the shuffling.
    """
    rng = np.random.default_rng(seed)
    if len(scaled) > _MOST_ROWS:
        scaled = scaled[rng.choice(len(scaled), _MOST_ROWS, replace=False)]
    if len(scaled) < LEAST_PATIENTS or len(np.unique(owner)) < 2:
        return np.zeros((scaled.shape[1], 0))
    centred = scaled - scaled.mean(0)
    size, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    size, axes = size[::-1], axes[:, ::-1]
    largest = np.array([_largest_of_shuffled(centred, owner, rng) for _ in range(SHUFFLES)])
    edge = largest.mean() + SURE * largest.std(ddof=1)
    columns = np.stack([(axes[owner == each] ** 2).sum(0) for each in np.unique(owner)])
    broad = 1.0 / (columns**2).sum(0) >= LEAST_COLUMNS
    kept = np.flatnonzero((size > edge) & broad)[:MOST_COMPONENTS]
    return np.asarray(axes[:, kept] / np.sqrt(size[kept]), dtype=np.float64)


def _largest_of_shuffled(centred: Floats, owner: Ints, rng: np.random.Generator) -> float:
    """Largest spread in any direction once columns have nothing to do with each other."""
    shuffled = np.empty_like(centred)
    for each in np.unique(owner):
        own = owner == each
        shuffled[:, own] = centred[rng.permutation(len(centred))][:, own]
    return float(np.linalg.eigvalsh(shuffled.T @ shuffled / len(shuffled))[-1])


def outcome_components(scaled: Floats, weights: Floats, y: Ints) -> Floats:
    """Weights of what tells of the outcome and lies in no component, with a standard deviation of 1; [F, 0 to L - 1].

    It is the discriminant of the columns that surely go with the outcome, one for every class but the first, less what
    components have of it.

    Args:
        scaled: Scaled columns, 0 where not measured; [n, F].
        weights: Of the components; [F, D].
        y: Outcomes of the patients, 0, 1, ..; [n].
    """
    centred = scaled - scaled.mean(0)
    covariance = centred.T @ centred / len(centred)
    spread = np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
    found = weights[:, :0]
    for label in range(1, int(y.max(initial=0)) + 1):
        own = (y == label).astype(np.float64)
        if not 0.0 < own.mean() < 1.0:
            continue
        with_outcome = centred.T @ (own - own.mean()) / len(own) / own.std()
        sure = np.flatnonzero(np.abs(with_outcome / spread) * np.sqrt(len(own)) > TOLD)
        if not len(sure):
            continue
        inside = (covariance - np.outer(with_outcome, with_outcome))[np.ix_(sure, sure)] + RIDGE * np.eye(len(sure))
        direction = np.zeros(len(spread))
        direction[sure] = np.linalg.solve(inside, with_outcome[sure])
        basis = np.linalg.qr(np.concatenate([weights, found], axis=1))[0]
        rest = direction - basis @ (basis.T @ direction)
        if np.linalg.norm(rest) >= LEAST_REST * np.linalg.norm(direction):
            found = np.concatenate([found, (rest / np.sqrt(rest @ covariance @ rest))[:, None]], axis=1)
    return np.asarray(found, dtype=np.float64)
