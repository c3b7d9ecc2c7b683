"""Fits on a cluster's workers: the lines of fits here, also when a worker is lost."""

from __future__ import annotations

import os
import signal

import pandas as pd
import pytest
import torch

from gdsfd.comparison import compare
from gdsfd.comparison.cluster import check_cluster
from gdsfd.comparison.fit_log import read_fits
from gdsfd.errors import InputError
from gdsfd.fusion_study.study import study

distributed = pytest.importorskip("distributed")

QUICK = {"max_epochs": 1, "members": 1, "channels": 8, "accelerator": "cpu", "guard_folds": 0}
ASKED = {"arms": ["none", "strata"], "backbones": ["concat"], "baselines": ["logistic"], "seeds": 2}


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as found:
        yield found


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def lines(folder):
    """What was found, without how long it took."""
    timed = ("seconds", "guard_seconds", "time", "load")
    return {
        (line["design"], line["seed"], line["backbone"], line["arm"]): {
            name: value for name, value in line.items() if name not in timed
        }
        for line in read_fits(folder / "fits.jsonl")
    }


@pytest.mark.slow
def test_the_lines_are_those_of_fits_here_though_a_worker_is_killed(graph, tmp_path, one_thread, cluster):
    """It is killed while it fits; the other one, or the one that takes its place, fits again."""
    told = []

    def kill_one(words):
        if not told:
            with distributed.Client(cluster, set_as_default=False) as client:
                busy = next(name for name, keys in client.processing().items() if keys)
                os.kill(client.run(os.getpid, workers=[busy])[busy], signal.SIGKILL)
        told.append(words)

    compare(graph, out=tmp_path / "apart", cluster=cluster.scheduler_address, on_fit=kill_one, **ASKED, **QUICK)
    compare(graph, out=tmp_path / "here", **ASKED, **QUICK)  # whose lines are those of jobs=2: test_execution.py
    apart, here = lines(tmp_path / "apart"), lines(tmp_path / "here")
    assert apart == here
    assert len(here) == 2 * (1 + 1 + 2)  # logistic; none; strata, as delivered and forced
    assert any("strata" in words for words in told)
    assert "concat" in (tmp_path / "apart" / "compare.html").read_text()


def test_a_study_gets_its_predictions_back(graph, tmp_path, one_thread, cluster):
    asked = {"questions": [2], "learners": ["concat", "boosting"], "seeds": 1, "details": False, "quick": True, **QUICK}
    apart = study(graph, tmp_path / "apart", cluster=cluster.scheduler_address, **asked)
    here = study(graph, tmp_path / "here", **asked)
    assert [answer.sentences for answer in apart.answers] == [answer.sentences for answer in here.answers]
    mine, theirs = (sorted((tmp_path / name / "predictions").rglob("*.parquet")) for name in ("here", "apart"))
    assert [path.name for path in mine] == [path.name for path in theirs]
    assert len(mine) == 2
    for one, other in zip(mine, theirs):
        pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(other))


@pytest.mark.parametrize(
    ("address", "jobs", "message"),
    [
        ("host", 1, "expected a scheduler's address, such as tcp://host:8786, got 'host'"),
        (5, 1, "expected a scheduler's address"),
        ("tcp://127.0.0.1:9", 2, "leave out jobs=2"),
        ("tcp://127.0.0.1:9", 1, "no scheduler answers at tcp://127.0.0.1:9"),
        ("what://is", 1, "no scheduler answers at what://is"),
    ],
)
def test_wrong_addresses(graph, tmp_path, address, jobs, message, monkeypatch):
    monkeypatch.setattr("gdsfd.comparison.cluster._TO_ANSWER", 1)
    with pytest.raises(InputError, match=message):
        compare(graph, out=tmp_path / "out", cluster=address, jobs=jobs, **ASKED, **QUICK)
    assert not (tmp_path / "out").exists()


def test_workers_of_several_threads_are_refused(graph):
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as threaded,
        pytest.raises(InputError, match=r"does 2 things at once.*start workers with --nthreads 1"),
    ):
        compare(graph, cluster=threaded.scheduler_address, **ASKED, **QUICK)


def test_without_dask(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(InputError, match=r"needs Dask; pip install 'gdsfd\[cluster\]'"):
        check_cluster("tcp://host:8786", 1)
