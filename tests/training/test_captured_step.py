"""Steps that a GPU repeats: what can be held without one, and when they are not taken."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.ops.over_ranks import Ranks
from gdsfd.training import Debiaser, captured_step, loop
from gdsfd.training.captured_step import CapturedStep, CapturedSteps, baked_in, why_not_captured
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort
from tests.no_synchronisation import NoSynchronisation

SETTINGS = {
    "max_epochs": 3,
    "channels": 8,
    "members": 2,
    "batch_size": 64,
    "averaging": 0.9,
    "guard": "debiased",
    "accelerator": "cpu",
}


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(150))


@pytest.fixture
def rehearsed(monkeypatch):
    """The function that would be recorded is called every time, on the CPU; the sizes of its batches."""
    sizes: list[int] = []
    own = CapturedStep.__call__

    def call(self, rows):
        sizes.append(len(rows))
        return own(self, rows)

    monkeypatch.setattr(
        loop, "why_not_captured", lambda step, batches, _: captured_step.why_not_repeatable(step, batches)
    )
    monkeypatch.setattr(CapturedStep, "__call__", call)
    return sizes


@pytest.mark.parametrize(("backbone", "debias"), [("concat", "none"), ("muse", "streams"), ("muse", "prototypes")])
def test_the_step_in_place_trains_as_the_ordinary_one(rehearsed, graph, backbone, debias) -> None:
    ordinary = Debiaser(backbone, debias=debias, **SETTINGS).fit(graph, baselines=False)
    assert not rehearsed
    in_place = Debiaser(backbone, debias=debias, **SETTINGS, captured=True).fit(graph, baselines=False)
    assert len(set(rehearsed)) == 2, "whole batches and a last short one"
    assert [row["train_loss"] for row in in_place.history] == [row["train_loss"] for row in ordinary.history]
    np.testing.assert_array_equal(in_place.predict_proba(graph), ordinary.predict_proba(graph))


class Stopped(Exception):
    pass


def test_resumed_equals_uninterrupted(rehearsed, graph, tmp_path: Path) -> None:
    def fit(name: str, **more):
        model = Debiaser("muse", **SETTINGS, captured=True)
        return model.fit(graph, out=tmp_path / name, baselines=False, **more)

    def stop(row: dict) -> None:
        if row["epoch"] == 2:
            raise Stopped

    whole = fit("whole")
    with pytest.raises(Stopped):
        fit("run", on_epoch=stop)
    resumed = fit("run", resume=True)
    assert rehearsed
    assert [row["train_loss"] for row in resumed.history] == [row["train_loss"] for row in whole.history]
    np.testing.assert_array_equal(resumed.predict_proba(graph), whole.predict_proba(graph))


@pytest.mark.parametrize("debias", ["none", "streams"])
def test_a_step_reads_patients_from_one_place_and_waits_for_nothing(rehearsed, monkeypatch, graph, debias) -> None:
    places, stages, begun = dict[int, Tensor](), set(), set()  # kept: memory that was freed may be given out again
    body, clip = CapturedSteps._body, Fabric.clip_gradients

    def watched(self, rows):
        places[id(rows)] = rows
        if self._step not in begun:  # in the first of an epoch the optimiser makes its lists, on the CPU only
            begun.add(self._step)
            return body(self, rows)
        stages.add(self._step.stage)
        with NoSynchronisation():
            return body(self, rows)

    def as_on_a_gpu(*given, error_if_nonfinite, **named):
        return clip(*given, error_if_nonfinite=False, **named)

    monkeypatch.setattr(CapturedSteps, "_body", watched)
    monkeypatch.setattr(Fabric, "clip_gradients", as_on_a_gpu)
    Debiaser("muse", debias=debias, **{**SETTINGS, "max_epochs": 5}, captured=True).fit(graph, baselines=False)
    assert stages == ({2} if debias == "none" else {1, 2})
    recorded = 1 if debias == "none" else 3  # the reference, then two stages
    assert len(places) == recorded * len({len(rows) for rows in places.values()})


class Counted:
    """Stands for torch's CUDA graphs: records a function by calling it, and replays it by calling it again."""

    def __init__(self, monkeypatch, error: str = "") -> None:
        self.body: list[object] = []
        self.events: list[str] = []

        @contextmanager
        def recording(graph):
            self.events.append("record")
            if error:
                raise RuntimeError(error)
            yield

        @contextmanager
        def on_stream(stream):
            self.events.append("warm up")
            yield

        stream = SimpleNamespace(wait_stream=lambda other: None)
        replayed = SimpleNamespace(replay=lambda: self.events.append("replay"))
        for name, stand_in in {
            "CUDAGraph": lambda: replayed,
            "graph": recording,
            "Stream": lambda: stream,
            "current_stream": lambda: stream,
            "stream": on_stream,
            "synchronize": lambda: None,
        }.items():
            monkeypatch.setattr(torch.cuda, name, stand_in)


def a_step(body, made_of=list) -> CapturedStep:
    step = CapturedStep(body, 3, torch.device("cpu"), made_of)
    step._replays = True
    return step


def test_warmed_up_recorded_replayed(monkeypatch) -> None:
    cuda, seen = Counted(monkeypatch), list[list[int]]()

    def body(rows: Tensor) -> Tensor:
        seen.append(rows.tolist())
        return rows.sum().float()

    step = a_step(body)
    for number in range(6):
        step(torch.tensor([number, 1, 2]))
    assert cuda.events == ["warm up"] * 3 + ["record"] + ["replay"] * 3
    assert seen == [[0, 1, 2], [1, 1, 2], [2, 1, 2], [3, 1, 2]]
    assert step.rows.tolist() == [5, 1, 2]  # which is what a replay reads
    assert not step.why_not


def test_what_cannot_be_recorded_is_called(monkeypatch, caplog) -> None:
    cuda = Counted(monkeypatch, error="CUDA error: operation not permitted when stream is capturing\nmore")
    step = a_step(lambda rows: rows.sum().float())
    found = [float(step(torch.tensor([number, 1, 2]))) for number in range(5)]
    assert found == [3.0, 4.0, 5.0, 6.0, 7.0]
    assert cuda.events == ["warm up"] * 3 + ["record"]
    assert step.why_not == "CUDA error: operation not permitted when stream is capturing"
    assert "steps of 3 patients are not replayed as a CUDA graph: CUDA error" in caplog.text


def test_a_part_that_counts_in_python_is_not_replayed(monkeypatch) -> None:
    cuda, part = Counted(monkeypatch), nn.Dropout(0.5)

    def body(rows: Tensor) -> Tensor:
        part.p += 0.01
        return rows.sum().float()

    step = a_step(body, lambda: baked_in(part))
    for _ in range(5):
        step(torch.tensor([0, 1, 2]))
    assert cuda.events == ["warm up"] * 2
    assert "changes what is no tensor" in step.why_not


def test_steps_are_recorded_anew_when_a_tensor_or_a_setting_has_changed() -> None:
    batches, parts = SimpleNamespace(device=torch.device("cpu")), nn.BatchNorm1d(2)
    steps = CapturedSteps(batches, SimpleNamespace(take=lambda rows: None), nn.ModuleList([parts]))

    def epoch(stage: int = 1) -> object:
        steps.start_epoch(SimpleNamespace(stage=stage, set_rate=lambda rate: None))
        steps._steps[3] = steps._steps.get(3) or object()
        return steps._steps[3]

    first = epoch()
    with torch.no_grad():
        parts.weight.add_(1)
        parts.running_mean.fill_(3)
    assert epoch() is first  # written in place: a recorded step reads it
    parts.running_mean = torch.zeros(2)
    second = epoch()
    assert second is not first
    parts.momentum = 0.2
    third = epoch()
    assert third is not second
    assert epoch(stage=2) is not third


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"device": torch.device("cpu")}, "needs a CUDA device, training is on 'cpu'"),
        ({"in_grid": False}, "lists of edges, whose lengths differ: few patients"),
        ({"apart": True}, "the inputs are not on the device"),
        ({"optimizer": object()}, "critics with an optimiser of their own"),
        ({"replace_loss": True}, "a backbone replaces the training loss"),
        ({"on_gradients": True}, "a backbone changes gradients"),
        ({"read_truth": True}, "a backbone reads every step's predictions"),
        ({"ranks": Ranks(0, 2)}, "several processes train together"),
        ({"precision": "16-mixed"}, "precision '16-mixed'"),
    ],
)
def test_why_steps_are_not_recorded(change, why) -> None:
    given = {"device": torch.device("cuda"), "in_grid": True, "apart": False, "optimizer": None, "precision": "32-true"}
    given |= {"replace_loss": False, "on_gradients": False, "read_truth": False, "why_not": "few patients", **change}
    all_in_one = SimpleNamespace(**given)
    step = SimpleNamespace(critics=all_in_one, hooks=all_in_one, ranks=given.get("ranks", Ranks()))
    found = why_not_captured(step, all_in_one, TrainConfig(precision=given["precision"]))
    assert why in found
    assert bool(why) == bool(found)


def test_training_says_why(graph, caplog) -> None:
    Debiaser("concat", **{**SETTINGS, "max_epochs": 1}, captured=True).fit(graph, baselines=False)
    assert "setting 'captured': steps are taken call by call: a CUDA graph needs a CUDA device" in caplog.text
