r"""One modality's part of a mixture inside outcome classes: a Gaussian whose missing cells are integrated out.

For a patient of outcome :math:`y` in class :math:`u` the modality's numbers are :math:`N(a_y + c_u, S)`. Of a patient
without the modality nothing is said, and of one with a few cells missing what is said is the marginal of the others;
neither presence nor an imputed value is ever part of the content.

The estimate is the mode under a weak conjugate prior (shifts matrix normal, covariance inverse Wishart), so that
classes without patients, constant columns and more columns than patients have an answer, and EM never lowers the
posterior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

__all__ = ["PRIOR_ROWS", "PRIOR_SHIFT", "Cells", "GaussianBlock"]

#: Patients that the prior covariance, the identity, counts as (content is standardised).
PRIOR_ROWS = 10.0
#: Patients that the prior of the shifts, zero, counts as.
PRIOR_SHIFT = 0.1
#: Patients whose matrices are held at once.
_CHUNK = 4096
#: Sets of columns whose sizes differ by less are inverted together.
_STEP = 4

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """One modality's content among the patients who have at least one cell of it.

    Args:
        rows: Those patients; [n].
        values: Content, 0 where not measured; [n, d].
        observed: The different sets of measured columns; bool [P, d].
        which: Set of each patient; [n].
    """

    rows: Ints
    values: Floats
    observed: NDArray[np.bool_]
    which: Ints

    @classmethod
    def of(cls, content: Floats) -> Cells:
        """Reads content, NaN = not measured; [N, d]."""
        known = np.isfinite(content)
        rows = np.flatnonzero(known.any(1))
        observed, which = np.unique(known[rows], axis=0, return_inverse=True)
        values = np.where(known[rows], content[rows], 0.0)
        return cls(rows, values, observed.reshape(-1, content.shape[1]), np.asarray(which).reshape(-1))

    @cached_property
    def whole(self) -> bool:
        """Whether every patient has every cell."""
        return len(self.observed) == 1 and bool(self.observed.all())

    @cached_property
    def products(self) -> Floats:
        """Sum over patients of the products of their values; [d, d]."""
        return np.asarray(self.values.T @ self.values, dtype=np.float64)

    @cached_property
    def by_size(self) -> list[tuple[Ints, Ints, NDArray[np.bool_]]]:
        """Sets of about one size: which, their columns, and which of these are measured; [g], [g, s] and [g, s].

        A set of fewer columns than the others has some that were not measured at the end, so that all have s.
        """
        size = self.observed.sum(1)
        width = np.minimum(-(-size // _STEP) * _STEP, self.observed.shape[1])
        first = np.argsort(~self.observed, axis=1, kind="stable")  # measured columns before the others
        groups = []
        for each in np.unique(width):
            sets = np.flatnonzero(width == each)
            groups.append((sets, first[sets, :each], np.arange(each) < size[sets, None]))
        return groups

    def times(self, matrices: Floats, vectors: Floats) -> Floats:
        """Each patient's vector by the symmetric matrix of its set; [n, d]."""
        if len(matrices) == 1:
            return vectors @ matrices[0]
        out = np.empty_like(vectors)
        for first in range(0, len(vectors), _CHUNK):
            part = slice(first, first + _CHUNK)
            out[part] = np.matmul(matrices[self.which[part]], vectors[part, :, None])[:, :, 0]
        return out

    def expected(self, share: Floats, values: Floats) -> Floats:
        """Each patient's mean over classes of a vector by set and class; [n, d].

        Args:
            share: Responsibilities; [n, K].
            values: The vectors; [P, K, d].
        """
        if len(values) == 1:
            return share @ values[0]
        out = np.empty((len(share), values.shape[2]))
        for first in range(0, len(share), _CHUNK):
            part = slice(first, first + _CHUNK)
            out[part] = np.matmul(share[part, None], values[self.which[part]])[:, 0]
        return out


@dataclass(frozen=True)
class GaussianBlock:
    """Parameters of one modality.

    Args:
        outcome: ``a``: mean by outcome; [L, d].
        stratum: ``c``: shift by class; [K, d].
        covariance: ``S``; [d, d].
    """

    outcome: Floats
    stratum: Floats
    covariance: Floats

    def __post_init__(self) -> None:
        # How arrays lie in memory decides the order of sums: fitted and read again a block gives the same last bits.
        for name in ("outcome", "stratum", "covariance"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name)))

    def log_density(self, cells: Cells, y: Ints) -> Floats:
        """Log-density, in nats, of the measured cells for each class; [n, K].

        Args:
            cells: The content.
            y: Outcome of each of its patients; [n].
        """
        return self.e_step(cells, y)[0]

    def log_prior(self) -> float:
        """Log-density of the parameters under the prior, up to a constant, in nats."""
        shifts = np.concatenate([self.outcome, self.stratum])
        d = len(self.covariance)
        scale = PRIOR_ROWS * np.eye(d) + PRIOR_SHIFT * shifts.T @ shifts
        size = np.linalg.slogdet(self.covariance)[1]
        trace = np.trace(np.linalg.solve(self.covariance, scale))
        return float(-0.5 * (len(shifts) + PRIOR_ROWS + d + 1) * size - 0.5 * trace)

    def step(
        self,
        cells: Cells,
        y: Ints,
        expected: tuple[Floats, Floats, Floats, Floats],
        share: Floats,
        levels: Floats | None = None,
    ) -> GaussianBlock:
        """EM's M-step.

        Args:
            cells: The content.
            y: Outcome of each of its patients; [n].
            expected: What :meth:`e_step` gave.
            share: Responsibility of each class for each of the patients, which sum to one; [n, K].
            levels: Where each class lies on a line: the shifts are these times one direction; [K]. None = anywhere.
        """
        count_y, d = self.outcome.shape
        design = np.concatenate([np.eye(count_y)[y], share], axis=1)
        if cells.whole:  # nothing is missing, and nothing has to be expected
            by_class, target, products = design[:, :count_y].T @ share, design.T @ cells.values, cells.products
        else:
            by_class, target, products = self._expected_sums(cells, y, expected, share, design)
        gram = np.diag(np.concatenate([by_class.sum(1), by_class.sum(0)]) + PRIOR_SHIFT)
        gram[:count_y, count_y:], gram[count_y:, :count_y] = by_class, by_class.T
        # Shifts are ``free @ coefficients``; one row of coefficients, the direction, is all that a line's have.
        free = np.eye(len(gram)) if levels is None else block_diag(np.eye(count_y), levels[:, None])
        shifts: Floats = free @ np.linalg.solve(free.T @ gram @ free, free.T @ target).astype(np.float64)
        fitted = target.T @ shifts
        scatter = PRIOR_ROWS * np.eye(d) + products - fitted - fitted.T + shifts.T @ gram @ shifts
        covariance = scatter / (len(y) + len(shifts) + PRIOR_ROWS + d + 1)
        return GaussianBlock(shifts[:count_y], shifts[count_y:], 0.5 * (covariance + covariance.T))

    def _expected_sums(
        self, cells: Cells, y: Ints, expected: tuple[Floats, Floats, Floats, Floats], share: Floats, design: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Expected sums over patients, of cells that were not measured as well.

        They are of patients by outcome and class, [L, K], of content by outcome and by class, [L + K, d], and of
        products of content, [d, d].
        """
        _, whitened, precision, moved = expected
        (count_y, d), count_u, sets = self.outcome.shape, len(self.stratum), len(precision)
        # Content of a patient in class u, what was measured and the regression on it of what was not, is ``base`` of
        # the patient and ``added`` by the set and the class: sums over patients are sums over sets.
        base = self.outcome[y] + whitened @ self.covariance
        added = self.stratum - moved @ self.covariance  # [P, K, d]
        place = cells.which * count_y + y
        weight = np.stack([np.bincount(place, each, sets * count_y) for each in share.T], axis=1)
        weight = weight.reshape(sets, count_y, count_u)  # patients of each set, outcome and class
        weighted = weight.sum(1)[:, :, None] * added
        target = design.T @ base
        target[:count_y] += weight.transpose(1, 0, 2).reshape(count_y, sets * count_u) @ added.reshape(-1, d)
        target[count_y:] += weighted.sum(0)
        cross = base.T @ cells.expected(share, added)
        products = base.T @ base + cross + cross.T + weighted.reshape(-1, d).T @ added.reshape(-1, d)
        counts = np.bincount(cells.which, minlength=sets).astype(np.float64)
        known = (counts @ precision.reshape(sets, d * d)).reshape(d, d)
        # Of cells that were not measured the spread that is left.
        products += len(y) * self.covariance - self.covariance @ known @ self.covariance
        return weight.sum(0), target, products

    def precision(self, cells: Cells) -> Floats:
        """Inverse covariance of each set of measured columns, zero wherever a cell is missing; [P, d, d]."""
        return self._inverted(cells)[0]

    def _inverted(self, cells: Cells) -> tuple[Floats, Floats]:
        """:meth:`precision`, and the log-determinant of each set's covariance; [P]."""
        sets, d = cells.observed.shape
        precision, size = np.zeros((sets, d, d)), np.empty(sets)
        for own, columns, measured in cells.by_size:
            rows, across = columns[:, :, None], columns[:, None, :]
            part = self.covariance[rows, across]
            if not measured.all():  # the identity where cells are missing
                both = measured[:, :, None] & measured[:, None, :]
                part = np.where(both, part, np.eye(len(both[0])))
            size[own] = 2.0 * np.log(np.linalg.cholesky(part).diagonal(axis1=1, axis2=2)).sum(1)
            inverse = np.linalg.inv(part)
            precision[own[:, None, None], rows, across] = inverse if measured.all() else inverse * both
        return precision, size

    def e_step(self, cells: Cells, y: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """:meth:`log_density`, and what :meth:`step` makes use of."""
        precision, size = self._inverted(cells)
        size = size + cells.observed.sum(1) * np.log(2.0 * np.pi)
        rest = cells.values - self.outcome[y]
        whitened = cells.times(precision, rest)  # cells that are missing have no part in it
        moved = np.matmul(self.stratum, precision)  # each shift by the symmetric matrix of a set; [P, K, d]
        by_set = (moved * self.stratum).sum(2) + size[:, None]
        distance = np.einsum("nd,nd->n", rest, whitened)[:, None] - 2.0 * whitened @ self.stratum.T
        return -0.5 * (distance + by_set[cells.which]), whitened, precision, moved
