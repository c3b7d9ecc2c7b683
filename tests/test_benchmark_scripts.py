"""Scripts under ``benchmarks/`` still run: each as its docstring says, only smaller."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.graph.flatten import flatten
from gdsfd.nn.streams import PRESETS
from tests.first_spec import invented

SCRIPTS = Path(__file__).parents[1] / "benchmarks"
SMALL = ["--backbones", "concat", "--channels", "8", "--batch-size", "32", "--steps", "2", "--patients", "200"]
QUICK = {"members": 1, "max_epochs": 1, "channels": 8, "guard_folds": 0}


@pytest.fixture
def lines(monkeypatch, tmp_path):
    """Runs a script's ``main`` with arguments; the lines it wrote."""
    monkeypatch.syspath_prepend(str(SCRIPTS))

    def run(script: str, *arguments: str, **changed: Any) -> list[dict[str, Any]]:
        monkeypatch.setattr(importlib.import_module("results_line"), "RESULTS", tmp_path)
        module = importlib.import_module(script)
        for name, value in changed.items():
            monkeypatch.setattr(module, name, value)
        monkeypatch.setattr(sys, "argv", [f"{script}.py", *arguments])
        threads = torch.get_num_threads()
        module.main()
        torch.set_num_threads(threads)
        (file,) = tmp_path.glob("*.jsonl")
        return [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]

    return run


def test_every_planted_bug_still_has_its_place(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    planted = importlib.import_module("planted_bugs")
    for name, path, right, wrong in planted.BUGS:
        text = (SCRIPTS.parent / path).read_text(encoding="utf-8")
        assert text.count(right) == 1, f"{name}: {right!r} occurs {text.count(right)} times in {path}"
        compile(text.replace(right, wrong), path, "exec")
        assert planted.tests_of(path, SCRIPTS.parent), f"{name}: no test stands near {path}"


def test_no_line_of_results_names_a_folder_of_the_machine_that_made_it(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    made = importlib.import_module("results_line")
    monkeypatch.setattr(
        sys, "argv", ["x/real_shifts.py", "--work", "/var/w", "--file=/var/f.jsonl", "examples/a.toml", "--set", "k=2"]
    )
    expected = "python benchmarks/real_shifts.py --work FOLDER --file=FOLDER examples/a.toml --set k=2"
    assert made.provenance()["command"] == expected
    for file in sorted((SCRIPTS / "results").glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            words = str(json.loads(line).get("command", "")).replace("=", " ").split()
            assert not [word for word in words if word.startswith(("/", "~"))], f"{file.name}, line {number}"


def test_the_step_of_every_mode(lines):
    (line,) = lines("stream_step", *SMALL)
    assert line["ratio_to_erm"].keys() == PRESETS.keys() >= {"none", "margin", "dfd", "strata", "full", "prototypes"}
    assert line["ratio_to_erm"]["none"] == [1.0, 1.0, 1.0]


@pytest.mark.slow
def test_from_a_folder_to_a_report(lines, tmp_path):
    exports = tmp_path / "exports"
    exports.mkdir()
    invented.trial(exports)
    quick = ["--epochs", "1", "--set", "members=1", "--set", "channels=8"]
    (line,) = lines("from_folder_to_report", str(exports), "RESPONSE", "--", *quick)
    assert list(line["seconds"]) == ["init", "build", "train", "evaluate"]
    assert line["total"] == pytest.approx(sum(line["seconds"].values()), abs=0.1)
    assert line["modalities"] == {"table": 2, "events": 1, "codes": 2, "embedding": 0}
    assert {"muse", "gradient boosting"} <= set(line["auroc"])
    assert str(tmp_path) not in json.dumps(line["command"])


def test_the_step_of_every_learner(lines):
    small = ["--backbones", "late,cmae", "--channels", "8", "--batch-size", "32", "--steps", "2", "--patients", "200"]
    found = {line["backbone"]: line for line in lines("learner_steps", *small)}
    assert list(found) == ["muse", "late", "cmae"]
    assert [line["one_pass"] for line in found.values()] == [True, True, False]
    assert found["muse"]["ratio_to_muse"] == [1.0, 1.0, 1.0]
    assert found["late"]["weights"] < found["muse"]["weights"]


def test_the_step_on_a_gpu_as_far_as_a_cpu_goes(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    script = importlib.import_module("cuda_step")
    assert script.agree(script.REHEARSAL, steps=3) == 0
    found = script.measured(script.REHEARSAL)
    assert [line["contestant"] for line in found] == ["plain pyg", "gdsfd, call by call", "gdsfd, recorded"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["cuda_step.py"])
    script.main()
    assert capsys.readouterr().out == "There is no CUDA device here: nothing was measured.\n"


def test_the_step_with_strata(lines):
    (line,) = lines("prototype_step", *SMALL, "--strata", "4")
    assert line["strata"] == 4
    assert {"none", "own", "exact"} <= line["ratio_to_none"].keys()


@pytest.mark.slow
def test_what_wrong_suspects_cost(lines):
    found = lines("wrong_suspects", "--seeds", "1", SETTINGS=QUICK)
    assert len({line["declared"] for line in found}) == 4
    assert found[0]["reference"].keys() == {"test", "test_unbiased"}


@pytest.mark.slow
def test_who_is_observed_and_why(lines):
    found = lines("ordered_because_ill", "--seeds", "1", SETTINGS=QUICK, MODES=("prototypes",))
    assert [line["mode"] for line in found] == ["prototypes"] * 4
    assert all(0 <= line["debiased"]["test_shifted_missingness"] <= 1 for line in found)


def test_the_coverage_of_intervals(lines):
    found = lines(
        "interval_coverage", "--positives", "5", "--repetitions", "2", "--resamples", "20", LARGE=3000, SEEDS_DRAWN=20
    )
    designs, seeds = [one for one in found if "design" in one], [one for one in found if "seeds" in one]
    assert len(designs) == 8
    assert {(one["seeds"], one["skewed"]) for one in seeds} == {(n, skew) for n in (2, 3, 5, 10) for skew in (0, 1)}
    for one in designs:
        assert {"auroc", "auprc", "brier", "tpr", "gap of tpr", "difference of auroc"} <= set(one["figures"])
        assert one["figures"]["auroc"]["printed"] > 0 or one["design"]["drawn"]
        assert one["figures"]["brier"]["coverage"] is None or one["design"]["drawn"]


@pytest.mark.parametrize("what", ["table", "modalities", "embedding", "events"])
def test_many_columns(lines, what):
    (line,) = lines("many_columns", what, "--size", "0.01")
    assert line["columns"] == max(12, round({"table": 50, "modalities": 5, "embedding": 20, "events": 10}[what]))
    assert line["seconds"] > 0
    assert line["peak_bytes"] > 1e8


def test_one_patient_of_graphs_of_several_sizes(lines):
    small, large = lines("one_patient", SIZES=(50, 200), CALLS=3)
    assert (small["patients"], large["patients"]) == (50, 200)
    assert small["first_call_seconds"] > 0
    assert large["repetitions"] == 3


def test_found_strata_on_small_cohorts(lines):
    (line,) = lines("latent_strata", "--designs", "latent", "--seeds", "1", "--patients", "400")
    assert set(line["auroc"]) >= {"logistic", "logistic + margin", "latent_linear", "boosting_strata", "oracle"}
    assert line["verdict"] in ("practice", "severity", "cannot tell", "none")


def test_the_guards_rule_on_boosting(lines, capsys):
    asked = ("--designs", "confounded", "no_environment", "no_bias", "--seeds", "1", "--patients", "400")
    found = lines("boosting_verdicts", *asked)
    assert [line["design"] for line in found] == ["confounded", "no_environment", "no_bias"]
    for line in found:
        gain = line["auroc"]["debiased"]["test_unbiased"] - line["auroc"]["reference"]["test_unbiased"]
        assert line["gain"] == pytest.approx(gain, abs=1e-4)
        assert line["choice"] in ("reference", "debiased")
    assert len(lines("boosting_verdicts", *asked)) == 3  # nothing is made twice
    lines("boosting_verdicts", "--summary")
    assert "of 3 cohorts" in capsys.readouterr().out


@pytest.mark.slow
def test_networks_beside_found_strata(lines, capsys):
    settings = {"members": 1, "max_epochs": 1, "channels": 8, "accelerator": "cpu"}
    asked = ("--designs", "latent", "--seeds", "1", "--patients", "400")
    found = lines("latent_networks", *asked, SETTINGS=settings)
    arms = {(line["backbone"], line["arm"]) for line in found}
    assert {("", "latent_linear"), ("concat", "latent"), ("concat", "margin of the true U")} <= arms
    assert all(line["auroc"].keys() == {"test", "test_unbiased", "test_flipped"} for line in found)
    assert len(lines("latent_networks", *asked, SETTINGS=settings)) == len(found)  # nothing is made twice
    lines("latent_networks", "--table")
    (row,) = [text for text in capsys.readouterr().out.splitlines() if text.startswith("| `latent` |")]
    assert row.count(" / ") == len(arms)


def test_the_comparison_of_learners_resumes_and_writes_its_table(lines, tmp_path, monkeypatch):
    page, file = tmp_path / "page.md", tmp_path / "fits.jsonl"
    page.write_text("before\n<!-- table -->\nold\n<!-- end of table -->\nafter\n")
    changed = {"SETTINGS": {**QUICK, "accelerator": "cpu"}, "PATIENTS": 200, "PAGE": page, "DEBIASED": ("late",)}
    changed["SETTINGS"].pop("guard_folds")
    given = ["--file", str(file), "--work", str(tmp_path / "work"), "--seeds", "1", "--cohorts", "no_bias"]
    for learners in ("concat,late", "concat,late,mmtm"):  # the second run has one fit to do
        with pytest.raises(SystemExit, match="False"):
            lines("compare_learners", *given, "--learners", learners, **changed)
    found = lines("compare_learners", *given, "--table", **changed)
    fits = [(line["learner"], line["mode"]) for line in found if "learner" in line and "against" not in line]
    assert not any("labels" in line or "ranks" in line for line in found)  # nothing of single patients
    assert fits == [
        ("boosting", "baseline"),
        ("logistic", "baseline"),
        ("concat", "none"),
        ("late", "none"),
        ("late", "streams"),
        ("late", "full"),
        ("mmtm", "none"),
    ]
    assert page.read_text().startswith("before\n<!-- table -->\n\n### no_bias")
    assert page.read_text().endswith("<!-- end of table -->\nafter\n")
    assert re.findall(r"\| `late` \| `(\w+)`", page.read_text()) == ["none", "streams", "full"]


def test_a_resample_of_real_cohorts_without_a_class_is_drawn_again(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("real_cohorts")
    y, scores = np.array([1.0, 0, 0, 0, 0, 0, 1]), np.array([0.9, 0.1, 0.95, 0.3, 0.2, 0.1, 0.5])
    subject = np.array(["a", "b", "c", "d", "e", "f", "a"])  # of six persons one has the outcome
    found = module.resampled(y, scores, subject, 200, 0)
    assert np.isfinite(found).all()
    plain = np.random.default_rng(0).multinomial(6, np.full(6, 1 / 6), size=200)
    both = np.flatnonzero((plain[:, 0] > 0) & (plain[:, 0] < 6))
    assert 20 < len(both) < 200
    for place in both:  # all others stay as they were
        weight = plain[place][[0, 1, 2, 3, 4, 5, 0]]
        expected = roc_auc_score(np.repeat(y, weight), np.repeat(scores, weight))
        assert found[place, 0] == pytest.approx(expected)


def test_resampled_aurocs_are_those_of_patients_written_out_as_often_as_drawn(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("compare_learners")
    random = np.random.default_rng(0)
    y, ranks = random.integers(0, 2, 40).astype(float), random.integers(0, 9, 40)
    counts = random.multinomial(40, np.full(40, 1 / 40), size=5)
    expected = [roc_auc_score(np.repeat(y, row), np.repeat(ranks, row)) for row in counts]
    assert module.aurocs(y, ranks, counts) == pytest.approx(expected)
    assert (module.unpacked(module.packed(ranks)) == ranks).all()


def test_times_to_an_event_on_support2(lines, monkeypatch):
    pytest.importorskip("sksurv")
    data = Path(os.environ.get("GDSFD_DATA", SCRIPTS.parents[1] / "shared" / "data"))
    if not (data / "support2").is_dir():
        pytest.skip("needs SUPPORT2 under $GDSFD_DATA")
    quick = ["--patients", "400", "--only", "0", "1", "--backbones", "concat"]
    found = lines("survival", *quick, "--set", "members=1", "max_epochs=1", "channels=8", RESAMPLES=5)
    assert [(line["fold"], line["model"]) for line in found] == [
        (fold, model) for fold in (0, 1) for model in ("cox", "forest", "concat")
    ]
    assert all(0 < line["figures"]["integrated_brier"] < 0.4 for line in found)
    *_, line = lines("survival", "--summary", "--backbones", "concat")
    assert line["summary"]["folds"] == [0, 1]
    expected = np.mean([each["figures"]["uno"] for each in found if each["model"] == "cox"])
    assert line["summary"]["means"]["cox"]["uno"] == pytest.approx(expected, abs=1e-4)
    assert set(line["summary"]["differences"]) == {"concat less cox", "concat less forest"}


@pytest.mark.slow
def test_several_processes_beside_one(lines):
    sizes = ["--patients", "400", "--batch-size", "32", "--channels", "4", "--members", "1", "--rounds", "1"]
    (line,) = lines("data_parallel", "--backbone", "concat", *sizes)
    for what in ("step", "epoch"):
        assert line[what]["ratio"] == pytest.approx(line[what]["2"][0] / line[what]["1"][0], rel=0.01)


@pytest.mark.slow
def test_a_large_cohort_made_small(lines):
    quick = ["--set", "members=1", "--set", "channels=8", "--no-baselines"]
    found = lines("larger_than_memory", "--patients", "700", *quick)
    assert [line["step"] for line in found] == ["exports", "build", "train", "predict", "evaluate"]
    for line in found:
        assert line["exit_code"] == 0
        assert line["patients_per_second"] == pytest.approx(700 / line["seconds"])
        assert line["max_rss_bytes"] > 2**25
    assert all(line["own_bytes"] > 2**25 and line["mapped_bytes"] > 2**20 for line in found[1:])


def test_exports_of_a_large_cohort_go_on_where_smaller_ones_end(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    script = importlib.import_module("large_cohort")
    monkeypatch.setattr(script, "PIECE", 200)
    assert 0.9 < script.write_exports(tmp_path / "large", 450) / 45_000 < 1.1
    script.write_exports(tmp_path / "small", 250)
    for name in ("cohort", "admission", "vitals", "labs", "diagnoses", "note"):
        files = sorted(path.name for path in (tmp_path / "large" / name).iterdir())
        assert files == ["00000.parquet", "00001.parquet", "00002.parquet"]
        same = [(tmp_path / size / name / files[0]).read_bytes() for size in ("large", "small")]
        assert same[0] == same[1]


def test_columns_on_one_scale_per_site(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    script = importlib.import_module("site_alignment")
    rng = np.random.default_rng(0)
    site = np.repeat(["north", "south"], [40, 25])
    x = np.column_stack([rng.normal(size=65) + 5 * (site == "south"), site == "south", rng.normal(size=65)])
    x = x.astype(np.float32)
    x[:30, 2] = np.nan  # ten measured in the north: too few to have a median of their own
    before = x.copy()
    found = script.aligned(x, site, script.centred)
    assert (x == before)[np.isfinite(before)].all(), "the table itself stays"
    for name in ("north", "south"):
        own = site == name
        assert found[own, 0] == pytest.approx(x[own, 0] - np.median(x[own, 0]), abs=1e-6)
        assert np.argsort(script.aligned(x, site, script.ranks)[own, 0]).tolist() == np.argsort(x[own, 0]).tolist()
    assert (found[:, 1] == x[:, 1]).all(), "a flag is no measurement"
    assert (found[30:40, 2] == x[30:40, 2]).all()
    assert np.isnan(found[:30, 2]).all()


def test_practices_are_looked_for_again_where_none_was_found(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    script = importlib.import_module("forced_and_delivered")
    asked = {"patients": 1500, "seed": 20, "backbone": "concat", "strata": [{"used": False}]}
    lines = [{**asked, "design": "no_bias"}, {**asked, "design": "latent", "strata": [{"used": True}]}]
    lines += [{**asked, "design": "latent"}, {**asked, "design": "no_bias", "backbone": "muse"}]
    assert script.look_again(lines) == "1 of 2 cohorts without a practice have one now"
    assert capsys.readouterr().out.split("\n")[:2] == ["no_bias 20 none, as before", "latent 20 a practice now"]


def test_a_practice_planted_among_real_patients(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    script = importlib.import_module("planted_practice")
    gdsfd.simulate(tmp_path, patients=600, preset="no_bias", seed=0)
    whole = gdsfd.build_graph(tmp_path / "spec.toml", progress=False)
    graphs, u = script.cohort("simulated", whole, 3, 0.9)
    y = whole["patient"].y[:, 0].numpy()
    test = np.asarray(whole["patient"].split, dtype=str) == "test"
    assert np.mean(u == y) == pytest.approx(0.9, abs=0.04)
    again = script.cohort("simulated", whole, 3, 0.9)[0]["test"]
    store, flipped = flatten(graphs["test"])[0], flatten(graphs["test_flipped"])[0]
    np.testing.assert_array_equal(store, flatten(again)[0])
    np.testing.assert_array_equal(store[~test], flipped[~test])  # whom training sees is the same
    names, before = flatten(whole)[1], flatten(whole)[0]
    moved = {name.split(".")[0] for name, a, b in zip(names, store.T, before.T) if name.endswith((".mean", ".age"))
             and not np.array_equal(a[np.isfinite(a)], b[np.isfinite(a)])}  # fmt: skip
    assert moved, "some modality is written by the practice"
    lost = [np.isnan(a) & ~np.isnan(b) for a, b in zip(store.T, before.T)]
    share = np.mean([cells[u == 0].mean() > cells[u == 1].mean() for cells in lost if cells.sum() > 50])
    assert share == 1.0, "those of the first practice lack more"
    places = np.asarray(graphs["test"]["patient"].environment)
    own = np.isin(places, script.SITES[1]) == (u == 1)
    assert own.mean() == pytest.approx(0.75, abs=0.05)  # half by practice, the others by chance
