"""Levels on a line: a graded practice takes them, two kinds of practice stay two classes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

import gdsfd
from gdsfd import Debiaser
from gdsfd.latent.back_door import BackDoor
from gdsfd.latent.content import ContentReader
from gdsfd.latent.evidence import weigh
from gdsfd.latent.found_strata import find_strata
from gdsfd.latent.line import LEVELS, _LineFit, _start, fit_line, likelier
from gdsfd.latent.mixture import Mixture, Observed
from gdsfd.latent.search import fit_mixture
from gdsfd.simulation import load_truth
from tests.latent.drawn import BLOCK, a_mixture, draw, draw_graded
from tests.latent.test_mixture import slow_joint

SHARP = 3.0


@pytest.fixture(scope="module")
def graded():
    seen, y, t = draw_graded(a_mixture(SHARP), 1500)
    classes, _ = fit_mixture(seen, y, 2)
    return seen, y, t, classes, fit_line(classes, seen, y)


def correlation(t: np.ndarray, mixture, seen: Observed, y: np.ndarray, places: np.ndarray) -> float:
    return abs(float(np.corrcoef(mixture.responsibilities(seen, y) @ places, t)[0, 1]))


def test_a_practice_that_is_a_number_takes_the_line_and_is_followed_more_closely(graded):
    seen, y, t, classes, (line, _) = graded
    assert likelier(line, classes, seen, y)
    assert weigh(line, seen, y).adjust
    followed = correlation(t, line, seen, y, LEVELS)
    assert followed > correlation(t, classes, seen, y, np.arange(2)) + 0.03
    assert followed > 0.85
    true = a_mixture(SHARP)
    for found, wanted in zip(line.blocks, true.blocks):
        per_level = (found.stratum[-1] - found.stratum[0]) / np.ptp(LEVELS)
        assert per_level == pytest.approx((wanted.stratum[1] - wanted.stratum[0]) / 2, abs=0.3)

    def error(mixture: Mixture) -> float:
        """Of the shift by the outcome, which takes up what of the practice the classes leave."""
        pairs = zip(mixture.blocks, true.blocks)
        gaps = [np.diff(found.outcome, axis=0) - np.diff(wanted.outcome, axis=0) for found, wanted in pairs]
        return float(np.linalg.norm(np.concatenate(gaps, axis=1)))

    assert error(line) < 0.7 * error(classes)


def test_its_classes_lie_on_the_line_and_lean_along_it(graded):
    line = graded[-1][0]
    assert (line.levels == LEVELS).all()
    for block in line.blocks:
        assert block.stratum == pytest.approx(LEVELS[:, None] * block.stratum[-1] / LEVELS[-1])
    odds = np.log(line.share[1]) - np.log(line.share[0])
    assert np.diff(odds) == pytest.approx(np.full(6, odds[1] - odds[0]))  # the log-odds lean on the number
    assert odds[1] > odds[0]
    assert line.share.sum(1) == pytest.approx(np.ones(2))


@pytest.mark.parametrize("strength", [2.0, 3.0, 5.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_two_kinds_of_practice_stay_two_classes(strength, seed):
    seen, y, _ = draw(a_mixture(strength), 1200, seed)
    classes, _ = fit_mixture(seen, y, 2)
    assert not likelier(fit_line(classes, seen, y)[0], classes, seen, y)


def test_three_kinds_that_lie_on_no_line_stay_three_classes():
    seen, y, _ = draw(a_mixture(4.0), 1200)
    third = np.random.default_rng(0).random(1200) < 0.3
    content = seen.content + third[:, None] * np.array([0, 3.0, -3.0, 0, -3.0, 0])
    seen = Observed(content, seen.block, seen.views)
    classes, _ = fit_mixture(seen, y, 3)
    assert not likelier(fit_line(classes, seen, y)[0], classes, seen, y)


def test_em_never_lowers_the_posterior(graded):
    _, _, _, _, (_, trace) = graded
    assert len(trace) > 5
    assert (np.diff(trace) > -1e-8).all()
    odd, label, _ = draw(a_mixture(), 90, seed=3)  # two classes, few patients, a column that is constant
    content = odd.content.copy()
    content[:, 2] = 1.0
    odd = Observed(content, odd.block, odd.views)
    line, trace = fit_line(fit_mixture(odd, label, 2)[0], odd, label)
    assert (np.diff(trace) > -1e-8).all()
    assert np.isfinite(line.log_likelihood(odd, label)).all()


def test_shares_by_outcome_are_the_likeliest_of_their_shape(graded):
    """Against a slow search that knows no slopes, from several places."""
    seen, y, _, classes, _ = graded
    counts = np.array([[40.0, 90, 120, 60, 20, 6, 2], [3.0, 8, 30, 70, 130, 80, 30]])
    fit = _LineFit(seen, y, _start(classes, seen, y))
    for _ in range(5):
        share = fit.shares_by_outcome(counts)

    def value(share: np.ndarray) -> float:
        return float(((counts + 1.0) * np.log(share)).sum())

    def shape(lean: np.ndarray) -> np.ndarray:
        leaning = 1.0 / (1.0 + np.exp(-lean[0] - lean[1] * LEVELS))
        found = np.exp(-0.5 * LEVELS**2) * np.stack([1.0 - leaning, leaning])
        return found / found.sum(1, keepdims=True)

    best = max(
        -minimize(lambda lean: -value(shape(lean)), start, method="Nelder-Mead", options={"xatol": 1e-8}).fun
        for start in ([0.0, 1.0], [0.5, 3.0], [-1.0, 0.2])
    )
    assert value(share) == pytest.approx(best, abs=1e-3)


def test_the_prior_of_views_is_what_the_classes_said(graded):
    """A code that nobody has at a level keeps what the classes gave it."""
    seen, y, _, classes, _ = graded
    start = _start(classes, seen, y)
    fit = _LineFit(seen, y, start)
    nobody = fit.mixture(np.zeros((len(y), len(LEVELS))), start.blocks)
    for name, table in start.views.items():
        wanted = 1.0 + 50.0 * table
        assert nobody.views[name] == pytest.approx(wanted / wanted.sum(1, keepdims=True))
        ends = classes.views[name]
        assert (table <= ends.max(0) + 1e-12).all()
        assert (table >= ends.min(0) - 1e-12).all()


def test_likelihood_equals_the_slow_one_with_cells_missing(graded):
    seen, y, _, _, (line, _) = graded
    rows = np.arange(25)
    assert np.isnan(seen.content[rows]).any()
    joint = line.log_joint(seen.rows(rows), y[rows])
    for row in rows:
        assert joint[row] == pytest.approx([slow_joint(line, seen, row, y[row], u) for u in range(len(LEVELS))])


def test_evidence_says_that_it_is_graded(graded):
    seen, y, _, classes, (line, _) = graded
    found = weigh(line, seen, y)
    assert (found.graded, found.classes) == (True, 7)
    assert found.sentence.startswith("A graded practice was found, 7 levels on a line, told by ")
    assert not weigh(classes, seen, y).graded
    back = line.permuted(np.arange(7)[::-1])
    assert weigh(back, seen, y).ties == pytest.approx(found.ties)  # whichever end is named first


def test_three_outcomes():
    seen, y, t = draw_graded(a_mixture(SHARP), 900, seed=5)
    three = np.where((y == 1) & (np.arange(900) % 3 == 0), 2, y)
    line, trace = fit_line(fit_mixture(seen, three, 2, outcomes=3)[0], seen, three)
    assert line.share.shape == (3, 7)
    assert (np.diff(trace) > -1e-8).all()
    assert correlation(t, line, seen, three, LEVELS) > 0.8


def test_it_is_stored_as_arrays(graded):
    seen, _, _, _, (line, _) = graded
    reader = ContentReader(np.arange(6), BLOCK, np.zeros(6), np.ones(6), np.eye(6), BLOCK, np.full(3, -1))
    model, table = BackDoor(reader, line, line.marginal, np.array([0.6, 0.4])), seen.content.astype(np.float32)
    again = BackDoor.from_arrays(model.arrays(), "here", 6)
    assert (again.predict_proba(table) == model.predict_proba(table)).all()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    place = tmp_path_factory.mktemp("line") / "exports"
    gdsfd.simulate(place, patients=2500, preset="graded", seed=3)
    return gdsfd.build_graph(place / "spec.toml", progress=False), load_truth(place).patients


def test_a_graded_cohort_is_found_to_be_one_unless_the_number_is_given(simulated):
    graph, truth = simulated
    found = find_strata(graph)
    assert found.number.chosen == 2
    assert found.evidence.graded
    assert found.mixture.classes == found.share.shape[1] == 7
    two = find_strata(graph, classes=2)
    assert not two.evidence.graded
    u = truth["u"].reindex(graph["patient"].id).to_numpy()[found.rows]
    followed, before = (
        abs(np.corrcoef(each.share @ places, u)[0, 1]) for each, places in ((found, LEVELS), (two, np.arange(2)))
    )
    assert followed > before + 0.03


def test_a_model_with_a_line_is_stored_and_says_so(simulated, tmp_path):
    graph, _ = simulated
    quick = {"members": 1, "max_epochs": 2, "patience": 1, "accelerator": "cpu", "guard": "debiased"}
    model = Debiaser("concat", "latent", boosted_members=0, **quick).fit(graph, out=tmp_path / "run", baselines=False)
    strata = model.training["strata"]
    assert (strata["used"], strata["graded"], strata["classes"]) == (True, True, 7)
    read = Debiaser.load(tmp_path / "run")
    assert read.training["strata"] == strata
    np.testing.assert_array_equal(read.predict_proba(graph), model.predict_proba(graph))
    there, again = (each.adapt(graph, split="test").predict_proba(graph) for each in (model, read))
    np.testing.assert_array_equal(there, again)
