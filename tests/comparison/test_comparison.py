from __future__ import annotations

import json
import math
import os

import pytest

import gdsfd
from gdsfd.comparison import Comparison, compare
from gdsfd.comparison.fit_log import read_fits
from gdsfd.comparison.fits import fit_all
from gdsfd.errors import InputError

QUICK = {"max_epochs": 1, "members": 1, "channels": 8, "accelerator": "cpu", "guard_folds": 0}


@pytest.fixture
def fits(monkeypatch):
    """Seed and backbones of what is fitted."""
    seen = []

    def counted(graph, seed, plan, *rest):
        seen.append((seed, plan.backbones))
        return fit_all(graph, seed, plan, *rest)

    monkeypatch.setattr("gdsfd.comparison.execution.fit_all", counted)
    return seen


def test_a_comparison_writes_lines_summary_and_page_and_goes_on(graph, exports, tmp_path, fits):
    out = tmp_path / "compared"
    given = {"arms": ["none", "strata"], "backbones": ["concat"], "baselines": ["logistic"], "truth": exports, **QUICK}
    found = compare(graph, seeds=1, out=out, **given)
    assert {path.name for path in out.iterdir()} == {"compare.json", "fits.jsonl", "summary.json", "compare.html"}
    lines = read_fits(out / "fits.jsonl")
    assert {line["arm"] for line in lines} == {"none", "strata", "strata (forced)", "logistic", "oracle"}
    erm = next(line for line in lines if line["arm"] == "none")
    assert {"versions", "commit", "seconds", "epochs", "parameters", "config", "time"} <= erm.keys()
    assert erm["config"]["channels"] == 8
    summary = json.loads((out / "summary.json").read_text())
    assert summary["designs"][0]["shifted"] == "test_unbiased"
    chosen = next(line for line in lines if line["arm"] == "strata")["guard"]["choice"]  # differs with torch's version
    said = {"reference": "strata is declined by its guard in every fit", "debiased": "debiased used in 1 of 1 fits"}
    assert said[chosen] in summary["sentences"]["graph"][0]

    more = compare(graph, seeds=2, out=out, **given)
    assert fits == [(0, ()), (0, ("concat",)), (1, ()), (1, ("concat",))]
    assert len(more.records) == 2 * len(found.records)
    again = compare(graph, seeds=2, out=out, **given)
    assert len(fits) == 4
    assert again.records == more.records
    gap = more.designs[0].tables["test_unbiased"].row("concat", "strata (forced)").minus_erm
    assert gap.n == 2
    frame = more.to_frame()
    row = frame[(frame.arm == "strata (forced)") & (frame.split == "test_unbiased")].iloc[0]
    assert row.minus_erm == pytest.approx(gap.mean)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arms": ["ful"]}, "unknown debias 'ful'"),
        ({"arms": {"mine": "none"}}, "the name 'none' and the mode 'none' belong together"),
        ({"backbones": ["muze"]}, "unknown backbone 'muze'. Did you mean 'muse'"),
        ({"backbones": []}, "at least one backbone"),
        ({"backbones": ["muse", "muse"]}, "each once"),
        ({"baselines": ["boost"]}, "unknown baseline 'boost'"),
        ({"seeds": 0}, "seeds: expected a whole number from 1 to 1,000, got 0"),
        ({"seeds": 10**9}, "seeds: expected a whole number from 1 to 1,000"),
        ({"seeds": "3"}, "seeds: expected how many or a list"),
        ({"seeds": [0, -1]}, "seeds: each: expected a whole number from 0"),
        ({"margin": float("nan")}, "margin: expected a number above 0 and at most 1, got nan"),
        ({"folds": {"full": 10**9}}, "folds of 'full': expected a whole number from 0 to 100"),
        ({"backbone_options": {"layers": 2}}, "unknown option of the backbone 'concat': 'layers'"),
        ({"arms": {"none": "none", "mine": {"information": "mimosa"}}}, "unknown dependence measure 'mimosa'"),
        ({"suspects": ("pattern", "modality:nothing")}, "no modality 'nothing'"),
        ({"seeds": [1, 1]}, "each once"),
        ({"suspects": "site"}, "suspects: expected"),
        ({"suspects": "column:labs.nothing"}, "no column 'nothing'"),
        ({"margin": 0}, "margin"),
        ({"max_epoch": 3}, "unknown setting 'max_epoch'"),
        ({"folds": {"ful": 3}}, "unknown arm in folds 'ful'"),
        ({"graph_per_seed": True, "seeds": 2}, "1 graphs but 2 seeds"),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(graph, tmp_path, given, message):
    with pytest.raises(InputError, match=message):
        compare(graph, out=tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_environments_left_out_from_a_graph_and_from_its_spec(graph, exports, tmp_path):
    gdsfd.save_graph(graph, tmp_path / "ward")
    given = {"arms": ["none"], "backbones": ["concat"], "baselines": [], "seeds": 1, "leave_one_environment_out": True}
    found = compare(tmp_path / "ward", **given, **QUICK)
    places = {record["holdout"] for record in found.records}
    assert len(places) > 1
    assert places <= set(graph["patient"].environment)
    assert {record["design"] for record in found.records} == {"ward"}
    assert all(set(record["splits"]) == {"test", "tuning"} for record in found.records)
    assert "give the spec instead of the graph" in found.notes[0]
    strict = compare(exports / "spec.toml", **given, **QUICK)
    assert {record["holdout"] for record in strict.records} == places
    assert strict.notes == ()
    sizes = {record["holdout"]: record["splits"]["test"]["n"] for record in found.records}
    assert sizes == {record["holdout"]: record["splits"]["test"]["n"] for record in strict.records}


def test_an_account_is_json_without_nan(lines):
    records = lines({"none": {0: 0.8, 1: math.nan}, "full": {0: 0.9, 1: 0.7}})
    account = json.dumps(Comparison(records).summary(), allow_nan=False)
    assert "null" in account


def test_a_second_comparison_into_the_same_folder_is_refused(graph, tmp_path):
    def again(words: str) -> None:
        with pytest.raises(InputError, match=rf"another process \(pid {os.getpid()}\) compares into this folder"):
            compare(graph, ["none"], ["concat"], 1, tmp_path / "out", baselines=[], **QUICK)
        met.append(words)

    met: list[str] = []
    compare(graph, ["none"], ["concat"], 1, tmp_path / "out", baselines=["logistic"], on_fit=again, **QUICK)
    assert len(met) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["out"]


def test_recalibration_is_no_setting_of_a_comparison(graph):
    with pytest.raises(InputError, match="compare: setting 'recalibrate': a comparison judges the risks that networks"):
        compare(graph, recalibrate="auto")
