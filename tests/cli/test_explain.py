"""``gdsfd explain`` on small random graphs."""

from __future__ import annotations

import pandas as pd
import pytest

import gdsfd
from gdsfd.cli import main


def test_a_page_tables_and_words(trained, tmp_path, capsys):
    run, graph = str(trained / "run-binary"), str(trained / "binary")
    out = tmp_path / "why"
    assert main(["explain", run, graph, "--ids", "p0007", "p0003", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    expected = gdsfd.Debiaser.load(run).explain(gdsfd.load_graph(graph), ids=["p0007", "p0003"])
    assert told.startswith(expected.text("p0007"))
    assert told.endswith(f"2 patients: {out / 'explanation.html'}\n")
    pd.testing.assert_frame_equal(
        pd.read_csv(out / "modalities.csv", dtype={"id": str}), expected.modalities, check_exact=False, rtol=1e-6
    )
    assert main(["explain", run, graph, "--ids", "p0007", "--out", str(out)]) == 2
    assert "there is a set of explanations already" in capsys.readouterr().err
    assert main(["explain", run, graph, "--ids", "p0007", "--out", str(out), "--force"]) == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--ids", "nobody"], "'nobody'"),
        (["--split", "test", "--target", "death"], "expected a target of mortality, got 'death'"),
        (["--split", "test", "--of", "biased"], "needs a network with two streams"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(trained, tmp_path, capsys, more, message):
    run, graph = str(trained / "run-binary"), str(trained / "binary")
    assert main(["explain", run, graph, *more, "--out", str(tmp_path / "why")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "why").exists()
