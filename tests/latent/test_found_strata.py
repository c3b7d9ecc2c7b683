from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent import content
from gdsfd.latent.content import ContentReader
from gdsfd.latent.found_strata import find_strata, observe
from gdsfd.latent.search import Search
from gdsfd.simulation import load_truth
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    place = tmp_path_factory.mktemp("latent") / "exports"
    gdsfd.simulate(place, patients=1200, preset="latent", modalities=("labs", "imaging"))
    return gdsfd.build_graph(place / "spec.toml", progress=False), load_truth(place).patients


@pytest.fixture(scope="module")
def found(simulated):
    return find_strata(simulated[0], most=2)


def test_the_true_practice_is_found_and_counted(simulated, found):
    graph, truth = simulated
    u = truth["u"].reindex(graph["patient"].id).to_numpy()[found.rows]
    assert found.mixture.classes == found.number.chosen == 2
    assert roc_auc_score(u, found.share[:, 1]) > 0.97  # the last class leans to the outcome
    assert found.evidence.verdict == "practice", found.evidence
    assert found.evidence.overlap < 0.2
    assert found.offsets() == pytest.approx([-2.2, 2.2], abs=0.6)  # logit .9


def test_only_labelled_training_and_tuning_patients_enter(simulated, found):
    graph, _ = simulated
    split, y = np.asarray(graph["patient"].split, dtype=str), graph["patient"].y.numpy().ravel()
    assert set(split[found.rows]) == {"train", "tuning"}
    assert np.isfinite(y[found.rows]).all()
    other = graph.clone()
    outside = torch.from_numpy(~np.isin(split, ["train", "tuning"]))
    other["patient"].y = torch.where(outside[:, None], 1 - graph["patient"].y, graph["patient"].y)
    again = find_strata(other, classes=2)
    assert again.mixture.share == pytest.approx(found.mixture.share)


def test_views_are_numbered_as_on_the_patients_known(simulated):
    graph, _ = simulated
    rows = np.arange(20)
    reader = ContentReader.fit(graph, np.arange(200))
    whole = observe(graph, reader, np.arange(200), np.arange(200))
    part = observe(graph, reader, rows, np.arange(200))
    assert (part.views["environment"] == whole.views["environment"][:20]).all()
    some = np.flatnonzero(whole.views["environment"] < 2)
    few = observe(graph, reader, np.arange(200), some).views["environment"]
    assert (few[whole.views["environment"] >= 2] == -1).all()
    assert set(observe(graph, reader, rows, rows, suspects=("pattern",)).views) <= {"pattern"}


def test_one_site_or_none_is_no_view():
    for environments in (1, None):
        graph = graph_from_cohort(make_cohort(300, environments=environments))
        reader = ContentReader.fit(graph, np.arange(300))
        assert set(observe(graph, reader, np.arange(300), np.arange(300)).views) == {"pattern"}


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_all_sorts_of_outcomes(outcomes):
    graph = graph_from_cohort(make_cohort(700, outcomes=outcomes, seed=2))
    result = find_strata(graph, outcome=-1 if outcomes == "multilabel" else 0, classes=2)
    assert result.share.sum(1) == pytest.approx(np.ones(len(result.rows)))
    assert result.mixture.share.shape == (3 if outcomes == "multiclass" else 2, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"suspects": ("groups",)}, "expected suspects of pattern, environment, got 'groups'"),
        ({"outcome": "death"}, "expected an outcome of"),
    ],
)
def test_wrong_words_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        find_strata(graph_from_cohort(make_cohort(60)), **options)


def test_tiny_cohorts_are_refused():
    with pytest.raises(InputError, match="need at least 50 labelled training and tuning patients of each; one has"):
        find_strata(graph_from_cohort(make_cohort(60)))


def test_codes_are_not_read_where_they_cannot_count(tmp_path, monkeypatch):
    """Where numbers show a practice, and where no suspect tells of the outcome; nor are classes without end fitted."""
    asked = []
    read, best = content._coded, Search.best
    monkeypatch.setattr(content, "_coded", lambda *all: asked.append("codes") or read(*all))
    monkeypatch.setattr(
        Search, "best", lambda self, classes, **how: asked.append((classes, *how)) or best(self, classes, **how)
    )
    for preset, expected in (("latent", "practice"), ("coded_practice_null", "none")):
        gdsfd.simulate(tmp_path / preset, patients=1200, preset=preset)
        found = find_strata(gdsfd.build_graph(tmp_path / preset / "spec.toml", progress=False), most=2)
        assert found.evidence.verdict == expected
        assert "codes" not in asked
    gdsfd.simulate(tmp_path / "coded", patients=1200, preset="coded_practice")
    graph = gdsfd.build_graph(tmp_path / "coded" / "spec.toml", progress=False)
    asked.clear()
    assert not find_strata(graph, most=2).evidence.adjust  # two classes, and there might be more
    assert asked[asked.index("codes") :] == ["codes", (1,), (2, "draws", "going_on")]
    asked.clear()
    find_strata(graph, classes=2)
    assert asked == [(2,), "codes", (2,)]  # there are as many as were asked for


def test_a_practice_that_shows_in_codes_alone_is_found_and_its_null_is_not(tmp_path):
    gdsfd.simulate(tmp_path / "biased", patients=1500, preset="coded_practice")
    graph = gdsfd.build_graph(tmp_path / "biased" / "spec.toml", progress=False)
    found = find_strata(graph)
    assert found.evidence.verdict == "practice", found.evidence
    assert found.evidence.sentence.startswith("2 kinds of practice were found in codes and categories, told by ")
    assert not found.reader.numbers.all()
    u = load_truth(tmp_path / "biased").patients["u"].reindex(graph["patient"].id).to_numpy()[found.rows]
    assert min(roc_auc_score(u[found.y == y], found.share[found.y == y, 1]) for y in (0, 1)) > 0.95
    gdsfd.simulate(tmp_path / "null", patients=1500, preset="coded_practice_null")
    null = find_strata(gdsfd.build_graph(tmp_path / "null" / "spec.toml", progress=False))
    assert not null.evidence.adjust
    assert null.reader.numbers.all()  # what numbers said stands
