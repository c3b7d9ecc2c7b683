"""``gdsfd init``: a spec that builds; it asks on a terminal and refuses elsewhere."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pandas as pd
import pytest

from gdsfd.cli import main
from tests.first_spec import invented


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    invented.trial(folder)
    return folder


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> Terminal:
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(text))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_from_a_folder_to_a_graph(exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "spec.toml")
    assert main(["init", str(exports), "--out", out, "--outcome", "RESPONSE"]) == 0
    said = capsys.readouterr().out
    assert "cohort: dm, id USUBJID, 240 patients" in said
    assert "  lb: events" in said
    assert f"next: gdsfd build {out}" in said
    assert main(["check", out]) == 0
    assert main(["build", out, "--out", str(tmp_path / "graph"), "--quiet"]) == 0


def test_an_earlier_spec_is_kept_unless_told(exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "spec.toml"
    out.write_text("mine")
    arguments = ["init", str(exports), "--out", str(out), "--outcome", "RESPONSE", "--quiet"]
    assert main(arguments) == 2
    assert out.read_text() == "mine"
    assert main([*arguments, "--force"]) == 0
    assert "[cohort]" in out.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ([], "Name it with --outcome COLUMN. It could be 'dm.RESPONSE'"),
        (["--outcome", "RESPONS"], "Did you mean 'RESPONSE'"),
        (["--outcome", "ARM"], "which of its values is positive"),
        (["--outcome", "ARM", "--positive", "Drug"], "Known: 'Drug 10 mg', 'Placebo'"),
        (["--outcome", "ARM", "--negative", "Placebo"], "--negative goes with --positive"),
        (["--outcome", "ARM", "--classes", "a", "--positive", "b"], "--classes goes without"),
        (["--outcome", "RESPONSE", "--hours", "-3"], "--hours"),
        (["--outcome", "RESPONSE", "--hours", "nan"], "--hours"),
        (["--outcome", "RESPONSE", "--id", "SUBJ"], "--id SUBJ"),
        (["--outcome", "RESPONSE", "--id", "ARM"], "must be unique"),
        (["--outcome", "RESPONSE", "--cohort", "xy"], "--cohort xy"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert main(["init", str(exports), "--out", str(tmp_path / "spec.toml"), *more]) == 2
    assert words in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_names_of_the_spec(exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(exports), "--out", str(tmp_path / "spec.txt"), "--outcome", "RESPONSE"]) == 2
    assert ".toml" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "none"), "--out", str(tmp_path / "spec.toml"), "--outcome", "x"]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_on_a_terminal_it_asks(exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = answer(monkeypatch, "1\n")
    assert main(["init", str(exports), "--out", str(tmp_path / "spec.toml"), "--quiet"]) == 0
    assert "1  dm.RESPONSE" in shown.getvalue()
    shown = answer(monkeypatch, "dm.ARM\n1\n")
    assert main(["init", str(exports), "--out", str(tmp_path / "arm.toml"), "--quiet"]) == 0
    assert "Which values of ARM are positive?" in shown.getvalue()
    text = (tmp_path / "arm.toml").read_text(encoding="utf-8")
    assert 'column = "ARM"' in text


@pytest.mark.parametrize("text", ["\n", "dm.ARM\n9\n", "dm.ARM\nx\n", "7000\n"])
def test_an_answer_that_is_none(exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    answer(monkeypatch, text)
    assert main(["init", str(exports), "--out", str(tmp_path / "spec.toml"), "--quiet"]) == 2
    assert not (tmp_path / "spec.toml").exists()


def test_a_large_export_need_not_be_tried(exports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "spec.toml"
    arguments = ["init", str(exports), "--out", str(out), "--outcome", "RESPONSE", "--untried"]
    assert main(arguments) == 0
    assert "next: gdsfd check" in capsys.readouterr().out
    assert main(["check", str(out), "--quiet"]) == 0


def test_left_out_tables_and_persons_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    invented.warehouse(tmp_path)
    file = str(tmp_path / "warehouse.duckdb")
    assert main(["init", file, "--out", str(tmp_path / "spec.toml"), "--outcome", "readmit_30d"]) == 0
    said = capsys.readouterr().out
    assert "person patient_sk" in said
    assert "fact_encounter: left out, no column is left to take" in said
    assert "nothing is taken of 'dim_analyte', 'dim_patient'" in said


def test_what_is_predicted_and_what_is_doubtful_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Hours that are taken for minutes let in what comes after the prediction."""
    (tmp_path / "x").mkdir()
    rows = range(400)
    stays = pd.DataFrame({"stay": range(100), "alive": [k % 4 != 0 for k in range(100)], "age": range(100)})
    stays.assign(alive=stays["alive"].astype(int)).to_csv(tmp_path / "x" / "stays.csv", index=False)
    vitals = {
        "stay": [k % 100 for k in rows],
        "time": [k * 0.25 for k in rows],
        "item": "hr",
        "value": [k % 50 for k in rows],
    }
    pd.DataFrame(vitals).to_csv(tmp_path / "x" / "vitals.csv", index=False)
    assert main(["init", str(tmp_path / "x"), "--out", str(tmp_path / "s.toml"), "--outcome", "alive"]) == 0
    said = capsys.readouterr().out
    assert "outcome: alive, positive 1" in said
    assert "warning: vitals.time: all 400 times lie between 0 and 99.75, in the first fifth" in said
    text = " ".join((tmp_path / "s.toml").read_text().replace("#", "").split())
    assert "IF THESE ARE HOURS OR DAYS" in text
    assert "--positive 0 predicts death" in text
