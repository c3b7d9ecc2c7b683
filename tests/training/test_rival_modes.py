"""Modes without streams through the estimator: files, one patient as in the batch, and a planted shortcut."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.streams import PRESETS, StreamConfig
from gdsfd.training import Debiaser, loop
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort

MODES = [name for name, parts in PRESETS.items() if parts is not None and not parts.streams]
QUICK = {"members": 2, "channels": 8, "learning_rate": 3e-3, "max_epochs": 3, "guard_folds": 0, "guard": "debiased"}


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(200))


@pytest.mark.parametrize("mode", MODES)
def test_stored_and_read_it_predicts_the_same_one_patient_as_in_the_batch(graph, mode: str, tmp_path) -> None:
    model = Debiaser("concat", mode, **QUICK).fit(graph, baselines=False)  # type: ignore[arg-type]
    together = model.predict_proba(graph)
    assert set(model.embed(graph)) == ({"causal", "biased"} if mode == "full" else {"pooled"})
    model.save(tmp_path / "run")
    read = Debiaser.load(tmp_path / "run")
    assert (read.debias, read.streams, read.choice_) == (mode, PRESETS[mode], "debiased")
    np.testing.assert_array_equal(read.predict_proba(graph), together)
    for row in (0, 3, 50):
        alone = read.predict_proba(graph, ids=[graph["patient"].id[row]])[0]
        np.testing.assert_allclose(alone, together[row], atol=1e-6)


def test_importance_weights_say_what_was_cut_and_what_is_left() -> None:
    graph = graph_from_cohort(make_cohort(600))
    label = graph["patient"].y[:, 0].nan_to_num(0.0).numpy()
    graph["patient"].environment = [f"site{int(each)}" for each in np.where(np.arange(600) % 10 == 0, 1 - label, label)]
    settings = {**QUICK, "max_epochs": 1}
    found = Debiaser("concat", "strata", suspects="environment", **settings).fit(graph, baselines=False).training
    train = np.asarray(graph["patient"].split) == "train"
    assert 0 < found["weights_clipped"][0] < 0.2
    assert 50 < found["weights_worth_patients"][0] < 0.9 * train.sum()
    plain = Debiaser("concat", "margin", suspects="environment", **settings).fit(graph, baselines=False).training
    assert "weights_clipped" not in plain


@pytest.mark.parametrize(("mode", "best"), [("vrex", 4), ("irm", 4), ("mmd", 4), ("group_dro", 1)])
def test_epochs_before_the_penalty_are_not_in_the_running(graph, monkeypatch, mode: str, best: int) -> None:
    losses = iter([0.1, 0.2, 0.5, 0.4, 0.6])
    figures = {"tuning_auprc": 0.5, "tuning_auroc": 0.5}
    monkeypatch.setattr(loop, "tuning_figures", lambda *given: {"tuning_loss": next(losses), **figures})
    settings = {**QUICK, "members": 1, "max_epochs": 5, "patience": 9}
    config = TrainConfig(**settings).resolved(120)  # type: ignore[arg-type]
    streams = StreamConfig(streams=False, objective=mode, stage_one=0.4)
    state = Arm("concat", streams, config, 0, ("pattern", "environment")).fit(graph).state
    assert (state.epoch, state.best_epoch) == (5, best)
