"""Help that a newcomer can use: every option has words, every example can be run, nothing is wider than a terminal."""

from __future__ import annotations

import argparse
import shlex

import pytest

from gdsfd.cli import simulate
from gdsfd.cli.entry import make_parser
from gdsfd.cli.help_text import HelpText, examples
from gdsfd.simulation.missingness import MECHANISMS
from gdsfd.simulation.presets import PRESETS


def parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Every command and command within a command, by what is typed."""
    found = {parser.prog: parser}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found |= parsers(below)
    return found


COMMANDS = parsers(make_parser())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_has_words_of_its_own(name):
    for action in COMMANDS[name]._actions:
        if isinstance(action, argparse._SubParsersAction):
            continue
        assert action.help, f"{name} {action.option_strings or action.dest} has no help"
        assert not action.help.startswith("default"), f"{name} {action.option_strings}: says no more than its default"


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal_of_80_columns(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert [line for line in COMMANDS[name].format_help().splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_command_lines_that_can_be_read(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = COMMANDS[name].format_help().splitlines()
    shown = [line.strip() for line in lines if line.startswith("  gdsfd ")]
    assert shown, f"{name} --help shows no example"
    for line in shown:
        words = shlex.split(line, comments=True)
        assert " ".join(words).startswith(name)
        make_parser().parse_args(words[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_options_of_several_values_may_be_given_several_times(name):
    """``--ids a --ids b`` is two patients: the first one would be lost without a word."""
    for action in COMMANDS[name]._actions:
        if action.option_strings and action.nargs == "+":
            (given,) = [option for option in action.option_strings if option.startswith("--")]
            values = [str(number) for number in (3, 4, 5)]
            parser = argparse.ArgumentParser()
            parser._add_action(action)
            found = getattr(parser.parse_args([given, *values[:2], given, values[2]]), action.dest)
            assert [str(value).removesuffix(".0") for value in found] == values, f"{name} {given}"


@pytest.mark.parametrize(
    "option", ["--json", "--quiet", "--force", "--set", "--jobs", "--cluster", "--seed", "--debias"]
)
def test_an_option_has_the_same_value_name_everywhere(option):
    found = {
        action.metavar
        for name, parser in COMMANDS.items()
        for action in parser._actions
        if option in action.option_strings and not name.startswith("gdsfd bench")
    }
    assert len(found) <= 1


def test_names_in_help_are_those_that_exist():
    assert tuple(MECHANISMS) == simulate.MECHANISMS
    assert tuple(PRESETS) == simulate.PRESETS


def test_paragraphs_are_filled_and_indented_lines_stay():
    parser = argparse.ArgumentParser(
        prog="x",
        formatter_class=lambda prog: HelpText(prog, width=30),
        add_help=False,
        description="one two three four five six\nseven eight\n\n  x --a   # as  it is\nnine",
    )
    assert parser.format_help().splitlines()[2:] == [
        "one two three four five six",
        "seven eight",
        "",
        "  x --a   # as  it is",
        "nine",
    ]
    assert examples("a", "b") == "examples:\n  a\n  b"
