"""Debiasing modes through the estimator: a planted shortcut, the guard, files, and awkward cohorts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.nn.streams import PRESETS, StreamConfig
from gdsfd.simulation.truth import load_truth
from gdsfd.training import Debiaser
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort

QUICK = {"members": 1, "channels": 16, "learning_rate": 3e-3, "max_epochs": 4, "guard_folds": 0}

TRAINED = {"members": 1, "channels": 32, "learning_rate": 1e-3, "patience": 6, "max_epochs": 40}


@pytest.fixture(scope="module")
def confounded(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("simulated")
    gdsfd.simulate(folder / "exports", patients=2000, seed=1)
    graph = gdsfd.build_graph(folder / "exports" / "spec.toml")
    return graph, load_truth(folder / "exports")


def area(model: Debiaser, graph, truth, split: str) -> float:
    y = truth.patients.loc[np.array(graph["patient"].id)]["y"].to_numpy()[rows_of(graph, split)]
    return float(roc_auc_score(y, model.predict_proba(graph, split=split)[:, 1]))


@pytest.mark.parametrize("mode", [pytest.param("strata", marks=pytest.mark.slow), "full"])
def test_a_planted_shortcut_is_removed_and_the_guard_says_so(confounded, mode: str) -> None:
    graph, truth = confounded
    model = Debiaser("concat", mode, guard_folds=2, **TRAINED).fit(graph, baselines=False)
    assert model.guard is not None
    assert model.guard.choice == "debiased"
    assert "left out of training" in model.guard.explanation
    assert model.guard.explanation.count("; ") >= len(model.guard.evidence["groups"]) - 1
    for reference, other, _ in model.guard.evidence["groups"].values():
        assert f"{other - reference:+.3f}" in model.guard.explanation
    shifted, plain = area(model, graph, truth, "test_unbiased"), area(model, graph, truth, "test")
    model.use("reference")
    assert shifted > area(model, graph, truth, "test_unbiased") + 0.05
    assert plain > 0.85
    assert area(model, graph, truth, "test") > plain  # what following the bias is worth while it lasts


def test_forcing_saving_and_embedding(confounded, tmp_path) -> None:
    graph, _ = confounded
    model = Debiaser("muse", "full", guard="debiased", **QUICK).fit(graph, baselines=False)
    assert model.choice == "debiased"
    codes = model.embed(graph, split="test")
    assert set(codes) == {"causal", "biased"}
    assert codes["causal"].shape == codes["biased"].shape == (rows_of(graph, "test").numel(), 16)
    model.save(tmp_path / "run")
    loaded = Debiaser.load(tmp_path / "run")
    for which in ("debiased", "reference", "auto"):
        expected = model.use(which).predict_proba(graph, split="test")
        np.testing.assert_array_equal(loaded.use(which).predict_proba(graph, split="test"), expected)
    assert loaded.guard == model.guard
    assert {row["model"] for row in loaded.history} == {"reference", "debiased", "biased"}
    ids = [graph["patient"].id[int(row)] for row in rows_of(graph, "test")[:5]]
    for which in ("debiased", "reference"):
        alone = np.concatenate([model.use(which).predict_proba(graph, ids=[name]) for name in ids])
        np.testing.assert_allclose(alone, model.predict_proba(graph, ids=ids), atol=1e-5)


def test_where_suspects_tell_nothing_the_reference_is_used() -> None:
    graph = graph_from_cohort(make_cohort(400, environments=3))
    generator = np.random.default_rng(0)
    graph["patient"].environment = [f"site{number}" for number in generator.integers(0, 3, 400)]
    model = Debiaser("concat", "full", suspects="environment", **QUICK).fit(graph, baselines=False)
    assert model.guard is not None
    assert model.guard.choice == "reference"
    assert "nothing" in model.guard.explanation
    plain = Debiaser("concat", "none", **{**QUICK}).fit(graph, baselines=False)
    np.testing.assert_array_equal(model.predict_proba(graph), plain.predict_proba(graph))


@pytest.mark.slow
def test_where_no_suspect_is_declared_nothing_is_adjusted_and_the_reason_is_given(tmp_path) -> None:
    gdsfd.simulate(tmp_path / "exports", patients=2000, seed=1, preset="latent")
    graph = gdsfd.build_graph(tmp_path / "exports" / "spec.toml")
    model = Debiaser("concat", "full", suspects=(), **QUICK).fit(graph, baselines=False)
    assert model.guard is not None
    assert model.guard.choice == "reference"
    said = "no suspect in the graph tells anything of the outcome: there is nothing to adjust for"
    assert said in model.guard.explanation
    found = model.training["strata"]
    assert not found["used"]
    reasons = {"none": "No latent confounder was found", "cannot tell": "no suspect is declared that could say"}
    assert reasons[found["verdict"]] in found["sentence"]
    assert model.strata_ == {}
    plain = Debiaser("concat", "none", **QUICK).fit(graph, baselines=False)
    np.testing.assert_array_equal(model.predict_proba(graph), plain.predict_proba(graph))
    declared = Debiaser("concat", "full", **QUICK).fit(graph, baselines=False)
    assert declared.training["strata"]["used"]  # once something can tell of them


def test_gross_failure_is_caught(confounded, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, _ = confounded
    upside_down = Debiaser("concat", "strata", **QUICK)
    fit = Arm.fit

    def inverted(self: Arm, *args, **options):
        fitted = fit(self, *args, **options)
        if self.streams is not None:
            with torch.no_grad():
                for member in fitted.network.members:
                    member.out.weight.neg_()
        return fitted

    monkeypatch.setattr(Arm, "fit", inverted)
    upside_down.fit(graph)
    assert upside_down.guard is not None
    assert upside_down.guard.failed
    assert upside_down.choice == "reference"
    assert "failed" in upside_down.guard.explanation


@pytest.mark.parametrize("mode", ["dfd", "strata", "full"])
@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_every_kind_of_outcome(mode: str, outcomes: str) -> None:
    graph = graph_from_cohort(make_cohort(150, outcomes=outcomes))
    model = Debiaser("muse", mode, **{**QUICK, "max_epochs": 2}).fit(graph, baselines=False)
    for which in ("debiased", "reference"):
        assert bool(np.isfinite(model.use(which).predict_proba(graph)).all())


@pytest.mark.parametrize("level", ["edge", "feature", "both"])
@pytest.mark.parametrize("backbone", ["concat", "muse", "grape"])
def test_every_level_of_masks_on_every_backbone(backbone: str, level: str) -> None:
    graph = graph_from_cohort(make_cohort(100))
    settings = {**QUICK, "max_epochs": 1, "guard_folds": 0}
    model = Debiaser(backbone, StreamConfig(mask_level=level), **settings).fit(graph, baselines=False).use("debiased")  # type: ignore[arg-type]
    together = model.predict_proba(graph)
    np.testing.assert_allclose(model.predict_proba(graph, ids=[graph["patient"].id[3]])[0], together[3], atol=1e-6)


EVERYTHING = StreamConfig(
    margin=True, weight="stratum", information="mine", conditional=True, swap=1.0, suspect_weight=0.5, stage_one=0.0
)
CASES = {
    "everything": EVERYTHING,
    "exchange": StreamConfig(swap=1.0, information="xcov", stage_one=0.0),
    "adversary": StreamConfig(information="grl", conditional=True, stage_one=0.0),
    **{name: config for name, config in PRESETS.items() if config is not None},
}


#: Modes that share most of their losses with those that stay.
ALIKE = {*CASES} - {"everything", "exchange", "adversary", "dfd", "full", "prototypes"}


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=pytest.mark.slow if name in ALIKE else ()) for name in CASES]
)
@pytest.mark.parametrize(
    "trouble", ["one per batch", "one class", "unlabelled batches", "one stratum", "missing suspects"]
)
def test_awkward_batches_give_finite_weights_and_losses(case: str, trouble: str) -> None:
    graph = graph_from_cohort(make_cohort(80, unlabelled=0.3))
    patient = graph["patient"]
    settings = dict(QUICK, max_epochs=2, batch_size=8)
    suspects = ("pattern", "environment", "groups", f"column:{_numeric(graph)}")
    if trouble == "one per batch":
        settings["batch_size"] = 1
    elif trouble == "one class":
        patient.y[rows_of(graph, "train")] = 1.0
    elif trouble == "unlabelled batches":
        train = rows_of(graph, "train")
        patient.y[train[10:]] = float("nan")
        settings["backbone_options"] = {"contrastive": 0.1}  # the unlabelled take part
    elif trouble == "one stratum":
        patient.environment = ["only"] * len(patient.id)
        suspects = ("environment",)
    else:
        modality, _, column = _numeric(graph).partition(".")
        edges = graph["patient", modality, "modality"]
        fields = next(each for each in graph.schema.modalities if each.name == modality)
        edges.numeric[::2, fields.numeric.index(column)] = float("nan")
    arm = Arm("muse", CASES[case], TrainConfig(**settings).resolved(60), 0, suspects)  # type: ignore[arg-type]
    fitted = arm.fit(graph)
    assert all(np.isfinite(row["train_loss"]) and np.isfinite(row["tuning_loss"]) for row in fitted.state.history)
    assert all(bool(torch.isfinite(value).all()) for value in fitted.network.state_dict().values())


def _numeric(graph) -> str:
    modality = next(each for each in graph.schema.modalities if each.numeric)
    return f"{modality.name}.{modality.numeric[0]}"


def test_killed_and_resumed_is_the_same_bit_for_bit(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(150))
    config = TrainConfig(**{**QUICK, "max_epochs": 5}).resolved(100)  # type: ignore[arg-type]
    arm = Arm("muse", EVERYTHING, config, 0, ("pattern", "environment"))
    whole = arm.fit(graph)

    class Killed(Exception):
        pass

    def kill(row) -> None:
        if row["epoch"] == 3:
            raise Killed

    with pytest.raises(Killed):
        arm.fit(graph, folder=tmp_path, settings={"a": 1}, on_epoch=kill)
    resumed = arm.fit(graph, folder=tmp_path, resume=True, settings={"a": 1})
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_words_that_are_refused() -> None:
    with pytest.raises(InputError, match=r"unknown debias 'ful'.*full"):
        Debiaser(debias="ful")
    with pytest.raises(InputError, match="debias setting 'q'"):
        Debiaser(debias={"q": 2.0})
    with pytest.raises(InputError, match="guard_folds"):
        Debiaser(guard_folds=-1)
    with pytest.raises(NotFittedError):
        Debiaser(debias="full").use("debiased")
    graph = graph_from_cohort(make_cohort(60))
    plain = Debiaser("concat", **{**QUICK, "max_epochs": 1}).fit(graph, baselines=False)
    with pytest.raises(InputError, match="no debiased network"):
        plain.use("debiased")
    with pytest.raises(InputError, match="'auto', 'debiased' or 'reference'"):
        plain.use("causal")
