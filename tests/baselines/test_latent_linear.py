from __future__ import annotations

import numpy as np
import pytest

from gdsfd.baselines.baseline import fitted_with_every_model
from gdsfd.baselines.files import read_baselines, write_baselines
from gdsfd.baselines.latent_linear import LatentLinear
from gdsfd.baselines.logistic import Logistic
from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent.back_door import BackDoor
from tests.baselines.test_margin_baseline import facts
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(500, seed=2))


@pytest.fixture(scope="module")
def forced(graph):
    return LatentLinear(force=True).fit(graph, facts(graph))


def test_it_is_a_rival_that_is_asked_for():
    assert "latent_linear" not in fitted_with_every_model()


def test_where_there_is_no_practice_it_is_logistic_regression(graph):
    model = LatentLinear().fit(graph, facts(graph))
    assert (model.predict_proba(graph) == Logistic().fit(graph).predict_proba(graph)).all()
    assert "Predictions are those of logistic regression." in model.found[0]
    assert (model.adapt(graph, split="test").predict_proba(graph) == model.predict_proba(graph)).all()


def test_forced_it_averages_strata_out(graph, forced):
    assert isinstance(forced.models[0], BackDoor)
    assert "as asked" in forced.found[0]
    p = forced.predict_proba(graph)
    assert p.sum(1) == pytest.approx(np.ones(len(p)))
    one = graph["patient"].id[7]
    assert forced.predict_proba(graph, ids=[one])[0] == pytest.approx(p[7])
    assert forced.describe()["strata"] == forced.found


def test_other_masses_give_a_copy(graph, forced):
    before = forced.predict_proba(graph)
    other = forced.adapt(graph, split="test")
    assert other.models[0].masses.sum() == pytest.approx(1)
    assert not np.allclose(other.models[0].masses, forced.models[0].masses)
    assert (forced.predict_proba(graph) == before).all()


@pytest.mark.parametrize("outcomes", ["multiclass", "multilabel"])
def test_other_outcomes(outcomes):
    graph = graph_from_cohort(make_cohort(700, outcomes=outcomes, seed=2))
    model = LatentLinear().fit(graph, facts(graph))
    assert len(model.found) == len(model.models) == (2 if outcomes == "multilabel" else 1)
    assert np.isfinite(model.predict_proba(graph)).all()


def test_it_is_stored(graph, forced, tmp_path):
    described = write_baselines(tmp_path, {"latent_linear": forced})
    again = read_baselines(tmp_path, described, graph.schema)["latent_linear"]
    assert (again.predict_proba(graph) == forced.predict_proba(graph)).all()
    assert (again.found, again.force) == (forced.found, True)


def test_what_is_wanting_is_said(graph):
    with pytest.raises(InputError, match="fit takes what the declared suspects say"):
        LatentLinear().fit(graph)
    with pytest.raises(NotFittedError, match="was not fitted"):
        LatentLinear().adapt(graph)
