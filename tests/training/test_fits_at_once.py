"""Fits in processes: the numbers, checkpoints and histories of fits here, and nothing left behind."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
import torch

from gdsfd.errors import GdsfdError, InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.fits_at_once import Fit, FitProcesses
from tests.cohort_factory import make_cohort

SMALL = {"channels": 4, "members": 1, "max_epochs": 2, "accelerator": "cpu"}


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(120))


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_training_in_processes_is_the_training_here(graph, tmp_path, one_thread):
    """Both arms, the guard's left-out fits and the rivals; rows of one fit stay in order."""
    told = {}
    for jobs in (1, 2):
        rows = told[jobs] = []
        model = Debiaser("concat", "dfd", seed=3, **SMALL)
        model.fit(graph, tmp_path / str(jobs), on_epoch=rows.append, progress=False, jobs=jobs)
    here, apart = (Debiaser.load(tmp_path / name) for name in ("1", "2"))
    assert here.guard == apart.guard
    assert here.guard.evidence["groups"]
    for name, network in here.networks.items():
        other = apart.networks[name].state_dict()
        assert all(torch.equal(value, other[key]) for key, value in network.state_dict().items())
    np.testing.assert_array_equal(here.predict_proba(graph), apart.predict_proba(graph))
    assert here.record.rules == apart.record.rules
    for name, rival in here.record.baselines.items():
        np.testing.assert_array_equal(rival.predict_proba(graph), apart.record.baselines[name].predict_proba(graph))
    assert list(here.record.baselines) == ["boosting", "logistic"] == list(apart.record.baselines)
    for name in ("reference", "debiased", "guard"):
        loss, same = ([row["tuning_loss"] for row in told[jobs] if row["model"] == name] for jobs in (1, 2))
        assert (loss if name != "guard" else sorted(loss)) == (same if name != "guard" else sorted(same))
        assert len(loss) >= 2
    assert not list(tmp_path.glob("*.training"))


def test_what_was_foreseen_is_not_fitted_twice_and_what_is_not_wanted_ends(graph):
    config = TrainConfig.from_settings({**SMALL, "max_epochs": 1}).resolved(80)
    arm, rows = Arm("concat", None, config, 0), []
    endless = Arm("concat", None, TrainConfig.from_settings({**SMALL, "max_epochs": 100_000}).resolved(80), 0)
    own = {split: rows_of(graph, split) for split in ("train", "tuning")}
    with FitProcesses(graph, False, None, jobs=2, threads=1) as fits:
        fits.foresee(Fit(endless))
        fits.foresee(Fit(arm, own))
        ask = fits.begin(Fit(arm, {split: each.clone() for split, each in own.items()}, None, rows.append))
        assert ask().state.epoch == 1
        assert len(fits.begun) == 2
        assert [row["epoch"] for row in rows] == [1]
        workers = list(fits.pool._processes)
        again = fits.begin(Fit(arm, {**own, "tuning": own["tuning"][1:]}))  # other rows: another fit
        assert len(fits.begun) == 3
        assert again().state.epoch == 1
    assert not any(_runs(number) for number in workers)


def test_a_killed_process_is_an_error_that_says_what_to_do(graph):
    endless = Arm("concat", None, TrainConfig.from_settings({**SMALL, "max_epochs": 100_000}).resolved(80), 0)
    with FitProcesses(graph, False, None, jobs=1, threads=1) as fits:
        ask = fits.begin(Fit(endless))
        os.kill(next(iter(fits.pool._processes)), signal.SIGKILL)
        with pytest.raises(GdsfdError, match="most likely for want of memory; train with fewer jobs"):
            ask()


@pytest.mark.parametrize("jobs", [0, 1.5, True, "2"])
def test_wrong_numbers_of_jobs(graph, jobs):
    with pytest.raises(InputError, match="fit: jobs: expected a whole number from 1 to 256"):
        Debiaser("concat").fit(graph, jobs=jobs)


def _runs(number: int) -> bool:
    for _ in range(50):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True
