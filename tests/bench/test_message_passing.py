"""The benchmark of the encoder."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from gdsfd.bench import message_passing
from gdsfd.bench.agreement import DisagreementError
from gdsfd.bench.message_passing import MODES, PLAIN, PRODUCTS, backends_for, bench_encoder
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.result_lines import as_text

SHAPE = Shape(60, 5, 0.6, channels=8)
FAST = Options(turns=3, budget=0.1, memory=False)


@pytest.fixture(scope="module")
def lines():
    return bench_encoder(SHAPE, ["auto", "reference"], FAST)


def test_every_contestant_has_a_line_per_mode(lines):
    found = {(line["contestant"], line["mode"]) for line in lines}
    assert found == {(name, mode) for name in (PLAIN, "auto", "reference", PRODUCTS) for mode in MODES}
    assert len(lines) == len(found)


def test_a_line_says_what_where_and_from_which_code(lines):
    (line,) = (each for each in json.loads(f"[{','.join(as_text(lines).split(chr(10))[:-1])}]")[1:2])
    fields = ("benchmark", "part", "shape", "dtype", "device", "threads", "processor", "load", "seed")
    for field in (*fields, "commit", "dirty", "versions", "command", "time", "copy_bytes_per_second"):
        assert field in line, field
    assert line["shape"]["edges"] > 0
    assert line["versions"]["torch"] == version("torch")  # torch.__version__ may have its CUDA behind it
    assert line["seconds_low"] <= line["seconds"] <= line["seconds_high"]


def test_ratios_are_taken_inside_a_mode(lines):
    for mode in MODES:
        seconds = {line["contestant"]: line["seconds"] for line in lines if line["mode"] == mode}
        for line in lines:
            if line["mode"] == mode:
                assert line["speedup_over_plain"] == pytest.approx(seconds[PLAIN] / line["seconds"])
                assert line["times_bare_products"] == pytest.approx(line["seconds"] / seconds[PRODUCTS])


def test_nobody_is_timed_after_a_difference(monkeypatch):
    original = EdgeSAGEConv.update

    def wrong(self, node, total, norm):
        return original(self, node, total, norm) + 1e-3

    monkeypatch.setattr(EdgeSAGEConv, "update", wrong)
    monkeypatch.setattr(message_passing, "in_turns", lambda *_: pytest.fail("timed"))
    with pytest.raises(DisagreementError, match=r"auto on 60 patients.*outputs differ .* nothing was timed"):
        bench_encoder(SHAPE, ["auto"], FAST)


def test_a_wrong_gradient_is_a_difference_too(monkeypatch):
    original = EdgeSAGEConv.update

    def wrong(self, node, total, norm):
        out = original(self, node, total, norm)
        return out.detach() + 1.001 * (out - out.detach())

    monkeypatch.setattr(EdgeSAGEConv, "update", wrong)
    with pytest.raises(DisagreementError, match="gradients differ"):
        bench_encoder(SHAPE, ["auto"], FAST)


def test_auto_comes_first_and_triton_only_by_name_on_the_cpu():
    assert backends_for(None)[0] == "auto"
    assert "triton" not in backends_for(None)
    assert backends_for(["triton", "auto", "triton"]) == ["triton", "auto"]
