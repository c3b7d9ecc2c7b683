from __future__ import annotations

import numpy as np
import pytest

from gdsfd.baselines import boosting_strata
from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.boosting_strata import BoostingStrata, once_per_stratum
from gdsfd.baselines.files import read_baselines, write_baselines
from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent.evidence import Evidence
from gdsfd.latent.found_strata import FoundStrata
from gdsfd.latent.number_of_classes import NumberOfClasses
from tests.baselines.test_margin_baseline import facts
from tests.cohort_factory import make_cohort
from tests.latent.drawn import a_mixture

EVIDENCE = Evidence(2, (0.5, 0.5), {}, 0.0, 2.0, 0.0, 0.0, "practice", "Two kinds of practice.")


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(300, seed=4))


def strata(graph, hard: bool) -> FoundStrata:
    """Strata that follow the row's number."""
    split, y = np.asarray(graph["patient"].split, dtype=str), graph["patient"].y.numpy().ravel()
    rows = np.concatenate([np.flatnonzero((split == part) & np.isfinite(y)) for part in ("train", "tuning")])
    sure = np.ones(len(rows)) if hard else np.full(len(rows), 0.8)
    share = np.where((rows % 2 == 0)[:, None], np.stack([sure, 1 - sure], 1), np.stack([1 - sure, sure], 1))
    return FoundStrata(None, a_mixture(), NumberOfClasses(2, (), ()), EVIDENCE, rows, y[rows].astype(int), share)


def test_each_patient_stands_there_once_per_stratum(graph):
    found = strata(graph, hard=False)
    rows = found.rows[[5, 0, 9]]
    x, y = np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0, 1, 1])
    table, labels, margin, weight = once_per_stratum(x, y, rows, found)
    assert table[:, 0].tolist() == [0, 0, 2, 2, 4, 4]
    assert labels.tolist() == [0, 0, 1, 1, 1, 1]
    assert weight.reshape(3, 2) == pytest.approx(found.share[[5, 0, 9]])
    mixture = a_mixture()
    for place in range(6):
        for label in range(2):
            wanted = np.log(mixture.share[label, place % 2] / mixture.marginal[place % 2])
            assert margin[place, label] == pytest.approx(wanted)
    assert len(once_per_stratum(x, y, rows, strata(graph, hard=True))[1]) == 3


@pytest.mark.parametrize("few", [2, 15])
def test_hard_strata_are_a_margin(graph, monkeypatch, few):
    """With responsibilities of 0 and 1 it is boosting beside ``log P(y | u) - log P(y)``, with the better trees."""
    found = strata(graph, hard=True)
    monkeypatch.setattr(boosting_strata, "strata_or_why", lambda *_: (found, EVIDENCE.sentence))
    monkeypatch.setattr(boosting_strata, "FEW_LEAVES", {few: 1000})
    losses = {}
    grown = BoostingMargin._grown

    def noted(self, train, tuning, seen, classes, leaves, most):
        made = grown(self, train, tuning, seen, classes, leaves, most)
        losses[leaves] = made.loss
        return made

    monkeypatch.setattr(BoostingMargin, "_grown", noted)
    model = BoostingStrata().fit(graph, facts(graph))
    assert set(losses) == {few, 15}
    best = min(losses, key=losses.get)
    mixture = a_mixture()
    odds = np.log(mixture.share[1] / mixture.marginal) - np.log(mixture.share[0] / mixture.marginal)
    margin = odds[np.arange(300) % 2][:, None]
    same = BoostingMargin(max_leaf_nodes=best).fit(
        graph, SuspectFacts(("u",), np.zeros((300, 1), dtype=np.int64), (1,), margin)
    )
    assert model.predict_proba(graph) == pytest.approx(same.predict_proba(graph), abs=1e-9)
    assert model.found == [EVIDENCE.sentence]


def test_without_a_practice_there_is_no_offset(graph, tmp_path):
    model = BoostingStrata().fit(graph, facts(graph))
    nothing = SuspectFacts(("u",), np.zeros((300, 1), dtype=np.int64), (1,), np.zeros((300, 1)))
    assert (model.predict_proba(graph) == BoostingMargin().fit(graph, nothing).predict_proba(graph)).all()
    assert "Predictions are those of gradient boosting." in model.found[0]
    described = write_baselines(tmp_path, {"boosting_strata": model})
    again = read_baselines(tmp_path, described, graph.schema)["boosting_strata"]
    assert (again.predict_proba(graph) == model.predict_proba(graph)).all()
    assert again.found == model.found
    assert again.describe()["strata"] == model.found
