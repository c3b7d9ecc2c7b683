"""``--json``: one object on stdout, whatever happens."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.cli.entry import main, make_parser
from gdsfd.cli.machine import answer, tell_machine

#: These have a ``--json`` of their own: a list of learners, and a file that lines are appended to.
OWN = {"learners", "bench"}


def commands() -> dict[str, argparse.ArgumentParser]:
    (found,) = (each for each in make_parser()._actions if isinstance(each, argparse._SubParsersAction))
    return dict(found.choices)


@pytest.mark.parametrize("name", sorted(set(commands()) - OWN))
def test_every_command_takes_it(name):
    assert "machine" in {action.dest for action in commands()[name]._actions}


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    code = main([*words, "--json"])
    out = capsys.readouterr().out
    return code, json.loads(out)  # one object and nothing beside it


def test_the_whole_way_says_what_it_wrote(tmp_path, capsys):
    exports, graph, run = tmp_path / "exports", tmp_path / "graph", tmp_path / "run"
    _, made = asked(capsys, "simulate", "--out", str(exports), "--patients", "200")
    assert (made["command"], made["exit_code"], made["error"]) == ("simulate", 0, None)
    _, checked = asked(capsys, "check", made["spec"])
    assert checked["faults"] == []
    assert {each["name"] for each in checked["modalities"]} == {
        "demographics",
        "history",
        "imaging",
        "labs",
        "vitals",
    }
    drops = [drop for each in checked["modalities"] for drop in each["drops"] if drop["names_patients"]]
    assert drops
    assert all(drop["examples"] == [] for drop in drops)
    _, built = asked(capsys, "build", made["spec"], "--out", str(graph))
    assert built["receipt"] == json.loads((graph / "receipt.json").read_text())
    _, trained = asked(
        capsys, "train", str(graph), "--out", str(run), "--backbone", "concat", "--epochs", "1", "--set", "members=1"
    )
    assert trained["model"] == str(run)
    assert trained["training"]["epochs"] == 1
    assert trained["plan"]
    _, judged = asked(
        capsys, "evaluate", str(run), str(graph), "--out", str(tmp_path / "r"), "--resamples", "20", "--no-baselines"
    )
    auroc = json.loads((tmp_path / "r" / "metrics.json").read_text())
    assert judged["metrics"][0]["auroc"] == pytest.approx(_first_auroc(auroc))
    _, predicted = asked(capsys, "predict", str(run), str(graph), "--split", "test", "--out", str(tmp_path / "p.csv"))
    assert predicted["patients"] == len(pd.read_csv(predicted["predictions"]))
    assert predicted["columns"][:2] == ["id", "split"]


def _first_auroc(stored: object) -> float:
    """The first AUROC of a nested mapping."""
    if isinstance(stored, dict):
        if "auroc" in stored:
            found = stored["auroc"]
            return float(found["value"] if isinstance(found, dict) else found)
        stored = list(stored.values())
    assert isinstance(stored, list)
    for each in stored:
        if isinstance(each, (dict, list)):
            try:
                return _first_auroc(each)
            except LookupError:
                continue
    raise LookupError


def test_what_is_wrong_is_in_the_object_and_on_stderr(tmp_path, capsys):
    spec = tmp_path / "spec.toml"
    spec.write_text('[cohort]\nsource = "none.csv"\nid = "id"\n')
    assert main(["check", str(spec), "--json"]) == 2
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["exit_code"] == 2
    assert found["faults"]
    assert all({"where", "text"} == set(each) for each in found["faults"])
    assert found["error"] in told.err


def test_versions(capsys):
    _, found = asked(capsys, "versions")
    assert found["versions"]["gdsfd"] == found["gdsfd"]


def test_what_json_has_no_words_for():
    arguments = argparse.Namespace(command="evaluate")
    tell_machine(arguments, path=Path("a/b"), figure=np.float64("nan"), numbers=np.array([1, 2]))
    tell_machine(arguments, more=(1.5, float("inf"), None, True))
    found = json.loads(answer(arguments, 1, "no"))
    assert found["path"] == "a/b"
    assert found["figure"] is None
    assert found["numbers"] == [1, 2]
    assert found["more"] == [1.5, None, None, True]
    assert (found["exit_code"], found["error"]) == (1, "no")
