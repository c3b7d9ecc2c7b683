"""A command line that cannot be read: what is wrong, where help is, code 2."""

from __future__ import annotations

import pytest

from gdsfd.cli import main
from gdsfd.cli.command_parser import CommandParser


def test_an_error_says_where_help_is(capsys):
    assert main(["build", "spec.toml"]) == 2
    said = capsys.readouterr().err
    assert "gdsfd build: error: the following arguments are required: --out" in said
    assert said.endswith("(gdsfd build --help explains the arguments)\n")


def test_options_are_not_abbreviated():
    parser = CommandParser(prog="x")
    parser.add_argument("--seed")
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(["--se", "1"])
    assert stop.value.code == 2


def test_a_command_that_is_not_there_names_a_near_one(capsys):
    assert main(["bild", "spec.toml"]) == 2
    assert "argument COMMAND: there is no 'bild'. Did you mean 'build'?" in capsys.readouterr().err
    assert main(["bench", "ingestion"]) == 2
    assert "argument BENCHMARK: there is no 'ingestion'. Did you mean 'ingest'?" in capsys.readouterr().err
    assert main(["predict", "run", "graph", "--out", "p.csv", "--format", "csv"]) == 2
    assert "invalid choice: 'csv'" in capsys.readouterr().err
