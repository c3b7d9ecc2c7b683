"""The contest of two streams: the plain composition computes the same, and a step of other mathematics is noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gdsfd.bench.agreement import DisagreementError
from gdsfd.bench.cohort_graph import random_graph
from gdsfd.bench.message_passing import PLAIN, PRODUCTS
from gdsfd.bench.opponents import streams_contest
from gdsfd.bench.opponents.contest import OURS, STEPS, register_step
from gdsfd.bench.opponents.plain_muse import PlainCohort
from gdsfd.bench.opponents.streams_contest import ERM, streams
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape
from gdsfd.bench.train_step import bench_train_step
from gdsfd.errors import InputError
from gdsfd.nn.streams import PRESETS

SHAPE = Shape(60, 3, 0.5, channels=8, dtype="float64")
FAST = Options(turns=3, budget=0.1, memory=False)
ROWS = torch.arange(0, 60, 2)


@pytest.mark.parametrize("shape", [SHAPE, replace(SHAPE, layers=1), replace(SHAPE, layers=3, density=0.2)], ids=str)
def test_outputs_loss_and_every_gradient_agree(shape):
    contest = streams(shape, 0, "cpu", False)
    assert contest.outputs is not None
    outputs = contest.outputs(ROWS)
    assert len(outputs) == 5
    for found, expected in outputs:
        assert found.dtype == torch.float64
        torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-13)
    losses = {name: contest.losses[name](ROWS) for name in (OURS, PLAIN)}
    torch.testing.assert_close(losses[OURS], losses[PLAIN], rtol=1e-6, atol=0)  # losses are float32 in any network
    for loss in losses.values():
        loss.backward()
    pairs = contest.gradients()
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-12)
    plain = contest.models[PLAIN]
    assert len(pairs) == len(list(plain.parameters()))  # all of them, and each has one
    silent = sum(not bool(expected.any()) for _, expected in pairs)
    assert silent == 2 * shape.modalities  # an encoder's hidden layer starts switched off


def test_masks_differ_and_some_patients_have_nothing():
    sparse = replace(SHAPE, density=0.2)
    assert not PlainCohort(random_graph(sparse, 0)).present[ROWS].any(1).all()
    contest = streams(sparse, 0, "cpu", False)
    assert contest.outputs is not None
    outputs = contest.outputs(ROWS)
    assert all(torch.isfinite(expected).all() for _, expected in outputs)
    assert outputs[-1][1].std() > 0.005


def test_as_many_numbers_to_learn_on_both_sides():
    models = streams(SHAPE, 0, "cpu", True).models
    counts = {name: sum(each.numel() for each in model.parameters()) for name, model in models.items()}
    assert counts[OURS] == counts[PLAIN] > counts[ERM]


def test_lines_of_both_and_of_erm_beside_them():
    lines = bench_train_step(replace(SHAPE, dtype="float32"), 16, "streams", FAST)
    assert [line["contestant"] for line in lines] == [PLAIN, OURS, ERM, PRODUCTS]
    assert lines[1]["times_bare_products"] == pytest.approx(lines[1]["seconds"] / lines[3]["seconds"])
    assert lines[0]["speedup_over_plain"] == 1
    assert lines[1]["times_erm"] == pytest.approx(lines[1]["seconds"] / lines[2]["seconds"])
    assert lines[1]["float64_gradients_differ"] < 1e-8
    assert lines[1]["float64_outputs_differ"] < 1e-11
    assert "speedup_over_plain" not in lines[2]  # other mathematics


@pytest.mark.parametrize(
    ("part", "message"),
    [("masker.inner.weight", "outputs differ"), ("biased.layers.0.message_linear.weight", "outputs differ")],
)
def test_a_changed_weight_is_noticed(monkeypatch, part, message):
    monkeypatch.setitem(STEPS, "wrong", streams)  # taken away again after the test

    @register_step("wrong")
    def wrong(shape, seed, device, random):
        contest = streams(shape, seed, device, random)
        with torch.no_grad():
            contest.models[PLAIN].get_parameter(part).mul_(1.001)
        return contest

    with pytest.raises(DisagreementError, match=f"wrong: {message}"):
        bench_train_step(SHAPE, 16, "wrong", FAST)


def test_another_loss_is_noticed_by_its_gradients(monkeypatch):
    monkeypatch.setitem(STEPS, "wrong", streams)  # taken away again after the test

    @register_step("wrong")
    def wrong(shape, seed, device, random):
        contest = streams(shape, seed, device, random)
        right = contest.losses[PLAIN]
        contest.losses[PLAIN] = lambda rows: 1.001 * right(rows)
        return contest

    with pytest.raises(DisagreementError, match="wrong: gradients differ"):
        bench_train_step(SHAPE, 16, "wrong", FAST)


def test_a_preset_that_has_moved_on_is_refused(monkeypatch):
    monkeypatch.setitem(streams_contest.PRESETS, "streams", replace(PRESETS["streams"], swap=1.0))
    with pytest.raises(InputError, match=r"written for .* adapt gdsfd/bench/opponents/plain_streams\.py"):
        streams(SHAPE, 0, "cpu", False)


@pytest.mark.parametrize("name", [PLAIN, OURS, ERM])
def test_a_step_changes_the_weights(name):
    contest = streams(SHAPE, 0, "cpu", True)
    before = {key: value.clone() for key, value in contest.models[name].named_parameters()}
    optimizer = torch.optim.AdamW(contest.models[name].parameters(), lr=1e-2)
    contest.losses[name](ROWS).backward()
    optimizer.step()
    assert all(not torch.equal(before[key], value) for key, value in contest.models[name].named_parameters())
