from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from gdsfd.latent.gaussian_block import Cells, GaussianBlock


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


def test_a_whole_modality_takes_the_same_way_as_one_with_holes(block):
    content = np.random.default_rng(2).normal(size=(30, 4))
    y = np.arange(30) % 2
    whole = block.log_density(Cells.of(content), y)
    content[0, 0] = np.nan  # now there are two sets of columns
    assert block.log_density(Cells.of(content), y)[1:] == pytest.approx(whole[1:])


def test_a_step_raises_the_expected_log_posterior_to_its_top(content, block):
    """With responsibilities held, repeated steps end where no small change of a parameter gains anything."""
    cells, y = Cells.of(content), np.arange(60) % 2
    own = y[cells.rows]
    share = np.random.default_rng(3).dirichlet(np.ones(3), len(own))

    def value(each: GaussianBlock) -> float:
        # With responsibilities fixed, missing cells are integrated out of this bound class by class.
        return float((share * each.log_density(cells, own)).sum()) + each.log_prior()

    before = value(block)
    for _ in range(400):
        block = block.step(cells, own, block.e_step(cells, own), share)
        now = value(block)
        assert now >= before - 1e-9
        before = now
    for seed in range(5):
        rng = np.random.default_rng(seed)
        nudge = rng.normal(size=(4, 4)) * 1e-3
        moved = [
            GaussianBlock(block.outcome + nudge[:2], block.stratum, block.covariance),
            GaussianBlock(block.outcome, block.stratum + nudge[:3], block.covariance),
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
