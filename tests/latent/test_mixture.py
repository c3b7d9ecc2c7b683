from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

from gdsfd.latent.mixture import Fit, Mixture, Observed
from gdsfd.latent.search import fit_mixture
from tests.latent.drawn import a_mixture, draw


@pytest.fixture(scope="module")
def drawn():
    return draw(a_mixture(), 1500)


@pytest.fixture(scope="module")
def fitted(drawn) -> tuple[Mixture, list[float]]:
    seen, y, _ = drawn
    return fit_mixture(seen, y, 2)


def slow_joint(mixture: Mixture, seen: Observed, row: int, y: int, u: int, views: bool = True) -> float:
    """log p(u, x, v | y) of one patient, modality by modality."""
    total = np.log(mixture.share[y, u])
    for name, table in mixture.views.items() if views else ():
        code = seen.views[name][row]
        total += np.log(table[u, code]) if code >= 0 else 0.0
    for k, block in enumerate(mixture.blocks):
        x = seen.content[row, mixture.block == k]
        known = np.isfinite(x)
        if known.any():
            mean = (block.outcome[y] + block.stratum[u])[known]
            total += multivariate_normal(mean, block.covariance[np.ix_(known, known)]).logpdf(x[known])
    return total


def test_likelihood_equals_the_slow_one(drawn):
    (seen, y, _), mixture = drawn, a_mixture()
    rows = np.arange(0, 60)
    part = seen.rows(rows)
    joint, level = mixture.log_joint(part, y[rows]), mixture.log_likelihood(part, y[rows])
    share = np.array([[0.3, 0.7], [0.9, 0.1]])
    score = mixture.outcome_log_density(part, share)
    for row in rows:
        wanted = [slow_joint(mixture, seen, row, y[row], u) for u in range(2)]
        assert joint[row] == pytest.approx(wanted)
        assert level[row] == pytest.approx(np.log(np.sum(np.exp(wanted))))
        for label in range(2):
            plain = [slow_joint(mixture, seen, row, label, u, views=False) for u in range(2)]
            weighted = np.exp(plain) / mixture.share[label] * share[label]
            assert score[row, label] == pytest.approx(np.log(weighted.sum()))


def test_em_never_lowers_the_posterior(drawn):
    seen, y, _ = drawn
    fit = Fit(seen, y, 2)
    for classes in (1, 2, 4):
        share = np.random.default_rng(classes).dirichlet(np.ones(classes), len(y))
        for _ in range(3):  # several times a few rounds: the tolerance does not end it
            mixture, trace = fit.run(fit.first(share), 25)
            assert (np.diff(trace) > -1e-8).all()
            assert len(trace) > 2 or classes == 1
            share = mixture.responsibilities(seen, y)


def test_a_mixture_drawn_from_itself_is_recovered(drawn, fitted):
    (_, _, u), (mixture, trace), true = drawn, fitted, a_mixture()
    seen, y = drawn[:2]
    share = mixture.responsibilities(seen, y)
    if roc_auc_score(u, share[:, 1]) < 0.5:
        mixture = mixture.permuted(np.array([1, 0]))
    assert (np.diff(trace) > -1e-8).all()
    assert roc_auc_score(u, mixture.responsibilities(seen, y)[:, 1]) > 0.9
    assert mixture.share == pytest.approx(true.share, abs=0.07)
    assert mixture.views["site"] == pytest.approx(true.views["site"], abs=0.07)
    for found, wanted in zip(mixture.blocks, true.blocks):
        assert found.outcome[1] - found.outcome[0] == pytest.approx(wanted.outcome[1] - wanted.outcome[0], abs=0.25)
        assert found.stratum[1] - found.stratum[0] == pytest.approx(wanted.stratum[1] - wanted.stratum[0], abs=0.25)
        assert found.covariance == pytest.approx(wanted.covariance, abs=0.15)
    assert mixture.log_likelihood(seen, y).mean() > true.log_likelihood(seen, y).mean() - 0.01


def test_the_order_of_classes_patients_and_columns_changes_nothing(drawn, fitted):
    (seen, y, _), (mixture, _) = drawn, fitted
    other = mixture.permuted(np.array([1, 0]))
    assert other.log_likelihood(seen, y) == pytest.approx(mixture.log_likelihood(seen, y))
    assert other.responsibilities(seen, y)[:, ::-1] == pytest.approx(mixture.responsibilities(seen, y))
    same = np.tile(mixture.marginal, (2, 1))
    assert other.outcome_log_density(seen, same[:, ::-1]) == pytest.approx(mixture.outcome_log_density(seen, same))
    rows = np.random.default_rng(0).permutation(len(y))
    assert mixture.log_likelihood(seen.rows(rows), y[rows]) == pytest.approx(mixture.log_likelihood(seen, y)[rows])
    one = seen.rows(rows[:1])  # one patient alone as among others
    assert mixture.outcome_log_density(one, same) == pytest.approx(mixture.outcome_log_density(seen, same)[rows[:1]])


def test_a_view_left_out_is_not_looked_at(drawn, fitted):
    (seen, y, _), (mixture, _) = drawn, fitted
    found = mixture.responsibilities(seen, y, without="site")
    shuffled = Observed(seen.content, seen.block, {**seen.views, "site": np.roll(seen.views["site"], 1)})
    assert (mixture.responsibilities(shuffled, y, without="site") == found).all()
    assert not np.allclose(mixture.responsibilities(shuffled, y), found)


def test_what_is_not_there_says_nothing(drawn, fitted):
    (seen, y, _), (mixture, _) = drawn, fitted
    nothing = Observed(np.full_like(seen.content, np.nan), seen.block, {name: -np.ones_like(y) for name in seen.views})
    assert mixture.responsibilities(nothing, y) == pytest.approx(mixture.share[y])
    unheard = Observed(seen.content, seen.block, {**seen.views, "site": np.full(len(y), 99)})
    assert mixture.log_joint(unheard, y) == pytest.approx(mixture.log_joint(seen, y, without="site"))


def test_odd_cohorts_give_finite_mixtures():
    seen, y, _ = draw(a_mixture(), 60, seed=3)
    content = seen.content.copy()
    content[:, 2] = 1.0  # constant
    content[y == 1, 5] = np.nan  # a modality that nobody with the outcome has
    odd = Observed(content, seen.block, {"site": np.zeros_like(y), "pattern": np.full_like(y, -1)})
    mixture, trace = fit_mixture(odd, y, 3)
    assert np.isfinite(trace).all()
    assert np.isfinite(mixture.outcome_log_density(odd, mixture.share)).all()
    assert mixture.responsibilities(odd, y).sum(1) == pytest.approx(np.ones(60))
    assert "pattern" not in mixture.views
    again, _ = fit_mixture(odd, y, 3)
    assert (again.share == mixture.share).all()  # the seed decides everything


def test_three_outcomes():
    seen, y, u = draw(a_mixture(), 600, seed=5)
    three = np.where((y == 1) & (np.arange(600) % 3 == 0), 2, y)
    mixture, trace = fit_mixture(seen, three, 2, outcomes=3)
    assert mixture.share.shape == (3, 2)
    assert (np.diff(trace) > -1e-8).all()
    area = roc_auc_score(u, mixture.responsibilities(seen, three)[:, 1])
    assert max(area, 1 - area) > 0.85
