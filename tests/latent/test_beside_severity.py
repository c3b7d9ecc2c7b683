"""Severity moves every number and decides the outcome; a practice that goes with the outcome is found beside it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.cohort.spec import CohortSpec
from gdsfd.latent import beside_severity, found_strata
from gdsfd.latent.beside_severity import likelier_than_one, practice_beside_severity, written
from gdsfd.latent.content import ranked_reader
from gdsfd.latent.found_strata import find_strata, observe
from gdsfd.latent.mixture import Observed
from gdsfd.latent.search import Search
from tests.latent.drawn import a_mixture, draw

MODALITIES, COLUMNS = ("labs", "gases", "vitals", "scores"), 4


def ward(agreement: float, seed: int = 0, patients: int = 2400):
    """A graph, and everybody's practice, which agrees with the outcome at a rate.

    Severity moves all sixteen numbers, which have long tails, and decides the outcome; the practice moves half of them,
    shows in who has gases, and is half told by the site.
    """
    rng = np.random.default_rng(seed)
    severity = rng.standard_normal(patients)
    y = (rng.random(patients) < 1 / (1 + np.exp(-2.0 * severity))).astype(int)
    u = np.where(rng.random(patients) < agreement, y, 1 - y)
    cohort = pd.DataFrame(
        {
            "pid": [f"p{number}" for number in range(patients)],
            "died": y,
            "site": np.where(rng.random(patients) < 0.5, u, rng.integers(0, 2, patients)).astype(str),
        }
    )
    modalities = []
    for name in MODALITIES:
        columns = {"pid": cohort["pid"]}
        for number in range(COLUMNS):
            moved = rng.choice([-1.0, 1.0]) * (2 * u - 1) if number % 2 else 0.0
            columns[f"x{number}"] = np.exp(0.8 * (severity + moved + rng.standard_normal(patients)))
        frame = pd.DataFrame(columns)
        if name == "gases":
            frame = frame[rng.random(patients) < np.where(u == 1, 0.9, 0.5)]
        modalities.append({"name": name, "kind": "table", "source": frame, "id": "pid"})
    spec = {
        "cohort": {"source": cohort, "id": "pid", "environment": "site"},
        "outcome": {"name": "died", "column": "died", "positive": 1, "negative": 0},
        "split": {"kind": "subject", "fractions": [0.7, 0.15, 0.15], "seed": 0},
        "modality": modalities,
    }
    return gdsfd.build_graph(CohortSpec(**spec), progress=False), u


@pytest.fixture(scope="module")
def planted():
    return ward(0.9)


def of_training(graph):
    """A search among training patients, and the tuning patients as they are seen by it."""
    split, y = np.asarray(graph["patient"].split, dtype=str), graph["patient"].y.numpy().ravel().astype(np.int64)
    train, tuning = (np.flatnonzero(split == part) for part in ("train", "tuning"))
    reader = ranked_reader(graph, train)
    assert reader is not None
    return Search(observe(graph, reader, train, train), y[train]), observe(graph, reader, tuning, train), y[tuning]


def test_the_practice_is_found_where_the_first_look_sees_severity(planted, monkeypatch):
    graph, u = planted
    found = find_strata(graph)
    assert found.evidence.verdict == "practice"
    assert found.mixture.classes == found.number.chosen == 2
    assert "beside classes of severity" in found.evidence.sentence
    for label in (0, 1):
        own = found.y == label
        assert roc_auc_score(u[found.rows][own], found.share[own, 1]) > 0.95
    assert found.offsets() == pytest.approx([-2.2, 2.2], abs=0.7)  # logit .9
    monkeypatch.setattr(found_strata, "practice_beside_severity", lambda search: None)
    first = find_strata(graph)
    assert first.evidence.verdict == "severity", "there would be nothing to do for the second look"


def test_a_practice_that_says_nothing_of_the_outcome_is_left_alone():
    graph, _ = ward(0.5)
    assert not find_strata(graph).evidence.adjust


def test_severity_alone_is_left_alone(planted):
    graph, _ = ward(0.9)
    search, _, _ = of_training(graph)
    rng = np.random.default_rng(0)
    views = {name: rng.permutation(codes) for name, codes in search.seen.views.items()}  # nothing ties anything
    assert practice_beside_severity(Search(Observed(search.seen.content, search.seen.block, views), search.y)) is None


@pytest.mark.parametrize(("name", "value"), [("LEAST_LOG_ODDS", 9.0), ("LEAST_WRITTEN", 99.0)])
def test_each_of_the_further_conditions_counts(planted, monkeypatch, name, value):
    search, held_out, y = of_training(planted[0])
    two = practice_beside_severity(search)
    assert two is not None
    assert likelier_than_one(two[0], search, held_out, y).chosen == 2
    monkeypatch.setattr(beside_severity, name, value)
    assert practice_beside_severity(search) is None


def test_how_far_apart_contents_are_is_mahalanobis_distance():
    mixture = a_mixture()
    expected = 0.0
    for block in mixture.blocks:
        shift = block.stratum[1] - block.stratum[0]
        expected += shift @ np.linalg.inv(block.covariance) @ shift
    assert written(mixture) == pytest.approx(expected**0.5)


def test_classes_that_further_patients_do_not_show_are_not_surely_there():
    seen, y, _ = draw(a_mixture(), 600)
    search = Search(seen, y)
    two, _ = search.best(2)
    gain = two.log_likelihood(seen, y) - search.best(1)[0].log_likelihood(seen, y)
    number = likelier_than_one(two, search, seen, y)
    assert number is not None
    assert number.gain == (pytest.approx(gain.mean()),)
    assert number.error == (pytest.approx(gain.std(ddof=1) / 600**0.5),)
    one = search.best(1)[0]
    assert likelier_than_one(one, search, seen, y) is None
    assert likelier_than_one(replace(two, views=one.views, blocks=one.blocks, share=one.share,
                                     marginal=one.marginal), search, seen, y) is None  # fmt: skip
