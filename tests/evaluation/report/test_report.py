"""A report's tables and files: whole or not at all, NaN as null."""

from __future__ import annotations

import json
import math

import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.report.report import Report


def test_the_short_table_has_one_row_per_split_and_model(report):
    frame = report.to_frame()
    assert frame[["split", "model"]].to_numpy().tolist() == [
        ["test", "model"], ["test", "noisier"], ["train", "model"], ["train", "noisier"],
    ]  # fmt: skip
    assert frame.auroc[0] == report.metrics["auroc"]
    assert (frame.auroc_low <= frame.auroc).all()
    assert (frame.auroc <= frame.auroc_high).all()


def test_the_long_table_has_everything_and_a_reason_for_every_gap(report):
    frame = report.to_frame(detail=True)
    assert set(frame.kind) == {"all", "difference", "environment", "pattern", "observed", "modality", "group: sex"}
    assert (frame.value.notna() | (frame.reason != "")).all()
    assert not ((frame.value == 0) & (frame.reason != "")).any()
    row = frame.query(
        "split == 'test' and model == 'model' and kind == 'modality' and slice == 'with scan' and metric == 'auroc'"
    )
    assert row.n.item() == 0
    assert math.isnan(row.value.item())


def test_saved_files_say_the_same_and_nan_is_null(report, tmp_path):
    report.save(tmp_path / "report")
    assert sorted(file.name for file in (tmp_path / "report").iterdir()) == [
        "metrics.csv",
        "metrics.json",
        "report.html",
    ]
    text = (tmp_path / "report" / "metrics.json").read_text()
    assert "NaN" not in text
    stored = json.loads(text)
    assert stored["auroc"] == report.metrics["auroc"]
    scan = [
        one
        for one in stored["splits"]["test"]["models"]["model"]["targets"]["mortality"]["slices"]
        if one["name"] == "with scan"
    ]
    assert scan[0]["metrics"]["auroc"] == {"value": None, "low": None, "high": None, "reason": "no labelled patient"}


def test_saving_replaces_a_report_and_nothing_else(report, tmp_path):
    report.save(tmp_path / "report")
    report.save(tmp_path / "report")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        report.save(tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("breaks", ["html", "to_frame"])
def test_a_failed_save_leaves_the_old_report_as_it_was(report, tmp_path, monkeypatch, breaks):
    report.save(tmp_path / "report")
    before = {file.name: file.read_bytes() for file in (tmp_path / "report").iterdir()}

    def fail(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(Report, breaks, fail)
    with pytest.raises(OSError, match="disk full"):
        report.save(tmp_path / "report")
    with pytest.raises(OSError, match="disk full"):
        report.save(tmp_path / "new")
    assert {file.name: file.read_bytes() for file in (tmp_path / "report").iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["report"]
