"""A search keeps what it fitted: a thorough look after a quick one is that of a new search, with fewer runs of EM."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.latent.mixture import Fit
from gdsfd.latent.search import Search, fit_mixture
from tests.latent.drawn import a_mixture, draw


@pytest.fixture(scope="module")
def drawn():
    return draw(a_mixture(), 1100)


@pytest.fixture
def runs(monkeypatch) -> list[tuple[int, int]]:
    """Patients and classes of every run of EM."""
    found, run = [], Fit.run
    monkeypatch.setattr(
        Fit,
        "run",
        lambda self, mixture, rounds: found.append((len(self.y), mixture.classes)) or run(self, mixture, rounds),
    )
    return found


def test_a_thorough_look_after_a_quick_one_is_a_thorough_look(drawn, runs):
    seen, y, _ = drawn
    search = Search(seen, y, seed=3)
    quick = search.best(2, draws=1, going_on=1)
    assert runs == [(1000, 2)] * 4 + [(1100, 2)]  # one start by spread, two by views, one drawn; the best goes on
    runs.clear()
    thorough = search.best(2)
    assert runs == [(1000, 2), (1100, 2)]  # one more is drawn, and one more goes on
    assert thorough[1][-1] >= quick[1][-1]
    runs.clear()
    fresh, trace = fit_mixture(seen, y, 2, seed=3)
    assert runs == [(1000, 2)] * 5 + [(1100, 2)] * 2
    assert trace == thorough[1]
    assert (fresh.share == thorough[0].share).all()
    assert all((a.covariance == b.covariance).all() for a, b in zip(fresh.blocks, thorough[0].blocks))
    again = search.best(2, draws=1, going_on=1)
    assert again is quick


def test_one_class_is_fitted_once_and_numbers_of_classes_do_not_mix(drawn, runs):
    seen, y, _ = drawn
    search = Search(seen, y)
    assert search.best(1) is search.best(1)
    assert runs == [(1100, 1)]
    assert search.best(3)[0].classes == 3
    assert search.best(2)[0].classes == 2


def test_more_starts_end_at_least_as_high(drawn):
    seen, y, _ = drawn
    search = Search(seen, y)
    few, many = search.best(3, draws=0, going_on=1), search.best(3, draws=4, going_on=7)
    assert many[1][-1] >= few[1][-1]
    assert np.isfinite(many[1]).all()


def test_every_place_where_em_ends_is_shown_once_the_likeliest_first(drawn, runs):
    seen, y, _ = drawn
    search = Search(seen, y, seed=3)
    modes = search.modes(2)
    ended = [trace[-1] for _, trace in modes]
    assert ended == sorted(ended, reverse=True)
    assert modes[0][1][-1] >= search.best(2)[1][-1] - 1e-9
    assert runs.count((1000, 2)) == 5
    assert runs.count((1100, 2)) < 5, "starts that lead to the same classes go on once"
    share = [mixture.responsibilities(seen, y)[:, 0] for mixture, _ in modes]
    for number, one in enumerate(share):
        for other in share[:number]:
            assert abs(np.corrcoef(one, other)[0, 1]) < 0.999
