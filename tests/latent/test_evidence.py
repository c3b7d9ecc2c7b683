from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, kstest

from gdsfd.latent.evidence import log_odds, outcome_inside_p, outcome_p, overlap, tie, told_by_suspects, weigh
from gdsfd.latent.gaussian_block import GaussianBlock
from gdsfd.latent.mixture import Mixture, Observed
from gdsfd.latent.search import fit_mixture
from tests.latent.drawn import a_mixture, draw


def writing(mixture: Mixture, outcome: np.ndarray) -> Mixture:
    """The same mixture with the outcome written elsewhere."""
    blocks = tuple(
        GaussianBlock(np.stack([0 * outcome, outcome])[:, mixture.block == k], each.stratum, each.covariance)
        for k, each in enumerate(mixture.blocks)
    )
    return replace(mixture, blocks=blocks)


@pytest.fixture(scope="module")
def practice():
    mixture = a_mixture(2.5)
    seen, y, _ = draw(mixture, 1500)
    return mixture, seen, y


def shuffled(seen: Observed, y: np.ndarray, names: list[str]) -> Observed:
    """Views that say nothing: re-drawn inside outcome classes."""
    views = dict(seen.views)
    for name in names:
        views[name] = np.random.default_rng(1).permutation(views[name])
    return Observed(seen.content, seen.block, views)


def test_tie_is_the_test_of_independence_with_hard_classes():
    rng = np.random.default_rng(0)
    y, u, codes = rng.integers(0, 2, 400), rng.integers(0, 2, 400), rng.integers(-1, 3, 400)
    codes[u == 1] = np.where(rng.random((u == 1).sum()) < 0.1, 2, codes[u == 1])
    statistic, freedom = 0.0, 0
    for label in (0, 1):
        table = np.zeros((2, 3))
        for i in range(400):
            if y[i] == label and codes[i] >= 0:
                table[u[i], codes[i]] += 1
        found = chi2_contingency(table, correction=False)
        statistic, freedom = statistic + found.statistic, freedom + found.dof
    assert tie(np.eye(2)[u], y, codes) == pytest.approx(chi2.sf(statistic, freedom))


def test_tie_of_uncertain_classes_is_held_against_their_own_variance():
    """With two classes: n times the squared correlation ratio, by hand; under independence p-values are uniform."""
    rng = np.random.default_rng(0)
    y, q, codes = np.zeros(300, dtype=int), rng.beta(4, 4, 300), rng.integers(0, 3, 300)
    between = sum((codes == c).sum() * (q[codes == c].mean() - q.mean()) ** 2 for c in range(3))
    assert tie(np.stack([q, 1 - q], 1), y, codes) == pytest.approx(
        chi2.sf(300 * between / ((q - q.mean()) ** 2).sum(), 2)
    )
    found = []
    for _ in range(1000):
        q, y, codes = rng.beta(4, 4, 300), rng.integers(0, 2, 300), rng.integers(0, 6, 300)
        found.append(tie(np.stack([q, 1 - q], 1), y, codes))
    assert 0.03 < np.mean(np.array(found) < 0.05) < 0.07


def test_uncertain_classes_are_tied_where_their_table_says_nothing():
    """Mean responsibilities of .45 and .55 at two sites: nothing in counts, plain beside what they vary by."""
    rng = np.random.default_rng(1)
    codes = np.arange(400) % 2
    q = np.clip(0.45 + 0.1 * codes + 0.08 * rng.standard_normal(400), 0, 1)
    share, y = np.stack([q, 1 - q], 1), np.zeros(400, dtype=int)
    table = np.stack([np.bincount(codes, each) for each in share.T])
    assert chi2_contingency(table, correction=False).pvalue > 0.01
    assert tie(share, y, codes) < 1e-6


def test_tie_of_levels_too_rare_to_test_is_none():
    y, codes = np.zeros(40, dtype=int), np.arange(40)
    assert tie(np.full((40, 2), 0.5), y, codes) == 1.0
    assert tie(np.full((40, 2), 0.5), y, np.full(40, -1)) == 1.0


def test_levels_that_are_rare_in_an_outcome_class_are_taken_together():
    """Each odd site sees few of these patients, but nearly all of the second class."""
    u = np.repeat([0, 1], [270, 30])
    codes = np.concatenate([np.arange(270) % 3 * 2, np.arange(30) % 3 * 2 + 1])
    assert tie(np.eye(2)[u], np.zeros(300, dtype=int), codes) == 1.0  # 10 of each odd site: too few even together
    u = np.repeat([0, 1], [240, 60])
    codes = np.concatenate([np.arange(240) % 3 * 2, np.arange(60) % 3 * 2 + 1])
    assert tie(np.eye(2)[u], np.zeros(300, dtype=int), codes) < 1e-20


def test_what_a_suspect_tells_of_the_outcome_is_the_test_of_their_table():
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 500)
    telling = np.where(rng.random(500) < 0.3, y, rng.integers(0, 3, 500))
    views = {"environment": telling, "pattern": np.where(rng.random(500) < 0.1, -1, rng.integers(0, 2, 500))}
    found = told_by_suspects(views, y)
    for name, codes in views.items():
        table = np.array(
            [[((codes == code) & (y == label)).sum() for code in np.unique(codes[codes >= 0])] for label in range(3)]
        )
        assert found[name] == pytest.approx(chi2_contingency(table, correction=False).pvalue)
    assert found["environment"] < 1e-6 < 0.01 < found["pattern"]


def test_overlap_is_the_cosine_in_the_metric_of_the_mixture():
    mixture, presence = a_mixture(), np.array([0.9, 0.5, 0.2])
    mixture = writing(mixture, np.array([1.0, 0.5, 0.0, 0.3, -0.4, 0.7]))
    dots = np.zeros(3)
    for share, block in zip(presence, mixture.blocks):
        b, c = block.outcome[1] - block.outcome[0], block.stratum[1] - block.stratum[0]
        inverse = share * np.linalg.inv(block.covariance)
        dots += [b @ inverse @ c, b @ inverse @ b, c @ inverse @ c]
    assert overlap(mixture, presence) == pytest.approx(abs(dots[0]) / np.sqrt(dots[1] * dots[2]))
    assert overlap(mixture.permuted(np.array([1, 0])), presence) == pytest.approx(overlap(mixture, presence))


def test_overlap_is_one_where_the_class_writes_what_the_outcome_writes():
    mixture = a_mixture()
    same = np.concatenate([each.stratum[1] - each.stratum[0] for each in mixture.blocks])
    assert overlap(writing(mixture, 3 * same), np.ones(3)) == pytest.approx(1.0)
    assert overlap(writing(mixture, 0 * same), np.ones(3)) == 0.0


def test_overlap_of_three_classes_is_the_projection_on_their_span():
    mixture = a_mixture()
    plain = tuple(GaussianBlock(each.outcome, each.stratum, np.eye(len(each.covariance))) for each in mixture.blocks)
    outcome = np.array([3.0, 4.0, 0, 0, 0, 0])
    stratum = np.array([[0.0] * 6, [2.0, 0, 0, 1.0, 0, 0], [0, 0, 0, 1.0, 0, 0]])
    three = tuple(
        GaussianBlock(each.outcome, stratum[:, mixture.block == k], each.covariance) for k, each in enumerate(plain)
    )
    found = overlap(writing(replace(mixture, blocks=three), outcome), np.ones(3))
    assert found == pytest.approx(0.6)  # of (3, 4) what lies along the first column


def test_the_outcome_inside_classes_is_walds_test_of_the_regression_on_both():
    """Every patient's cells one by one: information of all coefficients, and the outcome's block of its inverse."""
    certain = {"site": np.array([[1 - 1e-12, 1e-12], [1e-12, 1 - 1e-12]])}
    mixture = replace(a_mixture(), views=certain)
    seen, y, u = draw(a_mixture(), 200, missing=0.0)
    seen = Observed(seen.content, seen.block, {"site": u})
    modest = writing(mixture, np.array([0.3, 0, 0, 0.2, 0, 0.1]))
    statistic = 0.0
    for k, block in enumerate(modest.blocks):
        own = np.flatnonzero(mixture.block == k)
        d, here = len(own), np.isfinite(seen.content[:, own]).all(1)
        information, inverse = np.zeros((3 * d, 3 * d)), np.linalg.inv(block.covariance)
        for i in np.flatnonzero(here):
            row = np.kron([[1, y[i], u[i]]], np.eye(d))  # intercept, shift by the outcome, shift by the class
            information += row.T @ inverse @ row
        b = block.outcome[1] - block.outcome[0]
        statistic += b @ np.linalg.solve(np.linalg.inv(information)[d : 2 * d, d : 2 * d], b)
    found = outcome_inside_p(modest, seen, y)
    assert found == pytest.approx(chi2.sf(statistic, 6), rel=1e-6)
    assert 0.01 < found < 0.99


@pytest.mark.parametrize(("strength", "least"), [(12.0, 0.01), (2.5, 0.0)])
def test_of_a_fitted_mixture_it_is_not_small_where_the_outcome_shows_nowhere(strength, least):
    """Uniform where classes are certain; somewhat small, and nowhere near the threshold, where they are not."""
    found = []
    for seed in range(30):
        plain = writing(a_mixture(strength), np.zeros(6))
        seen, y, _ = draw(plain, 250, seed)
        fitted, _ = fit_mixture(seen, y, 2, seed=seed, draws=1, going_on=1)
        found.append(outcome_inside_p(fitted, seen, y))
    assert kstest(found, "uniform").pvalue >= least
    assert min(found) > 1e-4


def test_a_practice_beside_labels_of_which_many_are_wrong_is_left_alone():
    """Inside a class of such labels the true outcome goes with the practice: averaging would take both out."""
    mixture = a_mixture(2.5)
    share = np.array([[0.9, 0.1], [0.1, 0.9]])
    seen, true, _ = draw(replace(mixture, share=share), 1500)
    verdicts = []
    for wrong in (0.0, 0.45):
        y = np.where(np.random.default_rng(0).random(1500) < wrong, 1 - true, true)
        fitted, _ = fit_mixture(seen, y, 2)
        verdicts.append(weigh(fitted, seen, y))
    clean, noisy = verdicts
    assert clean.adjust
    assert clean.outcome_inside_p < 1e-12
    assert noisy.outcome_inside_p > 1e-3
    assert max(noisy.ties.values()) < 1e-3
    assert noisy.verdict == "cannot tell"
    assert "with many wrong labels averaging them out would average the outcome out, too" in noisy.sentence


def test_log_odds():
    assert log_odds(a_mixture()) == pytest.approx(np.log(0.8 * 0.75 / (0.2 * 0.25)))


def test_a_practice_is_adjusted_for(practice):
    mixture, seen, y = practice
    found = weigh(mixture, seen, y)
    assert found.verdict == "practice"
    assert found.adjust
    assert max(found.ties.values()) < 1e-3
    assert "2 kinds of practice were found, told by site and pattern" in found.sentence
    assert found.masses == pytest.approx(tuple(mixture.marginal))


def test_classes_tied_to_nothing_are_left_alone(practice):
    mixture, seen, y = practice
    found = weigh(mixture, shuffled(seen, y, ["site", "pattern"]), y)
    assert (found.verdict, found.adjust) == ("cannot tell", False)
    assert "errors in the labels look like this, too; they are not adjusted for" in found.sentence
    only = weigh(mixture, shuffled(seen, y, ["site"]), y)
    assert only.adjust
    assert "told by pattern;" in only.sentence
    none = weigh(replace(mixture, views={}), Observed(seen.content, seen.block, {}), y)
    assert none.verdict == "cannot tell"
    assert "no suspect is declared" in none.sentence


@pytest.mark.parametrize("silent", [["site"], ["site", "pattern"]])
def test_classes_tied_to_suspects_that_tell_nothing_of_the_outcome_are_no_practice(silent):
    """Those who have most of the practice inside each outcome class are in one hospital, half of the class."""
    mixture = a_mixture(2.5)
    seen, y, u = draw(mixture, 1500)
    rng = np.random.default_rng(0)
    views = dict(seen.views)
    for name in silent:
        score = u + rng.normal(size=1500)
        views[name] = np.where(y == 1, score > np.median(score[y == 1]), score > np.median(score[y == 0])).astype(int)
    tables = {
        name: np.stack([np.bincount(c[(u == k) & (c >= 0)], minlength=3) + 1.0 for k in (0, 1)])
        for name, c in views.items()
    }
    mixture = replace(mixture, views={name: each / each.sum(1, keepdims=True) for name, each in tables.items()})
    found = weigh(mixture, Observed(seen.content, seen.block, views), y)
    assert max(found.ties.values()) < 1e-3
    assert found.outcome_p < 1e-3
    assert found.overlap < 0.33
    assert found.verdict == "cannot tell"
    words = "site and pattern tell nothing" if len(silent) > 1 else "site tells nothing"
    assert f"tied to site and pattern, but {words} of the outcome (p " in found.sentence


@pytest.mark.parametrize(("along", "verdict"), [(1.0, "severity"), (0.355, "cannot tell"), (0.1, "practice")])
def test_classes_that_write_where_the_outcome_writes_are_severity(practice, along, verdict):
    mixture, seen, y = practice
    root = [np.linalg.cholesky(np.linalg.inv(each.covariance)) for each in mixture.blocks]
    c = np.concatenate([(each.stratum[1] - each.stratum[0]) @ r for each, r in zip(mixture.blocks, root)])
    aside = np.eye(6)[0] - c[0] * c / (c @ c)
    b = along * c / np.linalg.norm(c) + np.sqrt(1 - along**2) * aside / np.linalg.norm(aside)
    places = [np.flatnonzero(mixture.block == k) for k in range(3)]
    outcome = np.concatenate([np.linalg.solve(r.T, b[own]) for r, own in zip(root, places)])
    moved = writing(mixture, outcome)
    whole = Observed(draw(moved, 1500, missing=0.0)[0].content, seen.block, seen.views)
    present = [np.isfinite(whole.content[:, own]).any(1).mean() for own in places]
    assert overlap(moved, np.array(present)) == pytest.approx(along, abs=0.05)
    seen, y, _ = draw(moved, 1500)
    found = weigh(moved, seen, y)
    assert found.verdict == verdict, found
    assert found.adjust == (verdict == "practice")


def test_classes_that_tell_nothing_of_the_outcome_are_no_confounder():
    alike = replace(a_mixture(2.5), share=np.full((2, 2), 0.5), marginal=np.full(2, 0.5))
    seen, y, _ = draw(alike, 1500)
    assert outcome_p(alike, seen, y) == 1.0
    found = weigh(alike, seen, y)
    assert (found.verdict, found.adjust) == ("none", False)
    assert "No latent confounder was found: 2 classes" in found.sentence


def test_one_class_is_no_confounder(practice):
    mixture, seen, y = practice
    one = Mixture(
        np.ones((2, 1)), {}, tuple(replace(b, stratum=b.stratum[:1]) for b in mixture.blocks), seen.block, np.ones(1)
    )
    found = weigh(one, seen, y)
    assert (found.classes, found.verdict, found.overlap) == (1, "none", None)
    assert found.sentence.startswith("No latent confounder was found")
