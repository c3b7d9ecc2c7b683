"""What the page of results says follows from the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.test_documentation import docs_module

pages = docs_module("result_lines")

STAMP = {"commit": "0123456789ab", "dirty": False, "load": 0.1, "threads": 2, "command": "python benchmarks/x.py"}


def arm(name: str, gap: float, interval: tuple[float, float], cohort: str = "ward", **other: Any) -> dict[str, Any]:
    line: dict[str, Any] = {"cohort": cohort, "arm": name, "patients": 1200, "folds": 5, "seconds": 3.0, **STAMP}
    for figure in ("auroc", "auprc"):
        line |= {figure: 0.8 + gap, f"{figure}_interval": [0.7, 0.9]}
        line |= {f"{figure}_minus_boosting": gap, f"{figure}_minus_boosting_interval": list(interval)}
    return line | {"time": "2026-01-01T00:00:00+00:00"} | other


def contestant(name: str, seconds: float, peak: float, events: int = 1000, **other: Any) -> dict[str, Any]:
    spread = {"seconds": seconds, "seconds_low": seconds - 1, "seconds_high": seconds + 1, "repetitions": 3}
    shape = {"events": events, "patients": events // 100}
    line = {"contestant": name, **spread, "peak_bytes": peak, "shape": shape, **STAMP}
    return line | {"time": "2026-01-01T00:00:00+00:00"} | other


@pytest.mark.parametrize(
    ("gap", "interval", "sentence"),
    [
        (0.02, (0.01, 0.03), "muse is above boosting by 0.020 AUROC (difference [+0.010, +0.030])."),
        (-0.02, (-0.03, -0.01), "muse is below boosting by 0.020 AUROC (difference [-0.030, -0.010])."),
        (0.02, (-0.01, 0.05), "muse and boosting cannot be told apart in AUROC: +0.020 [-0.010, +0.050]."),
        (-0.02, (-0.05, 0.0), "muse and boosting cannot be told apart in AUROC: -0.020 [-0.050, +0.000]."),
        (float("nan"), (0.0, 0.1), "muse could not be compared with boosting in AUROC."),
    ],
)
def test_above_and_below_only_when_the_interval_leaves_out_nothing(gap, interval, sentence):
    assert pages.difference_sentence("muse", gap, list(interval), "AUROC") == sentence


@pytest.mark.parametrize(("best", "verdict"), [(0.003, "kept"), (-0.010, "kept"), (-0.011, "missed")])
def test_the_bar_looks_at_the_better_backbone_and_at_no_baseline(best, verdict):
    arms = [arm("concat", -0.05, (-0.06, -0.04)), arm("muse", best, (-0.02, 0.01)), arm("logistic", 0.1, (0.0, 0.2))]
    (said,) = [sentence for sentence in pages.cohort_sentences(arms) if "The bar" in sentence]
    assert f"**{verdict}**: muse is at" in said


def test_the_newest_line_of_a_cohort_and_arm_counts(tmp_path):
    old, new = arm("muse", 0.01, (0.0, 0.1)), arm("muse", 0.02, (0.0, 0.1), time="2026-02-01T00:00:00+00:00")
    elsewhere = arm("muse", 0.04, (0.0, 0.1), cohort="clinic")
    file = tmp_path / "real_cohorts.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in (new, old, arm("boosting", 0, (0, 0)), elsewhere)) + "\n")
    text = "\n".join(pages.real_cohorts(pages.read_lines(file)))
    assert "0.820 [0.700, 0.900]" in text
    assert "0.810 [" not in text
    text = text[text.index(".. rubric:: clinic") :]
    assert text.index("0.840 [") < text.index(".. rubric:: ward")
    assert "not all of one run" not in text


def test_all_cohorts_at_a_glance():
    lines = [arm("muse", -0.02, (-0.03, -0.01)), arm("muse", 0.01, (-0.01, 0.03), cohort="clinic")]
    lines += [arm("logistic", 0.02, (0.01, 0.03)), arm("boosting", 0, (0, 0))]
    text = "\n".join(pages.overview({(line["cohort"], line["arm"]): line for line in lines}))
    assert "* - arm\n     - clinic\n     - ward" in text
    assert "* - muse\n     - +0.010 [-0.010, +0.030]\n     - **-0.020** [-0.030, -0.010]" in text
    assert "* - logistic\n     - –\n     - **+0.020**" in text
    assert "boosting" not in text


def test_lines_of_several_runs_and_uncommitted_changes_are_told():
    arms = [arm("muse", 0.0, (-0.1, 0.1), dirty=True), arm("concat", 0.0, (-0.1, 0.1), commit="fedcba98")]
    said = pages.cohort_sentences(arms)
    assert any("not all of one run" in sentence for sentence in said)
    assert any("not committed" in sentence for sentence in said)


def test_ingestion_is_faster_only_when_the_spreads_are_apart():
    def said(seconds: float, peak: float = 2e9, **other: Any) -> str:
        mine, other_line = contestant("gdsfd", seconds, peak, **other), contestant("pandas", 20.0, 3e9, **other)
        return " ".join(pages.ingest_sentences({"gdsfd": mine, "pandas": other_line}))

    assert "gdsfd is faster than pandas: 10.0 s against 20.0 s, 0.50 times as long." in said(10.0)
    assert "gdsfd is slower than pandas: 30.0 s" in said(30.0)
    assert "The spreads overlap" in said(18.5)
    assert "takes no less memory" in said(10.0, 5e9)
    assert "The bar" not in said(10.0)
    assert "**kept**" in said(10.0, events=20_000_000)
    assert "**missed**" in said(10.0, 5e9, events=20_000_000)
    assert "busy with other work" in said(10.0, load=1.7)
    assert "busy" not in said(10.0)


def test_ways_of_measuring_and_sizes_stand_apart():
    lines = [contestant("gdsfd", 1.0, 1e9), contestant("gdsfd", 2.0, 1e9, measures="process")]
    text = "\n".join(pages.ingest([*lines, contestant("pandas", 3.0, 1e9)]))
    assert ".. rubric:: 1,000 events of 10 patients, the aggregation alone" in text
    assert ".. rubric:: 1,000 events of 10 patients, the whole process" in text
    assert "Only gdsfd was measured" in text


def test_an_absent_file_is_none_and_a_broken_line_is_named(tmp_path):
    assert pages.read_lines(tmp_path / "absent.jsonl") is None
    (tmp_path / "broken.jsonl").write_text('{"time": "1"}\n{"time": \n')
    with pytest.raises(ValueError, match=r"broken\.jsonl, line 2: not JSON"):
        pages.read_lines(tmp_path / "broken.jsonl")
    (tmp_path / "list.jsonl").write_text("[1]\n")
    with pytest.raises(ValueError, match=r"line 1: expected an object, got list"):
        pages.read_lines(tmp_path / "list.jsonl")


def test_the_lines_in_the_repository_make_a_page():
    folder = Path(pages.__file__).parents[2] / "benchmarks" / "results"
    for name, make in (("real_cohorts", pages.real_cohorts), ("ingest", pages.ingest)):
        lines = pages.read_lines(folder / f"{name}.jsonl")
        if lines:
            assert any("list-table" in row for row in make(lines))


@pytest.mark.parametrize(
    ("interval", "sentence"),
    [
        ((-0.02, -0.01), "four members has a lower loss than the default."),
        ((0.001, 0.02), "four members has a higher loss than the default."),
        ((-0.01, 0.02), "four members cannot be told apart from the default here."),
        ((float("nan"), 0.02), "four members could not be compared."),
    ],
)
def test_a_choice_pays_only_when_its_interval_says_so(interval, sentence):
    line = {"arm": "four members", "tuning_loss_difference": {"mean": 0.0, "interval": list(interval)}}
    assert pages.choice_sentence(line) == sentence


def test_choices_stand_by_cohort_with_the_default_first():
    def choice(name: str, loss: float, cohort: str = "ward") -> dict[str, Any]:
        gap = {"mean": loss - 0.3, "interval": [loss - 0.31, loss - 0.29]}
        line = {"cohort": cohort, "backbone": "concat", "arm": name, "reference": "default", "tuning_loss": loss}
        line |= {"tuning_loss_difference": gap, "tuning_auroc": 0.8, "seconds": 2.0, "folds": 5, "seeds": 1, **STAMP}
        return line | {"time": "2026-01-01T00:00:00+00:00"}

    text = "\n".join(
        pages.small_cohort_choices([choice("default", 0.3), choice("faster", 0.35), choice("default", 0.2, "icu")])
    )
    assert text.index("ward, concat") < text.index("faster has a higher loss") < text.index("icu, concat")
    assert "default has" not in text
    assert "+0.0500 [+0.0400, +0.0600]" in text
