"""``gdsfd explain`` on small random graphs."""

from __future__ import annotations

import pandas as pd
import pytest

import gdsfd
from gdsfd.baselines.labels import target_names
from gdsfd.cli import main
from tests.cohort.survival_exports import survival_frames


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


@pytest.mark.parametrize("outcomes", ["multiclass", "multilabel"])
def test_of_several_outcomes_or_classes_one_is_named(trained, tmp_path, capsys, outcomes):
    run, graph = str(trained / f"run-{outcomes}"), str(trained / outcomes)
    names = target_names(gdsfd.load_graph(graph).schema)
    command = ["explain", run, graph, "--ids", "p0007", "--out", str(tmp_path / "why")]
    assert main(command) == 2
    assert ", ".join(names) in capsys.readouterr().err
    assert main([*command, "--target", names[1]]) == 0
    p = gdsfd.Debiaser.load(run).predict_proba(gdsfd.load_graph(graph), ids=["p0007"])[0, 1]
    assert f"p0007: {names[1]} {p:.1%}" in capsys.readouterr().out


def test_a_time_to_an_event_with_boosted_members_and_new_patients(tmp_path, capsys):
    """The event by the horizon, of patients read by --like, whose ids the model knows from training or not."""
    cohort, labs, vitals = survival_frames(240)
    for name, frame in (("cohort", cohort), ("labs", labs), ("vitals", vitals)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "spec.toml").write_text(SPEC)
    spec, graph, run = str(tmp_path / "spec.toml"), str(tmp_path / "graph"), str(tmp_path / "run")
    assert main(["build", spec, "--out", graph, "--quiet"]) == 0
    quick = [
        "--epochs",
        "2",
        "--set",
        "members=2",
        "--set",
        "boosted_members=1",
        "--set",
        "channels=8",
        "--no-baselines",
    ]
    assert main(["train", graph, "--out", run, "--backbone", "concat", *quick, "--quiet"]) == 0
    assert gdsfd.Debiaser.load(run).network.start is not None
    split = dict(zip(gdsfd.load_graph(graph)["patient"].id, gdsfd.load_graph(graph)["patient"].split))
    seen, other = (next(name for name in split if split[name] == own) for own in ("train", "test"))
    cohort[cohort["id"].isin([seen, other])].drop(columns=["days", "died"]).to_csv(tmp_path / "cohort.csv", index=False)
    new = str(tmp_path / "new")
    assert main(["build", spec, "--like", run, "--out", new, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["explain", run, new, "--split", "new", "--out", str(tmp_path / "why")]) == 0
    told = capsys.readouterr().out
    patients = pd.read_csv(tmp_path / "why" / "patients.csv").set_index("id")
    assert patients["split"].tolist() == ["new", "new"]
    assert sorted(patients.index) == sorted([seen, other])
    model = gdsfd.Debiaser.load(run)
    horizon = model.schema.survival.horizon
    risk = 1 - model.predict_survival(gdsfd.load_graph(new), ids=[other], times=[horizon])[0, 0]
    assert f"{other}: death by {model.schema.survival.spelled(horizon)} {risk:.1%}" in told
    assert "1 of 2 patients were trained on, or chosen by" in told


SPEC = """
[cohort]
source = "cohort.csv"
id = "id"
environment = "site"

[outcome]
name = "death"
kind = "survival"
time = "days"
event = "died"
unit = "days"
intervals = 3

[[modality]]
name = "labs"
kind = "table"
source = "labs.csv"
id = "id"

[[modality]]
name = "vitals"
kind = "table"
source = "vitals.csv"
id = "id"
"""
