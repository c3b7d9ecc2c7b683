"""Trees that members start from: out of fold in training, beside what the mode trains beside, stored and read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score
from torch import Tensor

import gdsfd
from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.errors import InputError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.losses import Targets
from gdsfd.nn.streams import StreamConfig
from gdsfd.training import boosted_start as module
from gdsfd.training.arm import Arm, build_network
from gdsfd.training.boosted_start import BINS, FOLDS, HIDDEN, boosted_start
from gdsfd.training.config import TrainConfig
from gdsfd.training.suspects.stratified_subject_folds import stratified_subject_folds
from tests.cohort_factory import make_cohort

N = 300
QUICK: dict[str, Any] = {"members": 2, "channels": 8, "max_epochs": 2, "guard_folds": 0, "accelerator": "cpu"}


def made(outcomes: str = "binary", patients: int = N) -> Any:
    splits = ["test" if row % 10 == 3 else ("train", "tuning", "train")[row % 3] for row in range(patients)]
    graph = graph_from_cohort(make_cohort(patients, splits=splits, outcomes=outcomes))
    graph["patient"].subject = list(graph["patient"].id)  # splits are by row
    return graph


def started(graph: Any, **told: Tensor) -> tuple[Any, Tensor]:
    y = graph["patient"].y
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    targets = Targets(y, torch.arange(len(y)), **told)
    return boosted_start(PatientStore(graph), targets, rows, graph["patient"].subject, seed=3)


@pytest.fixture(scope="module")
def graph() -> Any:
    return made()


def test_training_patients_get_the_log_odds_of_trees_that_were_fitted_without_them(graph: Any) -> None:
    """Oracle: each fold's trees grown here, on the rows outside of it and on copies with fewer modalities."""
    trees, logits = started(graph)
    (x, _), y = flatten(graph), graph["patient"].y.numpy().ravel()
    lost = torch.rand(N, len(graph.schema.names), generator=torch.Generator().manual_seed(3)) < HIDDEN
    poorer = graph
    for number, name in enumerate(graph.schema.names):
        poorer = drop_modalities(poorer, name, lost[:, number].nonzero().squeeze(1))
    train, tuning = (rows_of(graph, split).numpy() for split in ("train", "tuning"))
    train, tuning = (rows[np.isfinite(y[rows])] for rows in (train, tuning))
    label = np.nan_to_num(y).astype(np.int64)
    subject = np.unique(graph["patient"].subject, return_inverse=True)[1]
    expected, everybody = np.full(len(y), np.nan), []
    for inside, outside in stratified_subject_folds(label[train], subject[train], FOLDS):
        fitted, none = train[inside], np.zeros((2 * len(y), 2))
        boosting = BoostingMargin(3)
        boosting.bins = BINS
        both = np.concatenate([x[fitted], flatten(poorer, fitted)[0]])
        model = boosting.fit_beside(
            (both, np.tile(label[fitted], 2), none[: len(both)]),
            (x[tuning], label[tuning], none[: len(tuning)]),
            2,
            (np.full(len(both), 0.5), np.ones(len(tuning))),
        )
        assert model is not None
        odds = np.log(model.predict_proba(x)[:, 1] / model.predict_proba(x)[:, 0])
        expected[train[outside]] = odds[train[outside]]
        everybody.append(odds)
    expected = np.where(np.isnan(expected), np.mean(everybody, axis=0), expected)
    assert_allclose(logits.numpy().ravel(), expected, atol=1e-5)
    assert_allclose(trees.logits(x).ravel(), np.mean(everybody, axis=0), atol=1e-5)
    assert not np.allclose(trees.logits(x[train]).ravel(), expected[train], atol=1e-2)


def test_labels_that_nothing_tells_are_not_known_out_of_fold() -> None:
    """Trees rank their own patients by labels drawn at random; a patient's own start may not."""
    graph = made(patients=900)
    graph["patient"].y = torch.from_numpy(np.random.default_rng(5).integers(0, 2, (900, 1))).float()
    trees, logits = started(graph)
    train = rows_of(graph, "train")
    y, features = graph["patient"].y[train].numpy().ravel(), flatten(graph, train)[0]
    assert roc_auc_score(y, trees.logits(features).ravel()) > 0.65
    assert abs(roc_auc_score(y, logits[train].numpy().ravel()) - 0.5) < 0.07


def test_labels_of_test_patients_are_not_read(graph: Any) -> None:
    other = graph.clone()
    other["patient"].y = graph["patient"].y.clone()
    test = rows_of(graph, "test")
    other["patient"].y[test] = 1 - other["patient"].y[test]
    assert torch.equal(started(graph)[1], started(other)[1])


def test_what_the_margin_tells_is_left_to_it(graph: Any) -> None:
    """An outcome that is the suspects' alone, and a column that gives it away: beside the margin nothing is left."""
    y = torch.from_numpy((np.arange(N) % 2).astype(np.float32)[:, None])
    biased = graph.clone()
    biased["patient"].y = y
    for store in biased.edge_stores:
        if "numeric" in store:
            store.numeric = torch.cat([y[store.edge_index[0]], store.numeric[:, 1:]], 1)
            store.measured = torch.ones_like(store.measured) if "measured" in store else None
    plain = started(biased)[1].numpy().ravel()
    beside = started(biased, margin=40 * y - 20)[1].numpy().ravel()
    assert np.abs(plain).mean() > 2
    assert np.abs(beside).mean() < 0.1 * np.abs(plain).mean()


def test_strata_with_shares_of_0_and_1_are_a_margin(graph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW_LEAVES", {})  # strata also try small trees
    stratum, table = torch.arange(N) % 2, torch.tensor([[-1.0], [1.0]])
    share = torch.nn.functional.one_hot(stratum, 2).float()
    by_strata = started(graph, strata_share=share, strata_margin=table.expand(N, 2, 1))[1]
    by_margin = started(graph, margin=table[stratum])[1]
    assert_allclose(by_strata.numpy(), by_margin.numpy(), atol=1e-5)
    assert not np.allclose(started(graph)[1].numpy(), by_margin.numpy(), atol=0.1)


def test_a_patient_in_two_strata_counts_in_both_by_its_shares(graph: Any) -> None:
    """Equal shares of two strata with the same margin are that margin."""
    half, margin = torch.full((N, 2), 0.5), torch.full((N, 2, 1), 0.7)
    twice = started(graph, strata_share=half, strata_margin=margin)[1]
    once = started(graph, strata_share=torch.tensor([[1.0, 0.0]]).repeat(N, 1), strata_margin=margin)[1]
    assert np.corrcoef(twice.numpy().ravel(), once.numpy().ravel())[0, 1] > 0.95


@pytest.mark.parametrize("outcomes", ["multilabel", "multiclass"])
def test_every_output_has_its_log_odds(outcomes: str) -> None:
    graph = made(outcomes, 400)
    trees, logits = started(graph)
    outputs = graph.schema.num_outputs
    assert logits.shape == (400, outputs)
    assert len(trees.models) == len(graph.schema.outcomes)
    test = rows_of(graph, "test")
    assert_array_equal(logits[test].numpy(), trees.logits(flatten(graph, test)[0]))
    if outcomes == "multiclass":
        assert logits.exp().sum(1).mean().item() == pytest.approx(1, abs=0.1)


def test_an_outcome_that_nobody_has_starts_from_its_shares(graph: Any) -> None:
    other = graph.clone()
    other["patient"].y = torch.zeros_like(graph["patient"].y)
    trees, logits = started(other)
    assert logits.unique().numel() == 1
    assert logits.max() < -10
    assert len(trees.models[0]) == 1


def test_half_of_the_members_start_from_trees_and_predictions_are_their_mean(graph: Any, tmp_path: Path) -> None:
    model = gdsfd.Debiaser("concat", seed=1, **QUICK).fit(graph, baselines=False)
    network, store = model.networks_["reference"], PatientStore(graph)
    assert (network.boosted, network.boosted_from) == (1, 1)
    rows = rows_of(graph, "test")
    with torch.no_grad():
        plain, beside = (each.logits.double() for each in network(store.batch(rows)))
    assert network.start is not None
    trees = torch.from_numpy(network.start.logits(flatten(graph, rows)[0]))
    expected = (plain.sigmoid() + (beside + trees).sigmoid()) / 2
    found = model.predict_proba(graph, split="test")
    assert_allclose(found[:, 1], expected.numpy().ravel(), atol=1e-6)
    model.save(tmp_path / "model")
    again = gdsfd.Debiaser.load(tmp_path / "model")
    assert_array_equal(again.predict_proba(graph, split="test"), found)
    one = again.predict_proba(graph, ids=[graph["patient"].id[int(rows[4])]])
    assert_allclose(one, found[[4]], atol=1e-6)
    (tmp_path / "model" / "trees.safetensors").unlink()
    with pytest.raises(InputError, match=r"trees\.safetensors"):
        gdsfd.Debiaser.load(tmp_path / "model")


def test_training_minimises_the_cross_entropy_of_the_sum(graph: Any) -> None:
    config = TrainConfig(**QUICK).resolved(200)
    arm = Arm("concat", StreamConfig.read("margin"), config, 0, ("pattern",))
    rows = {split: rows_of(graph, split) for split in ("train", "tuning")}
    fitted = arm.fit(graph, rows)
    targets, _, _ = arm.targets(graph, rows["train"])
    _, trees = boosted_start(PatientStore(graph), targets, rows, graph["patient"].subject, 0)
    objective = arm.objective(fitted.network, N, ())
    objective.boosted_from, objective.margin = 1, True
    some = rows["train"][:20]
    with torch.no_grad():
        predictions = fitted.network(PatientStore(graph).batch(some))
        got = objective(predictions, replace(targets, trees=trees).take(some), 1)
    y = targets.y[some]
    expected = sum(
        torch.nn.functional.binary_cross_entropy_with_logits(
            (each.logits + targets.margin[some] + (trees[some] if number else 0))[~y.isnan()], y[~y.isnan()]
        )
        for number, each in enumerate(predictions)
    )
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(
    ("debias", "boosted"),
    [("none", 1), ("margin", 1), ("full", 1), ("dfd", 0), ("prototypes", 0), ("strata", 0), ("vrex", 0)],
)
def test_modes_without_a_counterpart_among_trees_have_none(graph: Any, debias: str, boosted: int) -> None:
    config = TrainConfig(**QUICK).resolved(200)
    assert build_network(graph.schema, "concat", StreamConfig.read(debias), config, 0, (3,)).boosted == boosted
    plain = replace(config, boosted_members=0)
    assert build_network(graph.schema, "concat", StreamConfig.read(debias), plain, 0, (3,)).boosted == 0


@pytest.mark.parametrize(("debias", "boosted"), [("margin", 1), ("dfd", 0), ("prototypes", 0), ("vrex", 0)])
def test_the_network_without_debiasing_has_trees_where_the_mode_has(
    graph: Any, tmp_path: Path, debias: str, boosted: int
) -> None:
    model = gdsfd.Debiaser("concat", debias, **{**QUICK, "max_epochs": 1, "guard": "reference"}).fit(
        graph, baselines=False
    )
    assert [network.boosted for network in model.networks_.values()] == [boosted, boosted]
    assert model.config_ is not None
    assert model.config_.boosted_members == boosted
    model.save(tmp_path / "model")
    again = gdsfd.Debiaser.load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(graph), model.predict_proba(graph))


def test_a_stored_mode_without_trees_beside_a_network_with_them_is_read(graph: Any, tmp_path: Path) -> None:
    """As version 0.1.0 stored it for some days."""
    model = gdsfd.Debiaser("concat", "none", **{**QUICK, "max_epochs": 1}).fit(graph, baselines=False)
    other = gdsfd.Debiaser("concat", "dfd", **{**QUICK, "max_epochs": 1, "guard": "reference"}).fit(
        graph, baselines=False
    )
    assert other.config_ is not None
    other.networks_["reference"], other.config_ = (
        model.networks_["reference"],
        replace(other.config_, boosted_members=1),
    )
    other.save(tmp_path / "model")
    again = gdsfd.Debiaser.load(tmp_path / "model")
    assert [network.boosted for network in again.networks_.values()] == [1, 0]
    np.testing.assert_array_equal(again.predict_proba(graph), model.predict_proba(graph))


def test_an_untrained_member_predicts_what_its_trees_do(graph: Any) -> None:
    config = replace(TrainConfig(**QUICK).resolved(200))
    network = build_network(graph.schema, "concat", None, config, 0)
    network.start_from(torch.tensor([0.2]))
    plain, boosted = (member.out.bias.item() for member in network.members)  # type: ignore[union-attr, operator]
    assert plain == pytest.approx(np.log(0.25))
    assert boosted == 0


def test_more_of_them_than_members_are_refused() -> None:
    with pytest.raises(InputError, match="'boosted_members': expected at most the 2 members, got 3"):
        TrainConfig(members=2, boosted_members=3)
