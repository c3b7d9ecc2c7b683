"""The estimator: learning, one patient at a time, files, errors, and what it leaves alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from gdsfd.errors import InputError, NotFittedError, SchemaError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

BACKBONES = ("concat", "grape", "muse")


@pytest.fixture(scope="module", params=BACKBONES)
def fitted(request: pytest.FixtureRequest):
    graph = graph_from_cohort(make_cohort(300))
    return Debiaser(request.param, max_epochs=20, channels=16, learning_rate=5e-3).fit(graph, baselines=False), graph


def test_learns_something(fitted) -> None:
    model, graph = fitted
    y = graph["patient"].y[:, 0].numpy()
    test = np.array([split == "test" for split in graph["patient"].split]) & ~np.isnan(y)
    scores = model.predict_proba(graph)[:, 1]
    assert roc_auc_score(y[test], scores[test]) > 0.7


def test_alone_shuffled_and_together_agree(fitted) -> None:
    model, graph = fitted
    ids = [name for name, split in zip(graph["patient"].id, graph["patient"].split) if split == "test"]
    together = model.predict_proba(graph, split="test")
    np.testing.assert_allclose(together.sum(1), 1)
    order = np.random.default_rng(0).permutation(len(ids))
    shuffled = model.predict_proba(graph, ids=[ids[place] for place in order])
    np.testing.assert_allclose(shuffled, together[order], atol=1e-5)
    alone = np.concatenate([model.predict_proba(graph, ids=[name]) for name in ids])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_saved_and_loaded_predicts_the_same(fitted, tmp_path) -> None:
    model, graph = fitted
    model.save(tmp_path / "run")
    model.save(tmp_path / "run")  # a model replaces a model
    loaded = Debiaser.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict_proba(graph), model.predict_proba(graph))
    assert loaded.history == model.history
    assert loaded.describe() == json.loads(json.dumps(model.describe()))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        model.save(tmp_path / "other")
    assert (tmp_path / "other" / "thesis.txt").read_text() == "mine"


def test_embeddings_have_one_row_per_patient(fitted) -> None:
    model, graph = fitted
    z = model.embed(graph, split="test")
    assert z["pooled"].shape == (graph["patient"].split.count("test"), 16 * len(model.network.members))


@pytest.mark.parametrize(("outcomes", "columns"), [("multiclass", 3), ("multilabel", 2)])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_other_outcomes(backbone: str, outcomes: str, columns: int) -> None:
    graph = graph_from_cohort(make_cohort(150, outcomes=outcomes, unlabelled=0.4))
    scores = Debiaser(backbone, max_epochs=2, channels=8).fit(graph, baselines=False).predict_proba(graph)
    assert scores.shape == (150, columns)
    assert np.isfinite(scores).all()
    if outcomes == "multiclass":
        np.testing.assert_allclose(scores.sum(1), 1)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_equal_seeds_give_equal_models_and_the_global_generator_stays(backbone: str) -> None:
    graph = graph_from_cohort(make_cohort(120))
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first = Debiaser(backbone, seed=4, max_epochs=2, channels=8).fit(graph, baselines=False).predict_proba(graph)
    assert torch.equal(torch.rand(2), expected)
    second = Debiaser(backbone, seed=4, max_epochs=2, channels=8).fit(graph, baselines=False).predict_proba(graph)
    other = Debiaser(backbone, seed=5, max_epochs=2, channels=8).fit(graph, baselines=False).predict_proba(graph)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_test_rows_change_nothing() -> None:
    cohort = make_cohort(150)
    untouched = graph_from_cohort(cohort)
    before = (
        Debiaser("muse", max_epochs=2, channels=8)
        .fit(untouched, baselines=False)
        .predict_proba(untouched, split="train")
    )
    changed = make_cohort(150)
    test = np.array([split == "test" for split in changed.split])
    changed.y[test] = 1 - changed.y[test]
    for observations in changed.observations.values():
        for key in ("numeric", "vector"):
            if hasattr(observations, key):
                getattr(observations, key)[test[observations.patient]] += 100
    graph = graph_from_cohort(changed)
    after = Debiaser("muse", max_epochs=2, channels=8).fit(graph, baselines=False).predict_proba(graph, split="train")
    np.testing.assert_array_equal(before, after)


def test_contrastive_training_uses_unlabelled_patients() -> None:
    graph = graph_from_cohort(make_cohort(120, unlabelled=0.7))
    model = Debiaser("muse", max_epochs=2, channels=8, backbone_options={"contrastive": 1.0}).fit(
        graph, baselines=False
    )
    assert all(np.isfinite(row["train_loss"]) for row in model.history)


def test_clear_errors() -> None:
    with pytest.raises(InputError, match=r"unknown backbone 'conct'. Did you mean 'concat'\?"):
        Debiaser("conct")
    with pytest.raises(InputError, match=r"unknown setting 'max_epoch'. Did you mean 'max_epochs'"):
        Debiaser(max_epoch=3)
    with pytest.raises(InputError, match="'dropout'"):
        Debiaser(dropout=1.5)
    with pytest.raises(InputError, match="unknown debias"):
        Debiaser(debias="fully")
    for seed in ("x", -1, 1.5, True):
        with pytest.raises(InputError, match="seed: expected a whole number"):
            Debiaser(seed=seed)
    graph = graph_from_cohort(make_cohort(60))
    with pytest.raises(NotFittedError, match="not trained"):
        Debiaser().predict_proba(graph)
    unlabelled = graph_from_cohort(make_cohort(60))
    unlabelled["patient"].y[:] = float("nan")
    with pytest.raises(InputError, match="'train' has no labelled patient"):
        Debiaser(max_epochs=1).fit(unlabelled, baselines=False)


def test_another_graphs_vocabulary_is_refused() -> None:
    graph = graph_from_cohort(make_cohort(60, seed=0))
    model = Debiaser(max_epochs=1, channels=8).fit(graph, baselines=False)
    with pytest.raises(SchemaError, match=r"scales differ between the model and the graph; build the graph .* like="):
        model.predict_proba(graph_from_cohort(make_cohort(60, seed=1)))


def test_an_unfinished_run_is_not_a_model(tmp_path) -> None:
    with pytest.raises(InputError, match="no model here"):
        Debiaser.load(tmp_path / "nothing")


def test_mixed_precision_trains_and_predicts_in_full(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(120))
    model = Debiaser("muse", max_epochs=2, channels=8, members=2, precision="bf16-mixed", accelerator="cpu").fit(
        graph, baselines=False
    )
    scores = model.predict_proba(graph)
    assert np.isfinite(scores).all()
    assert all(parameter.dtype == torch.float32 for parameter in model.network.parameters())


def test_history_is_a_file_of_the_run(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(100))
    model = Debiaser("concat", max_epochs=3, channels=8, log="tensorboard").fit(
        graph, out=tmp_path / "run", baselines=False
    )
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,train_loss,tuning_loss,tuning_auprc,tuning_auroc")
    assert len(rows) == 1 + len(model.history)
    assert list((tmp_path / "run" / "tensorboard").glob("events.*"))


def test_a_graph_without_tuning_patients_says_what_to_do() -> None:
    splits = ["train"] * 80
    with pytest.raises(InputError, match=r"no split 'tuning'.*fractions"):
        Debiaser("concat").fit(graph_from_cohort(make_cohort(80, splits=splits)), baselines=False)


def test_files_of_a_model_have_one_mode(tmp_path) -> None:
    Debiaser("concat", max_epochs=1, channels=8).fit(graph_from_cohort(make_cohort(80)), baselines=False).save(
        tmp_path / "run"
    )
    assert len({file.stat().st_mode for file in (tmp_path / "run").iterdir()}) == 1


def test_a_model_is_not_judged_by_another_outcome() -> None:
    model = Debiaser("concat", max_epochs=1, channels=8).fit(graph_from_cohort(make_cohort(80)), baselines=False)
    with pytest.raises(SchemaError, match="the model predicts"):
        evaluate(model, graph_from_cohort(make_cohort(80, outcomes="multilabel")), baselines=False)


def test_averaged_weights_resume_exactly(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(100))
    settings = {"max_epochs": 5, "channels": 8, "members": 1, "averaging": 0.9}
    whole = Debiaser("muse", **settings).fit(graph, baselines=False)

    def stop(row: dict) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Debiaser("muse", **settings).fit(graph, out=tmp_path / "run", on_epoch=stop, baselines=False)
    resumed = Debiaser("muse", **settings).fit(graph, out=tmp_path / "run", resume=True, baselines=False)
    np.testing.assert_array_equal(resumed.predict_proba(graph), whole.predict_proba(graph))


def test_broken_values_are_an_error_and_not_a_score() -> None:
    graph = graph_from_cohort(make_cohort(100))
    model = Debiaser("concat", max_epochs=1, channels=8, members=1).fit(graph, baselines=False)
    with torch.no_grad():
        next(model.network.parameters()).fill_(float("nan"))
    with pytest.raises(InputError, match=r"no probability for \d+ patients \('p0000', .*weights"):
        model.predict_proba(graph)
    graph["patient", "note", "modality"].vector[0] = float("nan")
    for ask in (model.predict_proba, Debiaser("concat", max_epochs=1).fit):
        with pytest.raises(InputError, match="modality 'note': vector holds values that are not finite"):
            ask(graph)


@pytest.mark.parametrize("what", ["graph", 3, None, {"patient": 1}, np.zeros(3)])
def test_what_is_no_graph_is_refused(what: object) -> None:
    with pytest.raises(InputError, match="expected a graph"):
        Debiaser("concat").fit(what)  # type: ignore[arg-type]
    model = Debiaser("concat", max_epochs=1, channels=4, members=1).fit(
        graph_from_cohort(make_cohort(60)), baselines=False
    )
    for ask in (model.predict_proba, model.embed):
        with pytest.raises(InputError, match="expected a graph"):
            ask(what)  # type: ignore[operator]


def test_arguments_of_other_types_are_refused() -> None:
    graph = graph_from_cohort(make_cohort(60))
    model = Debiaser("concat", max_epochs=1, channels=4, members=1)
    for arguments in ({"out": 3}, {"on_epoch": 3}, {"resume": True}):
        with pytest.raises(InputError, match=r"expected|needs out"):
            model.fit(graph, **arguments)
    model.fit(graph)
    for chosen in (
        {"split": 3},
        {"split": [3]},
        {"ids": 3},
        {"ids": [3]},
        {"split": {"test": 1}},
        {"split": [["test"]]},
    ):
        with pytest.raises(InputError, match=r"split|ids"):
            model.predict_proba(graph, **chosen)
    with pytest.raises(InputError, match="use: expected"):
        model.use(3)  # type: ignore[arg-type]


def test_an_outcome_that_train_lacks_does_not_spoil_the_others() -> None:
    graph = graph_from_cohort(make_cohort(120, outcomes="multilabel"))
    train = torch.tensor([split == "train" for split in graph["patient"].split])
    graph["patient"].y[train, 1] = float("nan")
    model = Debiaser("concat", max_epochs=1, channels=4, members=1).fit(graph, baselines=False)
    assert np.isfinite(model.predict_proba(graph)).all()
    classes = graph_from_cohort(make_cohort(120, outcomes="multiclass"))
    y = classes["patient"].y
    y[y == 2] = -1  # the last class occurs nowhere
    scores = (
        Debiaser("concat", max_epochs=1, channels=4, members=1).fit(classes, baselines=False).predict_proba(classes)
    )
    assert scores.shape == (120, 3)
    assert (scores[:, 2] < 0.2).all()
