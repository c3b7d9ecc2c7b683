"""The manners that scikit-learn's tools expect of an estimator."""

from __future__ import annotations

import copy

import pytest
from sklearn.base import clone

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training import Debiaser, TrainConfig
from tests.cohort_factory import make_cohort

QUICK = {"max_epochs": 1, "channels": 8, "members": 1}


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(80))


@pytest.fixture(scope="module")
def model(graph):
    return Debiaser("concat", **QUICK).fit(graph, baselines=False)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"backbone": "concat", "debias": "full", "suspects": ["environment"], "seed": 3, "max_epochs": 7},
        {"debias": {"margin": True}, "backbone_options": {"layers": 1}},
        {"debias": PRESETS["dfd"], "device": "cpu"},
    ],
)
def test_params_are_what_was_given_and_clone_makes_the_same(given):
    model = Debiaser(**given)
    params = model.get_params()
    assert {name: params[name] for name in given} == given
    assert set(params) == {"backbone", "debias", "suspects", "seed", "device", *vars(TrainConfig())}
    again = clone(model)
    assert again is not model
    assert again.get_params() == params
    assert (again.config, again.streams, again.suspects) == (model.config, model.streams, model.suspects)


def test_a_fitted_or_loaded_model_clones_as_it_was_constructed(model, tmp_path):
    assert not clone(model).networks_
    assert clone(model).get_params() == Debiaser("concat", **QUICK).get_params()
    model.save(tmp_path / "run")
    loaded = Debiaser.load(tmp_path / "run")
    assert clone(loaded).config == model.config
    assert copy.deepcopy(loaded).get_params() == loaded.get_params()


def test_set_params_gives_a_new_model_or_changes_nothing(graph):
    model = Debiaser("concat", **QUICK).fit(graph, baselines=False)
    with pytest.raises(InputError, match=r"unknown setting 'max_epoch'\. Did you mean 'max_epochs'"):
        model.set_params(max_epoch=3)
    with pytest.raises(InputError, match="'max_epochs': expected a whole number"):
        model.set_params(max_epochs="3")
    assert model.networks_
    assert model.set_params(max_epochs=3, backbone="muse") is model
    assert (model.config.max_epochs, model.backbone, model.config.channels) == (3, "muse", 8)
    assert not model.networks_
    assert model.set_params() is model


def test_device_is_another_word_for_accelerator(graph):
    assert Debiaser(device="cpu").config.accelerator == "cpu"
    assert Debiaser(device="cpu", accelerator="cpu").config.accelerator == "cpu"
    with pytest.raises(InputError, match="not both"):
        Debiaser(device="cpu", accelerator="mps")
    with pytest.raises(InputError, match="device: expected one of"):
        Debiaser(device="tpu")


def test_a_notebook_shows_a_table_with_escaped_texts(model):
    assert "not fitted" in Debiaser("concat")._repr_html_()
    html = model._repr_html_()
    assert "<th>max_epochs</th><td>1</td>" in html
    assert "ended by max_epochs=1" in html
    odd = Debiaser("concat", suspects=["modality:<b>"])._repr_html_()
    assert "<b>" not in odd
    assert "&lt;b&gt;" in odd
