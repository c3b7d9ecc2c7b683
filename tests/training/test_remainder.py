"""The biased stream beside a finished prediction: what it is trained by, what it moves, whom it sees, what it finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import probabilities
from gdsfd.nn.streams import StreamConfig
from gdsfd.simulation import load_truth
from gdsfd.training import Debiaser
from gdsfd.training.remainder import RemainderArm, biased_stream, log_odds_of
from tests.cohort_factory import make_cohort

QUICK = {"members": 2, "channels": 8, "learning_rate": 3e-3, "max_epochs": 3, "guard": "debiased", "guard_folds": 0}
TRAINED = {**QUICK, "members": 1, "channels": 32, "learning_rate": 1e-3, "patience": 6, "max_epochs": 40}


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    """Mean over labelled elements, in nats: slow and obvious."""
    if y.ndim == 2:
        known = ~np.isnan(y)
        chance = 1 / (1 + np.exp(-logits))
        return float(-np.log(np.where(y == 1, chance, 1 - chance)[known]).mean())
    chance = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return float(-np.log([chance[row, label] for row, label in enumerate(y) if label >= 0]).mean())


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory):
    place = tmp_path_factory.mktemp("latent")
    gdsfd.simulate(place, patients=2000, preset="latent", seed=0)
    graph = gdsfd.build_graph(place / "spec.toml", progress=False)
    return graph, load_truth(place).patients.reindex(graph["patient"].id)


@pytest.fixture(scope="module")
def full(latent):
    return Debiaser("concat", "full", **TRAINED).fit(latent[0], baselines=False)


def test_the_prediction_is_that_of_latent_to_the_bit(latent, full) -> None:
    graph, _ = latent
    without = Debiaser("concat", "latent", **TRAINED).fit(graph, baselines=False)
    assert without.biased_ is None
    for which in ("debiased", "reference"):
        one, other = (model.use(which).predict_proba(graph) for model in (full, without))
        np.testing.assert_array_equal(one, other)
    full.use("debiased")
    np.testing.assert_array_equal(full.embed(graph)["causal"], without.use("debiased").embed(graph)["pooled"])


def test_the_streams_tell_practice_from_cause(latent, full) -> None:
    graph, truth = latent
    split, y, u = (truth[name].to_numpy() for name in ("split", "y", "u"))
    test = split == "test"
    said = {name: each[:, 0] for name, each in full.log_odds(graph).items()}
    said["erm"] = full.use("reference").predict_proba(graph)[:, 1]
    full.use("debiased")
    inside = {
        name: np.mean([roc_auc_score(u[test & (y == label)], each[test & (y == label)]) for label in (0, 1)])
        for name, each in said.items()
    }
    assert inside["biased"] > 0.92
    assert inside["biased"] > inside["erm"] + 0.05 > inside["causal"] + 0.2
    plain = roc_auc_score(y[test], said["erm"][test])
    both = said["causal"] + said["biased"]
    assert roc_auc_score(y[test], both[test]) > plain - 0.015, "together they are not what ERM reads"
    assert roc_auc_score(y[test], said["causal"][test]) < plain - 0.03


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_the_tuning_loss_is_the_cross_entropy_of_the_sum(outcomes: str) -> None:
    graph = graph_from_cohort(make_cohort(200, outcomes=outcomes))
    model = Debiaser("concat", "full", **{**QUICK, "members": 1}).fit(graph, baselines=False)
    rows = rows_of(graph, "tuning").numpy()
    said = model.log_odds(graph, split="tuning")
    assert said["causal"].shape == said["biased"].shape == (len(rows), model.biased_.num_outputs)
    losses = [row["tuning_loss"] for row in model.history if row["model"] == "biased"]
    expected = cross_entropy(said["causal"] + said["biased"], graph["patient"].y.numpy()[rows])
    assert min(losses) == pytest.approx(expected, abs=2e-6)
    alone = model.log_odds(graph, ids=[graph["patient"].id[rows[3]]])
    for name in said:
        np.testing.assert_allclose(alone[name][0], said[name][3], atol=1e-5)


def test_log_odds_give_the_probabilities_back() -> None:
    for outcomes in ("binary", "multilabel", "multiclass"):
        graph = graph_from_cohort(make_cohort(60, outcomes=outcomes))
        model = Debiaser("concat", "margin", **QUICK).fit(graph, baselines=False)
        network, answer = model.networks["debiased"], model.predict_proba(graph)
        logits = torch.from_numpy(log_odds_of(network, answer))
        assert logits.shape == (60, network.num_outputs)
        np.testing.assert_allclose(probabilities(logits, network.multiclass).numpy(), answer, atol=1e-12)


def test_it_sees_training_and_tuning_patients_alone_and_moves_nothing_else() -> None:
    graph = graph_from_cohort(make_cohort(200))
    model = Debiaser("concat", "latent", **QUICK).fit(graph, baselines=False)
    network = model.networks["debiased"]
    before = {name: each.clone() for name, each in network.state_dict().items()}
    arm = RemainderArm("concat", model.config_, 0, torch.zeros(200, 1))
    arm = replace(arm, beside=RemainderArm.of(arm, network, graph, PatientStore(graph)).beside)
    there = torch.isin(torch.arange(200), torch.cat([rows_of(graph, split) for split in ("train", "tuning")]))
    assert torch.equal(arm.beside[~there], torch.zeros(int((~there).sum()), 1))
    expected = log_odds_of(network, model.predict_proba(graph))
    np.testing.assert_allclose(arm.beside[there], expected[there.numpy()], atol=1e-5)

    first = arm.fit(graph).network.state_dict()
    changed = graph_from_cohort(make_cohort(200))
    changed["patient"].y[~there] = 1 - changed["patient"].y[~there].nan_to_num(0.0)
    beside = arm.beside.clone()
    beside[~there] = 50.0
    second = replace(arm, beside=beside).fit(changed).network.state_dict()
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name
    for name, each in network.state_dict().items():
        assert torch.equal(each, before[name]), name


def test_untrained_it_starts_from_what_it_stands_beside() -> None:
    graph = graph_from_cohort(make_cohort(80))
    config = Debiaser("concat", "full", **QUICK).fit(graph, baselines=False).config_
    stream = biased_stream(graph.schema, "concat", config, 0)
    stream.start_from(torch.tensor([0.02]))
    assert [member.out.bias.tolist() for member in stream.members] == [[0.0], [0.0]]
    assert stream.start is None
    assert stream.boosted_from is None


def test_saved_read_and_fitted_in_processes_it_is_the_same(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(150))
    settings = {**QUICK, "guard": "auto", "guard_folds": 2}
    model = Debiaser("concat", "full", **settings).fit(graph, out=tmp_path / "run", baselines=False)
    assert {file.name for file in (tmp_path / "run").glob("*.safetensors")} >= {"biased.safetensors"}
    read = Debiaser.load(tmp_path / "run")
    torch.set_num_threads(1)
    beside = Debiaser("concat", "full", **settings).fit(graph, baselines=False, jobs=2)
    alone = Debiaser("concat", "full", **settings).fit(graph, baselines=False)
    for one, other in ((model, read), (alone, beside)):
        for ask in ("log_odds", "embed"):
            mine, theirs = getattr(one, ask)(graph, split="test"), getattr(other, ask)(graph, split="test")
            assert list(mine) == list(theirs) == ["causal", "biased"]
            for name in mine:
                np.testing.assert_array_equal(mine[name], theirs[name])
    assert model.fit(graph, baselines=False) is model
    refitted = Debiaser("concat", "margin", **QUICK).fit(graph, baselines=False)
    assert refitted.biased_ is None
    (tmp_path / "run" / "biased.safetensors").unlink()
    with pytest.raises(InputError, match=r"biased\.safetensors"):
        Debiaser.load(tmp_path / "run")


def test_resumed_in_the_biased_stream_it_goes_on_bit_for_bit(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(150))
    whole = Debiaser("concat", "full", **QUICK).fit(graph, out=tmp_path / "whole", baselines=False)

    class Stopped(Exception):
        pass

    def stop(row: dict) -> None:
        if (row["model"], row["epoch"]) == ("biased", 2):
            raise Stopped

    with pytest.raises(Stopped):
        Debiaser("concat", "full", **QUICK).fit(graph, out=tmp_path / "run", on_epoch=stop, baselines=False)
    resumed = Debiaser("concat", "full", **QUICK).fit(graph, out=tmp_path / "run", resume=True, baselines=False)
    losses = [[row["train_loss"] for row in model.history if row["model"] == "biased"] for model in (whole, resumed)]
    assert losses[0] == losses[1]
    for name, said in whole.log_odds(graph).items():
        np.testing.assert_array_equal(resumed.log_odds(graph)[name], said)


def test_what_has_no_stream_beside_says_so() -> None:
    graph = graph_from_cohort(make_cohort(60))
    with pytest.raises(NotFittedError):
        Debiaser("concat", "full", **QUICK).log_odds(graph)
    plain = Debiaser("concat", "none", **{**QUICK, "guard": "auto"}).fit(graph, baselines=False)
    with pytest.raises(InputError, match=r"debias='none'\) has no biased stream.*debias='full'"):
        plain.log_odds(graph)
    with pytest.raises(InputError, match=r"remainder=True .* needs streams=False"):
        StreamConfig(remainder=True)


def test_explained_it_is_the_biased_stream_alone() -> None:
    graph = graph_from_cohort(make_cohort(120))
    model = Debiaser("concat", "full", **QUICK).fit(graph, baselines=False)
    row = int(rows_of(graph, "test")[0])
    ids = [graph["patient"].id[row]]
    found = model.explain(graph, ids=ids, of="biased", progress=False)
    stream = float(model.log_odds(graph, ids=ids)["biased"][0, 0])
    assert found.of == "biased"
    assert stream == pytest.approx(float(found.patients["log_odds"].iloc[0]), abs=1e-4)
