"""Two processes with batches of B train what one does with batches of 2 B; what happens when one of them ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
from datetime import timedelta

import numpy as np
import pytest
import torch

from gdsfd.cli import main
from gdsfd.errors import GdsfdError, InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.serialization import save_graph
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training import rank_processes
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.rank_processes import RankProcesses
from tests.cohort_factory import make_cohort

#: No random hiding: draws for a patient are another process's with several than with one.
PLAIN = {
    "channels": 8,
    "members": 2,
    "boosted_members": 0,
    "dropout": 0.0,
    "backbone_options": {"edge_drop": 0.0},
    "learning_rate": 1e-2,
    "max_epochs": 17,
    "patience": 100,
    "accelerator": "cpu",
}
SMALL = {"channels": 4, "members": 1, "max_epochs": 3, "batch_size": 16, "accelerator": "cpu", "patience": 100}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(150, outcomes="multilabel", unlabelled=0.3))


@pytest.fixture(scope="module")
def together(graph):
    with RankProcesses(graph, 2, "cpu", threads=1) as processes:
        yield processes


@pytest.fixture
def none_left(together):
    """A process is of one group at a time: those of the tests before end."""
    together._end()


@pytest.fixture
def in_double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def curves(graph, backbone, debias, together, **settings):
    """Histories of one process with 40 patients per step, and of two with 20 each."""
    streams = StreamConfig.read(debias)
    one = Arm(backbone, streams, TrainConfig(**{**PLAIN, **settings}, batch_size=40).resolved(100), 1, ("pattern",))
    config = TrainConfig(**{**PLAIN, **settings}, batch_size=20, devices=2).resolved(100)
    two = Arm(backbone, streams, config, 1, one.suspects)
    assert one.config.batch_size == two.config.batch_size
    return one.fit(graph).state.history, two.fit(graph, together=together).state.history


@pytest.mark.parametrize("debias", ["none", "streams"])
@pytest.mark.parametrize("backbone", ["concat", "muse", "grape"])
def test_two_processes_train_what_one_does(graph, together, in_double, backbone, debias):
    """51 steps, the last one of each epoch of fewer patients; every third label is missing.

    In double precision: at this learning rate a rounding error of single precision is worth up to 4e-4 of a loss after
    some steps, here as between two ways of one process.
    """
    alone, shared = curves(graph, backbone, debias, together)
    for name in ("train_loss", "tuning_loss", "tuning_auroc", "tuning_auprc"):
        np.testing.assert_allclose([row[name] for row in shared], [row[name] for row in alone], rtol=0, atol=1e-9)
    assert alone[0]["train_loss"] - alone[-1]["train_loss"] > 5e-2  # there was something to learn


@pytest.mark.parametrize(("backbone", "debias"), [("concat", "none"), ("muse", "streams"), ("grape", "full")])
def test_in_single_precision_they_do_within_rounding(graph, together, backbone, debias):
    alone, shared = curves(graph, backbone, debias, together, learning_rate=1e-3)
    for name in ("train_loss", "tuning_loss"):
        np.testing.assert_allclose([row[name] for row in shared], [row[name] for row in alone], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "debias",
    [
        "dfd",
        "prototypes",
        "group_dro",
        "irm",
        "mmd",
        {"information": "mine", "head": "causal"},
        {"swap": 1.0, "head": "joint", "biased_weight": 1.0},
    ],
)
def test_losses_that_look_at_a_whole_batch_are_those_of_the_whole_batch(graph, together, in_double, debias):
    """Exchanged codes, critics with an optimiser of their own, strata, and invariances between environments."""
    alone, shared = curves(graph, "muse", debias, together, max_epochs=6, members=1)
    for name in ("train_loss", "tuning_loss"):
        np.testing.assert_allclose([row[name] for row in shared], [row[name] for row in alone], rtol=0, atol=1e-9)


def test_with_dropout_processes_hide_other_values_and_come_to_something_alike(graph, together):
    settings = {**PLAIN, "dropout": 0.3, "backbone_options": {"edge_drop": 0.2}}
    one = Arm("muse", None, TrainConfig(**settings, batch_size=40).resolved(100), 1)
    two = Arm("muse", None, TrainConfig(**settings, batch_size=20, devices=2).resolved(100), 1)
    alone = [row["train_loss"] for row in one.fit(graph).state.history]
    shared, again = ([r["train_loss"] for r in two.fit(graph, together=together).state.history] for _ in range(2))
    assert shared == again  # a function of the seed
    assert shared != alone
    np.testing.assert_allclose(np.mean(shared[-5:]), np.mean(alone[-5:]), rtol=0.1)


def test_a_last_batch_of_one_patient_is_everybodys(graph, together):
    labelled = (~torch.isnan(graph["patient"].y).any(1)).nonzero().squeeze(1)
    rows = {"train": labelled[:33], "tuning": labelled[40:41]}
    config = TrainConfig(**{**PLAIN, "max_epochs": 3}, batch_size=16, devices=2).resolved(33)
    fitted = Arm("muse", None, config, 0).fit(graph, rows, together=together)
    alone = Arm("muse", None, config, 0).fit(graph, rows)
    for name in ("train_loss", "tuning_loss"):
        mine, theirs = ([row[name] for row in each.state.history] for each in (alone, fitted))
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


def test_a_refused_training_leaves_them_fit_for_the_next(graph, together):
    contrastive = {**PLAIN, "backbone_options": {"contrastive": 0.1}, "max_epochs": 1}
    arm = Arm("muse", None, TrainConfig(**contrastive, devices=2).resolved(100), 0)
    with pytest.raises(InputError, match="the contrastive losses compare all patients of a batch"):
        arm.fit(graph, together=together)
    fine = Arm("concat", None, TrainConfig(**{**PLAIN, "max_epochs": 1}, devices=2).resolved(100), 0)
    assert fine.fit(graph, together=together).state.epoch == 1


def test_a_killed_process_ends_the_run_which_another_number_of_them_finishes(graph, none_left, tmp_path):
    """The checkpoint is one process's, and any number of them goes on from it, with as many patients per step."""
    settings = {**SMALL, "dropout": 0.0, "backbone_options": {"edge_drop": 0.0}, "boosted_members": 0}
    whole = Debiaser("concat", seed=2, **settings).fit(graph, progress=False, baselines=False)

    def kill(row):
        if row["epoch"] == 2:
            (other,) = [each for each in multiprocessing.active_children() if each.is_alive()]
            os.kill(other.pid, signal.SIGKILL)

    halved = Debiaser("concat", seed=2, **{**settings, "batch_size": 8}, devices=2)
    with pytest.raises(GdsfdError, match=r"process 2 of the 2 that train together was killed \(signal 9\).*--resume"):
        halved.fit(graph, tmp_path / "run", on_epoch=kill, progress=False, baselines=False)
    assert list((tmp_path / ".run.training").glob("epoch-*"))
    assert not multiprocessing.active_children()
    rows = []
    resumed = Debiaser("concat", seed=2, **settings)
    resumed.fit(graph, tmp_path / "run", resume=True, on_epoch=rows.append, progress=False, baselines=False)
    assert rows[0]["epoch"] >= 2
    np.testing.assert_allclose(resumed.predict_proba(graph), whole.predict_proba(graph), atol=1e-5)


def test_another_number_of_patients_per_step_is_not_resumed(graph, none_left, tmp_path):
    class Enough(Exception):
        pass

    def stop(row):
        raise Enough

    with pytest.raises(Enough):
        Debiaser("concat", **SMALL).fit(graph, tmp_path / "run", on_epoch=stop, progress=False, baselines=False)
    with pytest.raises(InputError, match=r"config\.batch_size was 16, is 32"):
        Debiaser("concat", **SMALL, devices=2).fit(graph, tmp_path / "run", resume=True, progress=False)


def test_a_process_that_does_not_answer_ends_the_run(graph, none_left, monkeypatch):
    monkeypatch.setattr(rank_processes, "_PATIENCE", timedelta(seconds=2))
    monkeypatch.setattr(rank_processes, "_TO_END", 1.0)

    def stop(row):
        (other,) = [each for each in multiprocessing.active_children() if each.is_alive()]
        os.kill(other.pid, signal.SIGSTOP)

    with pytest.raises(GdsfdError, match="did not answer for 2 s"):
        Debiaser("concat", **SMALL, devices=2).fit(graph, on_epoch=stop, progress=False, baselines=False)
    assert not multiprocessing.active_children()


def test_the_command_trains_by_two(none_left, tmp_path, capsys):
    save_graph(graph_from_cohort(make_cohort(80)), tmp_path / "graph")
    given = ["train", str(tmp_path / "graph"), "--backbone", "concat", "--epochs", "1", "--no-baselines"]
    given += ["--set", "channels=4", "--set", "members=1", "--set", "accelerator=cpu"]
    assert main([*given, "--out", str(tmp_path / "run"), "--devices", "2"]) == 0
    printed = capsys.readouterr()
    assert "at most 1 epoch each, by 2 processes together" in printed.out
    assert printed.err == ""
    assert Debiaser.load(tmp_path / "run").get_params()["devices"] == 2
    assert main([*given, "--out", str(tmp_path / "other"), "--devices", "0"]) == 2
    assert "'devices': expected a whole number from 1 to 64, got 0" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
