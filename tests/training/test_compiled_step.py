"""Compiled steps: what is compiled is the step call by call, number for number, random numbers included."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.backbones.registry import known_backbones
from gdsfd.nn.member_stack import MemberStack
from gdsfd.ops.over_ranks import Ranks
from gdsfd.training import Debiaser, compiled_step
from gdsfd.training.compiled_step import WrittenDown, compiled, why_not_compiled
from gdsfd.training.config import TrainConfig
from tests.cohort_factory import make_cohort
from tests.nn.test_member_stack import NO_GRID, problem

needs_compiler = pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="no C++ compiler")

SETTINGS = {
    "max_epochs": 4,
    "channels": 8,
    "members": 2,
    "batch_size": 64,
    "averaging": 0.9,
    "guard": "debiased",
    "accelerator": "cpu",
}


@pytest.fixture
def double_precision(monkeypatch):
    """Everything in float64, losses too, which are worked out in float32 otherwise."""
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(150))


def a_step(backbone: str, debias: str, outcomes: str, members: int = 2):
    """A step with dropout, as a function of rows, and what gradients are taken of."""
    network, objective, _, grid, targets = problem(
        backbone, debias, outcomes, dropout=0.25, members=members, edge_drop=0.15
    )
    stack = MemberStack(network)
    parameters = [each for each in stack.parameters() if each.requires_grad]
    return lambda rows: objective(stack(grid), targets, 2), parameters


def call_by_call(loss, parameters, rows):
    torch.manual_seed(7)
    value = loss(rows)
    found = torch.autograd.grad(value, parameters, allow_unused=True)
    return [value.detach(), *(each for each in found if each is not None)], torch.get_rng_state()


def assert_same(found, expected, atol: float) -> None:
    assert len(found) == len(expected) > 5
    for one, other in zip(found, expected):
        torch.testing.assert_close(one, other, rtol=0, atol=atol)


CASES = [
    *[("muse", debias, "binary") for debias in ("none", "margin", "dfd", "streams", "prototypes", "latent")],
    *[("concat", debias, "multiclass") for debias in ("none", "streams", "prototypes")],
    ("concat", "dfd", "multilabel"),
]
#: Modes whose losses are among those of the others.
ALIKE = ("margin", "latent")


@pytest.mark.parametrize(
    ("backbone", "debias", "outcomes", "members"),
    [
        *(pytest.param(*case, 2, marks=pytest.mark.slow if case[1] in ALIKE else ()) for case in CASES),
        pytest.param("concat", "none", "binary", 1, marks=pytest.mark.slow),
        ("muse", "streams", "binary", 1),
    ],
)
def test_written_down_is_the_step(double_precision, backbone, debias, outcomes, members) -> None:
    """Loss, gradients, and where the generator stands afterwards."""
    loss, parameters = a_step(backbone, debias, outcomes, members)
    rows = torch.arange(3)
    expected, state = call_by_call(loss, parameters, rows)
    written = WrittenDown(loss, parameters, rows)
    torch.manual_seed(7)
    assert_same(written(rows), expected, 1e-12)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", [name for name in known_backbones() if name not in NO_GRID])
@pytest.mark.parametrize("debias", ["none", "streams"])
def test_written_down_is_the_step_of_every_learner(double_precision, backbone, debias) -> None:
    test_written_down_is_the_step(None, backbone, debias, "binary", 2)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "debias", "outcomes"), [CASES[0], CASES[3], CASES[4], CASES[7]])
def test_compiled_is_the_step(double_precision, backbone, debias, outcomes) -> None:
    loss, parameters = a_step(backbone, debias, outcomes)
    rows = torch.arange(3)
    expected, state = call_by_call(loss, parameters, rows)
    call = compiled(WrittenDown(loss, parameters, rows), rows)
    for _ in range(2):
        torch.manual_seed(7)
        assert_same(call(rows), expected, 1e-10)
        assert torch.equal(torch.get_rng_state(), state)


@needs_compiler
@pytest.mark.slow
def test_what_a_compiled_step_changes_in_place_is_changed_once(double_precision) -> None:
    part, values = torch.nn.BatchNorm1d(3), torch.randn(6, 3)
    part(values)
    expected = part.running_mean.clone(), part.running_var.clone()
    part.reset_running_stats()
    with compiled_step._buffers_put_back(part):
        written = WrittenDown(lambda given: part(given).square().mean(), list(part.parameters()), values)
    call = compiled(written, values)
    assert int(part.num_batches_tracked) == 0
    call(values)
    torch.testing.assert_close((part.running_mean, part.running_var), expected)


@pytest.fixture
def not_compiled(monkeypatch):
    """The graph is called operation by operation, without a compiler; the graphs there were."""
    graphs: list[WrittenDown] = []

    def called(written, *batch):
        graphs.append(written)
        return written

    monkeypatch.setattr(compiled_step, "compiled", called)
    monkeypatch.setattr(compiled_step.shutil, "which", lambda name: name)
    return graphs


@pytest.mark.parametrize(
    ("backbone", "debias", "graphs"),
    [
        ("concat", "none", 1),
        pytest.param("muse", "streams", 3, marks=pytest.mark.slow),
        ("muse", "prototypes", 3),
    ],
)
def test_training_comes_to_what_it_comes_to_call_by_call(not_compiled, graph, backbone, debias, graphs) -> None:
    """Of ``full`` and ``prototypes`` the reference, and two stages; prototypes are fitted again in between."""
    ordinary = Debiaser(backbone, debias=debias, **SETTINGS).fit(graph, baselines=False)
    assert not not_compiled
    model = Debiaser(backbone, debias=debias, **SETTINGS, compiled=True).fit(graph, baselines=False)
    assert len(not_compiled) == graphs
    losses = [[row["train_loss"] for row in each.history] for each in (model, ordinary)]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    np.testing.assert_allclose(model.predict_proba(graph), ordinary.predict_proba(graph), atol=1e-4)


@pytest.mark.slow
@needs_compiler
def test_training_with_a_compiler_repeats_itself_and_is_resumed(graph, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(row: dict) -> None:
        if row["epoch"] == 2:
            raise Stopped

    def fit(name: str, compiled: bool = True, **more):
        model = Debiaser("concat", **{**SETTINGS, "members": 1, "boosted_members": 0}, compiled=compiled)
        return model.fit(graph, out=tmp_path / name, baselines=False, **more)

    whole, ordinary = fit("whole"), fit("ordinary", compiled=False)
    with pytest.raises(Stopped):
        fit("run", on_epoch=stop)
    resumed = fit("run", resume=True)
    assert [row["train_loss"] for row in resumed.history] == [row["train_loss"] for row in whole.history]
    np.testing.assert_array_equal(resumed.predict_proba(graph), whole.predict_proba(graph))
    losses = [[row["train_loss"] for row in each.history] for each in (whole, ordinary)]
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_a_graph_has_no_size_of_the_cohort_in_it(not_compiled, graph) -> None:
    """So that what was compiled for one fold serves the others."""
    for patients in (150, 140):
        own = graph_from_cohort(make_cohort(patients))
        Debiaser("concat", **{**SETTINGS, "max_epochs": 1}, compiled=True).fit(own, baselines=False)
    shapes = [[tuple(each.shape) for each in written.tensors] for written in not_compiled]
    assert len(shapes) == 2
    assert shapes[0] == shapes[1]
    codes = [str(written.graph.code) for written in not_compiled]
    assert codes[0] == codes[1]


def test_a_compiler_that_fails_is_told_of_once(monkeypatch, graph, caplog) -> None:
    def fails(written, *batch):
        raise RuntimeError("the disk is full\nmore")

    monkeypatch.setattr(compiled_step, "compiled", fails)
    monkeypatch.setattr(compiled_step.shutil, "which", lambda name: name)
    ordinary = Debiaser("concat", **SETTINGS).fit(graph, baselines=False)
    model = Debiaser("concat", **SETTINGS, compiled=True).fit(graph, baselines=False)
    assert caplog.text.count("setting 'compiled': steps are taken call by call: the disk is full") == 1
    np.testing.assert_array_equal(model.predict_proba(graph), ordinary.predict_proba(graph))


def test_a_step_that_cannot_be_written_down_trains_as_without_the_setting(not_compiled, graph, caplog) -> None:
    """Of group_dro, which looks at a value half-way: random numbers and shares that the attempt moved are put back."""
    settings = {**SETTINGS, "boosted_members": 0}
    ordinary = Debiaser("concat", debias="group_dro", **settings).fit(graph, baselines=False)
    model = Debiaser("concat", debias="group_dro", **settings, compiled=True).fit(graph, baselines=False)
    assert "setting 'compiled': steps are taken call by call: It appears" in caplog.text
    debiased = [[row["train_loss"] for row in each.history][SETTINGS["max_epochs"] :] for each in (model, ordinary)]
    assert debiased[0] == debiased[1]


def test_what_a_step_changes_in_place_is_put_back_after_writing_it_down() -> None:
    part = torch.nn.BatchNorm1d(2)
    with suppress(ValueError), compiled_step._buffers_put_back(part):
        part(torch.randn(5, 2))
        assert int(part.num_batches_tracked) == 1
        raise ValueError
    assert int(part.num_batches_tracked) == 0
    assert torch.equal(part.running_mean, torch.zeros(2))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"device": torch.device("cuda")}, "training is on 'cuda'"),
        ({"in_grid": False}, "lists of edges, whose lengths differ: few patients"),
        ({"optimizer": object()}, "critics with an optimiser of their own"),
        ({"ranks": Ranks(0, 2)}, "several processes train together"),
        ({"precision": "bf16-mixed"}, "precision 'bf16-mixed'"),
        ({"compiler": None}, "there is no C++ compiler"),
    ],
)
def test_why_steps_are_not_compiled(monkeypatch, change, why) -> None:
    given = {"device": torch.device("cpu"), "in_grid": True, "apart": False, "optimizer": None, "compiler": "g++"}
    given |= {"replace_loss": False, "on_gradients": False, "read_truth": False, "why_not": "few patients", **change}
    monkeypatch.setattr(compiled_step.shutil, "which", lambda name: given["compiler"])
    all_in_one = SimpleNamespace(**given)
    step = SimpleNamespace(critics=all_in_one, hooks=all_in_one, ranks=given.get("ranks", Ranks()))
    found = why_not_compiled(step, all_in_one, TrainConfig(precision=given.get("precision", "32-true")))
    assert why in found
    assert bool(why) == bool(found)
