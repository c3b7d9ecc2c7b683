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

    def times(self, matrices: Floats, vectors: Floats) -> Floats:
        """Each patient's vector by the symmetric matrix of its set; [n, d]."""
        if len(matrices) == 1:
            return vectors @ matrices[0]
        out = np.empty_like(vectors)
        for first in range(0, len(vectors), _CHUNK):
            part = slice(first, first + _CHUNK)
            out[part] = np.matmul(matrices[self.which[part]], vectors[part, :, None])[:, :, 0]
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
            share: Responsibility of each class for each of the patients; [n, K].
            levels: Where each class lies on a line: the shifts are these times one direction; [K]. None = anywhere.
        """
        _, whitened, precision, moved = expected
        (count_y, d), count_u = self.outcome.shape, len(self.stratum)
        own = np.eye(count_y)[y]
        gram = np.zeros((count_y + count_u, count_y + count_u))
        by_class = own.T @ share
        gram[:count_y, :count_y] = np.diag(by_class.sum(1))
        gram[:count_y, count_y:], gram[count_y:, :count_y] = by_class, by_class.T
        gram[count_y:, count_y:] = np.diag(by_class.sum(0))
        target = np.zeros((count_y + count_u, d))
        filled = []
        base, moved = self.outcome[y] + whitened @ self.covariance, moved @ self.covariance
        for u in range(count_u):
            # Expected content of class u: what was measured, and the regression on it of what was not.
            content = base + (self.stratum[u] - moved[:, u])[cells.which]
            weighted = share[:, [u]] * content
            target[:count_y] += own.T @ weighted
            target[count_y + u] = weighted.sum(0)
            filled.append(content)
        gram += PRIOR_SHIFT * np.eye(len(gram))
        # Shifts are ``free @ coefficients``; one row of coefficients, the direction, is all that a line's have.
        free = np.eye(len(gram)) if levels is None else block_diag(np.eye(count_y), levels[:, None])
        shifts: Floats = free @ np.linalg.solve(free.T @ gram @ free, free.T @ target).astype(np.float64)
        outcome, stratum = shifts[:count_y], shifts[count_y:]
        scatter = PRIOR_ROWS * np.eye(d) + PRIOR_SHIFT * shifts.T @ shifts
        for u, content in enumerate(filled):
            rest = content - outcome[y] - stratum[u]
            scatter += (share[:, [u]] * rest).T @ rest
        counts = np.bincount(cells.which, minlength=len(precision))
        known = np.einsum("p,pij->ij", counts, precision)
        # Of cells that were not measured the spread that is left.
        scatter += len(y) * self.covariance - self.covariance @ known @ self.covariance
        covariance = scatter / (len(y) + len(shifts) + PRIOR_ROWS + d + 1)
        return GaussianBlock(outcome, stratum, 0.5 * (covariance + covariance.T))

    def precision(self, cells: Cells) -> Floats:
        """Inverse covariance of each set of measured columns, zero wherever a cell is missing; [P, d, d]."""
        return self._padded(cells)[1]

    def _padded(self, cells: Cells) -> tuple[Floats, Floats]:
        """Covariances with the identity where cells are missing, and :meth:`precision`."""
        observed = cells.observed.astype(np.float64)
        both = observed[:, :, None] * observed[:, None, :]
        missing = np.eye(observed.shape[1]) * (1.0 - observed)[:, :, None]
        padded = self.covariance * both + missing
        return padded, np.linalg.inv(padded) * both

    def e_step(self, cells: Cells, y: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """:meth:`log_density`, and what :meth:`step` makes use of."""
        observed = cells.observed.astype(np.float64)
        padded, precision = self._padded(cells)
        half = np.log(np.linalg.cholesky(padded).diagonal(axis1=1, axis2=2)).sum(1)
        size = 2.0 * half + observed.sum(1) * np.log(2.0 * np.pi)
        rest = (cells.values - self.outcome[y]) * observed[cells.which]
        whitened = cells.times(precision, rest)
        distance = (rest * whitened).sum(1, keepdims=True) - 2.0 * whitened @ self.stratum.T
        moved = np.matmul(self.stratum, precision)  # each shift by the symmetric matrix of a set; [P, K, d]
        distance += (moved * self.stratum).sum(2)[cells.which]
        return -0.5 * (distance + size[cells.which, None]), whitened, precision, moved
