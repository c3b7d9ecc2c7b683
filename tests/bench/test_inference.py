"""The benchmark of inference."""

from __future__ import annotations

import pytest

from gdsfd.bench import inference
from gdsfd.bench.agreement import DisagreementError
from gdsfd.bench.inference import bench_full_graph, bench_patients
from gdsfd.bench.message_passing import PLAIN
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape
from gdsfd.nn.backbones import MuseBackbone

FAST = Options(turns=3, budget=0.1, memory=False)


def test_one_patient_and_all():
    one, every = bench_patients(Shape(50, 3, 0.6, channels=8), FAST)
    assert (one["mode"], every["mode"]) == ("one patient", "all patients")
    assert one["patients_per_second"] == pytest.approx(1 / one["seconds"])
    assert every["patients_per_second"] == pytest.approx(50 / every["seconds"])


def test_a_score_that_depends_on_the_others_is_found(monkeypatch):
    original = MuseBackbone._propagate

    def with_others(self, edge, layout, *rest, **named):
        return original(self, edge, layout, *rest, **named) * (1 + 0.01 * layout.num_patients)

    monkeypatch.setattr(MuseBackbone, "_propagate", with_others)
    with pytest.raises(DisagreementError, match="a patient alone"):
        bench_patients(Shape(50, 3, 0.6, channels=8), FAST)


def test_whole_graphs_are_compared_with_the_smallest(monkeypatch):
    asked = []

    def account(module, arguments, threads, device):
        asked.append((arguments["shape"]["patients"], arguments["contestant"]))
        patients = arguments["shape"]["patients"]
        return {"step_seconds": patients**1.5, "edges": 3 * patients, "peak_bytes": 10, "step_bytes": 5}

    monkeypatch.setattr(inference, "measure_memory", account)
    lines = bench_full_graph(Shape(channels=8), [100, 400], FAST, repetitions=2, plain_up_to=100)
    assert asked == [(100, "auto"), (100, PLAIN), (400, "auto")] * 2
    ratios = {(line["shape"]["patients"], line["contestant"]): line["cost_per_edge_ratio"] for line in lines}
    assert ratios == {(100, "auto"): 1, (100, PLAIN): 1, (400, "auto"): pytest.approx(2)}
    assert {line["repetitions"] for line in lines} == {2}


def test_a_pass_in_a_process_of_its_own():
    (line,) = bench_full_graph(Shape(channels=8), [200], FAST, repetitions=1, plain_up_to=0)
    assert line["shape"]["edges"] == pytest.approx(600, rel=0.2)
    assert line["peak_bytes"] > line["step_bytes"] >= 0
