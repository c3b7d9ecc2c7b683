from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gdsfd.latent.gaussian_block import PRIOR_SHIFT, Cells, GaussianBlock


@pytest.fixture
def content() -> np.ndarray:
    rng = np.random.default_rng(0)
    content = rng.normal(size=(60, 4))
    content[rng.random((60, 4)) < 0.3] = np.nan
    content[:5] = np.nan
    return content


@pytest.fixture
def block() -> GaussianBlock:
    rng = np.random.default_rng(1)
    root = rng.normal(size=(4, 4))
    return GaussianBlock(rng.normal(size=(2, 4)), rng.normal(size=(3, 4)), root @ root.T + np.eye(4))


def test_density_is_that_of_the_measured_cells_patient_by_patient(content, block):
    cells, y = Cells.of(content), np.arange(60) % 2
    found = block.log_density(cells, y[cells.rows])
    assert not np.isin(np.arange(5), cells.rows).any()  # a patient without the modality is not asked
    for place, row in enumerate(cells.rows):
        known = np.isfinite(content[row])
        for u in range(3):
            mean = (block.outcome[y[row]] + block.stratum[u])[known]
            wanted = multivariate_normal(mean, block.covariance[np.ix_(known, known)]).logpdf(content[row, known])
            assert found[place, u] == pytest.approx(wanted)


def test_sets_of_all_sizes_have_the_density_of_their_cells():
    """Eleven columns: sets are inverted in groups of about one size, which takes cells that are missing along."""
    rng = np.random.default_rng(5)
    content, y = rng.normal(size=(80, 11)), np.arange(80) % 2
    content[rng.random((80, 11)) < np.linspace(0, 1, 80)[:, None]] = np.nan
    root = rng.normal(size=(11, 11))
    block = GaussianBlock(rng.normal(size=(2, 11)), rng.normal(size=(3, 11)), root @ root.T + np.eye(11))
    cells = Cells.of(content)
    assert len(cells.by_size) == 3  # up to 4, 8 and 11 columns
    assert sorted(np.concatenate([sets for sets, _, _ in cells.by_size])) == list(range(len(cells.observed)))
    found, precision = block.log_density(cells, y[cells.rows]), block.precision(cells)
    for place, row in enumerate(cells.rows):
        known = np.isfinite(content[row])
        inverse = np.zeros((11, 11))
        inverse[np.ix_(known, known)] = np.linalg.inv(block.covariance[np.ix_(known, known)])
        assert precision[cells.which[place]] == pytest.approx(inverse)
        for u in range(3):
            mean = (block.outcome[y[row]] + block.stratum[u])[known]
            wanted = multivariate_normal(mean, block.covariance[np.ix_(known, known)]).logpdf(content[row, known])
            assert found[place, u] == pytest.approx(wanted)


def test_a_whole_modality_takes_the_same_way_as_one_with_holes(block):
    content = np.random.default_rng(2).normal(size=(30, 4))
    y = np.arange(30) % 2
    whole = block.log_density(Cells.of(content), y)
    content[0, 0] = np.nan  # now there are two sets of columns
    assert block.log_density(Cells.of(content), y)[1:] == pytest.approx(whole[1:])


LINE = np.array([-1.0, 0.5, 2.0])


def test_a_step_on_a_line_is_least_squares_with_one_direction(block):
    """Of whole rows: every patient once per class, weighted by its share, on its outcome and the class's level."""
    rng = np.random.default_rng(4)
    content, y, share = rng.normal(size=(40, 4)), np.arange(40) % 2, rng.dirichlet(np.ones(3), 40)
    cells = Cells.of(content)
    found = block.step(cells, y, block.e_step(cells, y), share, LINE)
    rows, values = [], []
    for i in range(40):
        for u in range(3):
            weight = np.sqrt(share[i, u])
            rows.append(weight * np.array([y[i] == 0, y[i] == 1, LINE[u]]))
            values.append(weight * content[i])
    for prior in (np.eye(3)[0], np.eye(3)[1], *(np.array([0, 0, level]) for level in LINE)):
        rows.append(np.sqrt(PRIOR_SHIFT) * prior)  # each shift is drawn to 0
        values.append(np.zeros(4))
    wanted = np.linalg.lstsq(np.array(rows), np.array(values), rcond=None)[0]
    assert found.outcome == pytest.approx(wanted[:2])
    assert found.stratum == pytest.approx(LINE[:, None] * wanted[2])


@pytest.mark.parametrize("levels", [None, LINE])
def test_a_step_raises_the_expected_log_posterior_to_its_top(content, block, levels):
    """With responsibilities held, repeated steps end where no small change of a parameter gains anything."""
    cells, y = Cells.of(content), np.arange(60) % 2
    own = y[cells.rows]
    share = np.random.default_rng(3).dirichlet(np.ones(3), len(own))

    def value(each: GaussianBlock) -> float:
        # With responsibilities fixed, missing cells are integrated out of this bound class by class.
        return float((share * each.log_density(cells, own)).sum()) + each.log_prior()

    if levels is not None:
        block = GaussianBlock(block.outcome, levels[:, None] * block.stratum[0], block.covariance)
    before = value(block)
    for _ in range(400):
        block = block.step(cells, own, block.e_step(cells, own), share, levels)
        now = value(block)
        assert now >= before - 1e-9
        before = now
    for seed in range(5):
        rng = np.random.default_rng(seed)
        nudge = rng.normal(size=(4, 4)) * 1e-3
        along = nudge[:3] if levels is None else levels[:, None] * nudge[0]
        moved = [
            GaussianBlock(block.outcome + nudge[:2], block.stratum, block.covariance),
            GaussianBlock(block.outcome, block.stratum + along, block.covariance),
            GaussianBlock(block.outcome, block.stratum, block.covariance + nudge + nudge.T),
        ]
        assert max(value(each) for each in moved) < before + 1e-9


def test_a_modality_nobody_has_and_a_constant_column_stay_finite():
    empty = Cells.of(np.full((8, 2), np.nan))
    block = GaussianBlock(np.zeros((2, 2)), np.zeros((2, 2)), np.eye(2))
    none = np.zeros(0, dtype=np.int64)
    after = block.step(empty, none, block.e_step(empty, none), np.zeros((0, 2)))
    assert np.isfinite(after.covariance).all()
    assert (after.outcome == 0).all()
    constant = Cells.of(np.zeros((50, 2)))
    y, share = np.arange(50) % 2, np.full((50, 2), 0.5)
    for _ in range(30):
        block = block.step(constant, y, block.e_step(constant, y), share)
    assert np.isfinite(block.log_density(constant, y)).all()
    assert np.linalg.eigvalsh(block.covariance).min() > 1e-3
