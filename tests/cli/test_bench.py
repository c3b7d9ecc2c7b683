"""``gdsfd bench``: exit codes, files, tables."""

from __future__ import annotations

import json

import pytest
import torch

from gdsfd.bench import message_passing
from gdsfd.cli import main

SMALL = ["--patients", "40", "--channels", "8", "--threads", "1", "--quick"]


def test_message_passing_prints_a_table_and_writes_lines_and_a_picture(tmp_path, capsys):
    before = torch.get_num_threads()
    lines, picture = tmp_path / "lines.jsonl", tmp_path / "bars.svg"
    command = ["bench", "message-passing", *SMALL, "--backends", "auto", "reference"]
    assert main([*command, "--json", str(lines), "--plot", str(picture)]) == 0
    printed = capsys.readouterr()
    assert "message passing encoder, forward+backward: 40 patients x 5" in printed.out
    assert "aggregate toward hubs" in printed.out
    assert printed.err == ""
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {line["part"] for line in found} == {"encoder", "aggregate toward patients", "aggregate toward hubs"}
    assert all(line["threads"] == 1 for line in found)
    assert "<svg" in picture.read_text()
    assert torch.get_num_threads() == before
    assert main([*command, "--json", str(lines), "--part", "aggregate", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert len(lines.read_text().splitlines()) == len(found) + 8  # appended


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["message-passing", "--backends", "segmnt"], "unknown backend 'segmnt'. Did you mean 'segment'"),
        (["message-passing", "--density", "2"], "--density: expected a number above 0 and at most 1, got 2.0"),
        (["message-passing", "--dtype", "float8"], "--dtype: unknown 'float8'"),
        (["message-passing", "--turns", "0"], "--turns: expected at least 1, got 0"),
        (["message-passing", "--plot", "p.jpg"], "--plot p.jpg: expected a name that ends with .svg, .png, .pdf"),
        (["message-passing", "--json", "."], "--json .: expected a file's name, got a folder"),
        (["train-step", "--batch", "9000"], "--batch: expected 2 to 8192 (the patients), got 9000"),
        (["train-step", "--model", "mause"], "--model: unknown 'mause'. Did you mean 'muse'"),
        (["inference", "--patients", "0"], "--patients: expected at least 1, got 0"),
        (["ingest", "--events", "0"], "--events: expected at least 1, got 0"),
    ],
)
def test_wrong_input_is_code_2_and_nothing_is_written(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    files = [] if "--json" in words else ["--json", "lines.jsonl"]
    assert main(["bench", *words, *files]) == 2
    assert f"gdsfd bench: error: {message}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_code_2(capsys):
    assert main(["bench", "train-step", "--device", "cuda", "--quick"]) == 2
    assert "--device cuda: torch finds no CUDA device here; use --device cpu" in capsys.readouterr().err


def test_a_disagreement_is_code_1_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(message_passing, "MOST", dict.fromkeys(message_passing.MOST, -1.0))
    lines = tmp_path / "lines.jsonl"
    assert main(["bench", "message-passing", *SMALL, "--json", str(lines)]) == 1
    assert "nothing was timed" in capsys.readouterr().err
    assert not lines.exists()


def test_the_other_benchmarks_answer(capsys):
    words = ["--patients", "64", "--batch", "32", "--channels", "8", "--threads", "1", "--quick"]
    assert main(["bench", "train-step", *words]) == 0
    assert "train step muse" in capsys.readouterr().out
    words = ["--part", "patients", "--scored", "30", "--channels", "8", "--threads", "1", "--quick"]
    assert main(["bench", "inference", *words]) == 0
    assert "all patients: 30 patients" in capsys.readouterr().out
