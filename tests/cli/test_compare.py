from __future__ import annotations

import pytest

import gdsfd
from gdsfd.cli.entry import DONE, WRONG_INPUT, main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("cli-compare")
    gdsfd.simulate(place / "exports", patients=200, modalities=2, seed=0)
    gdsfd.save_graph(gdsfd.build_graph(place / "exports" / "spec.toml", progress=False), place / "ward")
    return place


def test_compare_prints_a_table_and_goes_on(folder, capsys):
    words = ["compare", str(folder / "ward"), "--out", str(folder / "out"), "--arms", "none,strata", "--backbones"]
    words += ["concat", "--baselines", "logistic", "--set", "max_epochs=1", "--set", "members=1", "--set", "channels=8"]
    assert main([*words, "--seeds", "2", "--guard-folds", "strata=0"]) == DONE
    said = capsys.readouterr()
    assert "ward, test_unbiased, 2 seeds" in said.out
    assert "strata (forced)" in said.out
    assert "oracle" in said.out  # found beside the graph
    assert "compare.html" in said.out
    assert said.err == ""
    before = (folder / "out" / "fits.jsonl").read_text()
    assert main([*words, "--seeds", "0,1", "--guard-folds", "strata=0", "--quiet"]) == DONE
    assert capsys.readouterr().out == ""
    assert (folder / "out" / "fits.jsonl").read_text() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "many"], "expected how many"),
        (["--arms", "none,fulll"], "Did you mean 'full'"),
        (["--guard-folds", "full"], "expected ARM=N"),
        (["--set", "max_epoch=3"], "no setting 'max_epoch'"),
        (["--set", "max_epochs=0"], "max_epochs"),
    ],
)
def test_wrong_words_are_refused_and_nothing_is_written(folder, capsys, words, message):
    assert main(["compare", str(folder / "ward"), "--out", str(folder / "none"), *words]) == WRONG_INPUT
    assert message in capsys.readouterr().err
    assert not (folder / "none").exists()


def test_a_graph_that_is_not_there(folder, capsys):
    assert main(["compare", str(folder / "nowhere"), "--out", str(folder / "none")]) == WRONG_INPUT
    assert "no such folder" in capsys.readouterr().err
    assert not (folder / "none").exists()
