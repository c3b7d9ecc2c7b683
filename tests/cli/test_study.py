"""``gdsfd study`` as a user calls it."""

from __future__ import annotations

import json

import pytest

from gdsfd.cli.entry import DONE, WRONG_INPUT, main
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.serialization import save_graph
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "graph"
    save_graph(graph_from_cohort(make_cohort(120)), folder)
    return str(folder)


SMALL = ["--learners", "concat", "--questions", "2", "--seeds", "1", "--set", "max_epochs=1", "--set", "members=1"]


def test_answers_are_printed_and_the_page_is_named(graph, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["study", graph, "--out", str(out), *SMALL]) == DONE
    said = capsys.readouterr().out
    assert said.startswith("2. Which fusion?\n   ")
    assert said.rstrip().endswith(f"page: {out / 'report.html'}")
    sentences = json.loads((out / "answers.json").read_text())["answers"][0]["sentences"]
    assert all(sentence in said for sentence in sentences)
    assert main(["study", graph, "--out", str(out), *SMALL, "--quiet"]) == DONE
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("extra", "message"),
    [(["--questions", "one"], "expected numbers with commas"), (["--learners", "mus"], "unknown learner 'mus'")],
)
def test_what_is_wrong_writes_nothing(graph, tmp_path, capsys, extra, message):
    assert main(["study", graph, "--out", str(tmp_path / "out"), *SMALL, *extra]) == WRONG_INPUT
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
