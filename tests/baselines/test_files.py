"""Baselines survive the disk with the same numbers, settings and choices; files that do not fit are refused."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.files import read_baselines, write_baselines
from gdsfd.baselines.logistic import Logistic
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.baselines.test_flat_baseline import graph_of
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_the_same_numbers_after_storing(outcomes, tmp_path):
    graph = graph_of(outcomes)
    fitted = {"boosting": Boosting(seed=3, max_trees=60).fit(graph), "logistic": Logistic().fit(graph)}
    described = json.loads(json.dumps(write_baselines(tmp_path, fitted)))
    read = read_baselines(tmp_path, described, graph.schema)
    assert sorted(file.name for file in (tmp_path / "baselines").iterdir()) == [
        "boosting.safetensors", "logistic.safetensors",
    ]  # fmt: skip
    for key, baseline in read.items():
        np.testing.assert_array_equal(baseline.predict_proba(graph), fitted[key].predict_proba(graph))
        assert baseline.describe() == fitted[key].describe()
        assert baseline.seed == fitted[key].seed


def test_training_shares_are_stored_too(tmp_path):
    graph = graph_of()
    train = [row for row, split in enumerate(graph["patient"].split) if split == "train"]
    graph["patient"].y[train] = 0.0
    fitted = {"boosting": Boosting().fit(graph)}
    (read,) = read_baselines(tmp_path, write_baselines(tmp_path, fitted), graph.schema).values()
    assert (read.predict_proba(graph) == [1.0, 0.0]).all()


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    graph = graph_from_cohort(make_cohort(200))
    folder = tmp_path_factory.mktemp("model")
    return folder, write_baselines(folder, {"boosting": Boosting(max_trees=5).fit(graph)}), graph.schema


@pytest.mark.parametrize(
    "change",
    [
        lambda each: each.pop("settings"),
        lambda each: each["settings"].pop("max_trees"),
        lambda each: each.update(models=["pickle"]),
        lambda each: each.update(models=None),
    ],
)
def test_a_damaged_description_is_refused(stored, change):
    folder, described, schema = stored
    described = copy.deepcopy(described)
    change(described["boosting"])
    with pytest.raises(InputError, match=r"boosting\.safetensors: its description in model\.json is damaged"):
        read_baselines(folder, described, schema)


def test_files_that_do_not_fit_are_refused(stored, tmp_path):
    folder, described, schema = stored
    with pytest.raises(InputError, match=r"boosting\.safetensors: missing or damaged"):
        read_baselines(tmp_path, described, schema)
    other = {"boosting": {**described["boosting"], "models": ["linear"]}}
    with pytest.raises(InputError, match=r"boosting\.safetensors: its description in model\.json is damaged"):
        read_baselines(folder, other, schema)
    several = graph_from_cohort(make_cohort(200, outcomes="multilabel")).schema
    with pytest.raises(InputError, match="1 models for 2 outcomes"):
        read_baselines(folder, described, several)
    with pytest.raises(InputError, match=r"expected the baselines boosting, logistic, .*, model\.json names '\.\./x'"):
        read_baselines(folder, {"../x": described["boosting"]}, schema)
