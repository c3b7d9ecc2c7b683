"""The benchmark of a training step."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gdsfd.bench import train_step
from gdsfd.bench.agreement import DisagreementError
from gdsfd.bench.message_passing import PLAIN, PRODUCTS
from gdsfd.bench.opponents.contest import COMPILED, OURS, STEPS, register_step
from gdsfd.bench.opponents.muse_contest import PUBLISHED, muse
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape
from gdsfd.bench.train_step import bench_train_step
from gdsfd.errors import InputError

SHAPE = Shape(40, 3, 0.6, channels=8)
FAST = Options(turns=3, budget=0.1, memory=False)


def test_lines_of_both_contestants():
    before = torch.get_rng_state()
    lines = bench_train_step(SHAPE, 16, "muse", FAST)
    assert torch.equal(before, torch.get_rng_state())
    assert [line["contestant"] for line in lines] == [PLAIN, PUBLISHED, OURS, PRODUCTS]
    seconds = {line["contestant"]: line["seconds"] for line in lines}
    assert lines[2]["times_bare_products"] == pytest.approx(seconds[OURS] / seconds[PRODUCTS])
    assert lines[0]["speedup_over_plain"] == 1
    assert lines[0]["float64_gradients_differ"] < 1e-8
    assert lines[0]["shape"]["batch"] == 16
    assert lines[0]["patients_per_second"] == pytest.approx(16 / lines[0]["seconds"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((SHAPE, 16, "mouse"), "--model: unknown 'mouse'. Did you mean 'muse'"),
        ((SHAPE, 41, "muse"), r"--batch: expected 2 to 40 \(the patients\), got 41"),
        ((SHAPE, 1, "muse"), "--batch: expected 2 to 40"),
        ((Shape(40, 3, dtype="bfloat16"), 16, "muse"), "--dtype: expected float64 or float32"),
    ],
)
def test_what_cannot_be_measured_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        bench_train_step(*given, FAST)


def test_a_model_of_ones_own(monkeypatch):
    monkeypatch.setitem(STEPS, "own", muse)  # taken away again after the test
    asked = []

    @register_step("own")
    def own(shape, seed, device, random):
        asked.append((shape.dtype, random))
        return muse(shape, seed, device, random)

    lines = bench_train_step(SHAPE, 16, "own", FAST)
    assert asked == [("float64", False), ("float32", False), ("float32", True)]
    assert {line["model"] for line in lines} == {"own"}


def test_a_step_of_other_mathematics_is_not_timed(monkeypatch):
    monkeypatch.setitem(STEPS, "wrong", muse)  # taken away again after the test

    @register_step("wrong")
    def wrong(shape, seed, device, random):
        contest = muse(shape, seed, device, random)
        contest.models[PLAIN].temperature *= 1.01
        return contest

    with pytest.raises(DisagreementError, match="wrong: losses differ"):
        bench_train_step(SHAPE, 16, "wrong", FAST)


@pytest.mark.parametrize("model", ["muse", "streams"])
def test_a_step_in_fixed_shapes_is_compared_and_timed_as_compiled(monkeypatch, model):
    """Without a compiler: what would be compiled is called operation by operation."""
    monkeypatch.setattr(train_step, "compiled", lambda written, rows: written)
    lines = bench_train_step(SHAPE, 16, model, replace(FAST, compiled=True))
    line = next(line for line in lines if line["contestant"] == COMPILED)
    seconds = {line["contestant"]: line["seconds"] for line in lines}
    assert line["speedup_over_plain"] == pytest.approx(seconds[PLAIN] / seconds[COMPILED])
    assert line["times_bare_products"] == pytest.approx(seconds[COMPILED] / seconds[PRODUCTS])


@pytest.mark.parametrize("model", ["muse", "streams"])
def test_other_mathematics_in_fixed_shapes_is_not_timed(monkeypatch, model):
    monkeypatch.setitem(STEPS, "wrong", STEPS[model])  # taken away again after the test

    @register_step("wrong")
    def wrong(shape, seed, device, random):
        contest = STEPS[model](shape, seed, device, random)
        stack, loss = contest.fixed
        return replace(contest, fixed=(stack, lambda rows: 1.001 * loss(rows)))

    with pytest.raises(DisagreementError, match="wrong: losses in fixed shapes differ"):
        bench_train_step(SHAPE, 16, "wrong", FAST)


def test_what_was_compiled_wrongly_is_not_timed(monkeypatch):
    def wrongly(written, rows):
        def call(rows):
            loss, *gradients = written(rows)
            return [loss, *(1.1 * each for each in gradients)]

        return call

    monkeypatch.setattr(train_step, "compiled", wrongly)
    with pytest.raises(DisagreementError, match="gradients of what was compiled differ"):
        bench_train_step(SHAPE, 16, "muse", replace(FAST, compiled=True))


def test_a_step_changes_the_weights():
    contest = muse(SHAPE, 0, "cpu", True)
    for name in contest.models:
        before = {key: value.clone() for key, value in contest.models[name].named_parameters()}
        train_step.stepper(contest, name, SHAPE, 16, "cpu")()
        assert all(not torch.equal(before[key], value) for key, value in contest.models[name].named_parameters())
