"""``gdsfd predict`` on small random graphs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdsfd
from gdsfd.cli import main
from gdsfd.cli.predict import looks_like_formula, misread_ids, probability_table
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_predictions_as_a_file(trained, tmp_path, outcomes, suffix):
    file = tmp_path / f"p{suffix}"
    run, graph_folder = str(trained / f"run-{outcomes}"), str(trained / outcomes)
    assert main(["predict", run, graph_folder, "--split", "test", "--out", str(file)]) == 0
    table = pd.read_csv(file, dtype={"id": str}) if suffix == ".csv" else pd.read_parquet(file)
    graph = gdsfd.load_graph(graph_folder)
    patient = graph["patient"]
    assert list(table["id"]) == [name for name, split in zip(patient.id, patient.split) if split == "test"]
    assert set(table["split"]) == {"test"}
    outcome = graph.schema.outcomes
    names = [entry.name for entry in outcome] if len(outcome) > 1 else list(outcome[0].classes)
    assert list(table.columns) == ["id", "split", *(f"p_{name}" for name in names)]
    expected = gdsfd.Debiaser.load(run).predict_proba(graph, split="test")
    np.testing.assert_allclose(table.iloc[:, 2:].to_numpy(float), expected, atol=1e-12)
    if outcomes != "multilabel":
        np.testing.assert_allclose(table.iloc[:, 2:].sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_a_simple_model_that_is_kept_predicts_where_it_is_asked_to(trained, tmp_path, outcomes, capsys):
    graph = gdsfd.load_graph(trained / outcomes)
    model = gdsfd.Debiaser("concat", "margin", max_epochs=1, members=1, channels=8, guard_folds=0).fit(graph)
    model.save(tmp_path / "run")
    asked = ["predict", str(tmp_path / "run"), str(trained / outcomes), "--split", "test"]
    file = tmp_path / "p.csv"
    assert main([*asked, "--by", "logistic_margin", "--out", str(file)]) == 0
    assert "by: logistic regression + margin, kept with the run" in capsys.readouterr().out
    assert model.record is not None
    expected = model.record.baselines["logistic_margin"].predict_proba(graph, split="test")
    np.testing.assert_allclose(pd.read_csv(file).iloc[:, 2:].to_numpy(float), expected, atol=1e-12)
    if outcomes == "binary":
        refused = {
            ("--by", "logistik_margin"): "Did you mean 'logistic_margin'",
            ("--by", "logistic", "--sets", "0.1"): "--sets is asked of the network",
            ("--by", "logistic", "--format", "meds"): "--by has no place",
        }
        for options, words in refused.items():
            assert main([*asked, *options, "--out", str(tmp_path / "no.parquet")]) == 2
            assert words in capsys.readouterr().err
        gdsfd.Debiaser("concat", max_epochs=1, members=1, channels=8).fit(graph, baselines=False).save(
            tmp_path / "bare"
        )
        bare = ["predict", str(tmp_path / "bare"), str(trained / outcomes), "--by", "logistic"]
        assert main([*bare, "--out", str(tmp_path / "no.csv")]) == 2
        assert "It keeps none: it was trained with --no-baselines" in capsys.readouterr().err
        assert not [*tmp_path.glob("no.*")]


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_what_the_streams_say_stands_beside_probabilities(trained, tmp_path, outcomes, capsys):
    graph = gdsfd.load_graph(trained / outcomes)
    settings = {"max_epochs": 1, "members": 1, "channels": 8, "guard_folds": 0}
    model = gdsfd.Debiaser("concat", "full", **settings).fit(graph, baselines=False)
    model.save(tmp_path / "full")
    asked = ["predict", str(tmp_path / "full"), str(trained / outcomes), "--split", "test", "--streams"]
    assert main([*asked, "--out", str(tmp_path / "p.csv")]) == 0
    table, said = pd.read_csv(tmp_path / "p.csv"), model.log_odds(graph, split="test")
    outcome = graph.schema.outcomes
    names = [each.name for each in outcome] if outcomes == "multilabel" else list(outcome[0].classes)
    names = names[1:] if outcomes == "binary" else names
    assert list(table.columns)[-2 * len(names) :] == [f"{way}_{name}" for way in ("causal", "biased") for name in names]
    for way in ("causal", "biased"):
        found = table[[f"{way}_{name}" for name in names]].to_numpy()
        np.testing.assert_allclose(found, said[way], atol=1e-12)
    if outcomes == "binary":
        plain = str(trained / "run-binary")
        assert main([*asked[:1], plain, *asked[2:], "--out", str(tmp_path / "no.csv")]) == 2
        assert "no biased stream beside its prediction; train with debias='full'" in capsys.readouterr().err
        assert not (tmp_path / "no.csv").exists()
        assert main([*asked, "--format", "meds", "--out", str(tmp_path / "no.parquet")]) == 2
        assert "--streams has no place" in capsys.readouterr().err


def test_ids_in_the_order_asked_and_all_patients_by_default(trained, tmp_path, capsys):
    run, graph = str(trained / "run-binary"), str(trained / "binary")
    assert main(["predict", run, graph, "--ids", "p0007", "p0003", "--out", str(tmp_path / "two.csv")]) == 0
    assert main(["predict", run, graph, "--ids", "p0007", "--ids", "p0003", "--out", str(tmp_path / "again.csv")]) == 0
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert main(["predict", run, graph, "--out", str(tmp_path / "all.csv")]) == 0
    two, everyone = pd.read_csv(tmp_path / "two.csv"), pd.read_csv(tmp_path / "all.csv")
    assert list(two["id"]) == ["p0007", "p0003"]
    assert len(everyone) == 120
    alone = everyone.set_index("id").loc[["p0007", "p0003"]].iloc[:, 1:]
    np.testing.assert_allclose(two.iloc[:, 2:].to_numpy(), alone.to_numpy(), atol=1e-6)
    assert "120 patients" in capsys.readouterr().out


def test_ids_that_spreadsheets_take_for_formulas_stay_and_are_told_of(trained, tmp_path, capsys):
    graph = gdsfd.load_graph(trained / "binary")
    odd = ["=1+1", "@a", "-5", "+SUM(A1)"]
    graph["patient"].id[:4] = odd
    gdsfd.save_graph(graph, tmp_path / "graph")
    for suffix in (".csv", ".parquet"):
        file = tmp_path / f"p{suffix}"
        assert main(["predict", str(trained / "run-binary"), str(tmp_path / "graph"), "--out", str(file)]) == 0
        table = pd.read_csv(file, dtype={"id": str}) if suffix == ".csv" else pd.read_parquet(file)
        assert table["id"].tolist()[:4] == odd
        told = capsys.readouterr().err
        assert ("warning: 3 ids or split names begin with a sign" in told) == (suffix == ".csv")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["predict", "{folder}/run-binary", "nowhere", "--out", "{tmp}/p.csv"], "nowhere"),
        (["predict", "nowhere", "{folder}/binary", "--out", "{tmp}/p.csv"], "nowhere: no model here"),
        (["predict", "{folder}/run-binary", "{folder}/binary", "--out", "{tmp}/p.xlsx"], "ends with .csv or .parquet"),
        (
            ["predict", "{folder}/run-binary", "{folder}/binary", "--split", "tset", "--out", "{tmp}/p.csv"],
            "Did you mean 'test'?",
        ),
        (["predict", "{folder}/run-binary", "{folder}/binary", "--ids", "p9999", "--out", "{tmp}/p.csv"], "'p9999'"),
    ],
)
def test_wrong_inputs_write_nothing(trained, tmp_path, capsys, command, message):
    assert main([part.format(folder=trained, tmp=tmp_path) for part in command]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_earlier_predictions_are_kept_without_force(trained, tmp_path, capsys):
    run, graph, file = str(trained / "run-binary"), str(trained / "binary"), tmp_path / "p.csv"
    assert main(["predict", run, graph, "--out", str(file)]) == 0
    file.write_text("mine")
    assert main(["predict", run, graph, "--out", str(file)]) == 2
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert main(["predict", run, graph, "--out", str(file), "--force"]) == 0
    assert file.read_text().startswith("id,split,p_no,p_yes\n")


@pytest.mark.parametrize(
    ("outcomes", "names"),
    [
        ("binary", ["p_no", "p_yes"]),
        ("multiclass", ["p_CN", "p_MCI", "p_AD"]),
        ("multilabel", ["p_mortality", "p_discharge"]),
    ],
)
def test_each_row_has_its_own_patient_and_numbers(outcomes, names):
    schema = make_cohort(10, outcomes=outcomes).schema
    graph: Any = {"patient": SimpleNamespace(id=["a", "b", "c"], split=["train", "test", "new"])}
    numbers = np.arange(2.0 * len(names)).reshape(2, -1)
    table = probability_table(graph, [2, 0], numbers, schema)
    assert table[["id", "split"]].to_numpy().tolist() == [["c", "new"], ["a", "train"]]
    assert list(table.columns[2:]) == names
    np.testing.assert_array_equal(table[names], numbers)


@pytest.mark.parametrize("cell", ["=1+1", "@x", "+a", "-a", "\t=1", "-1-2", "+1.2.3"])
def test_what_a_spreadsheet_would_run(cell):
    assert looks_like_formula(cell)


@pytest.mark.parametrize("cell", ["", "a=1", "-12", "+1.5", "001", " =1"])
def test_what_a_spreadsheet_would_not_run(cell):
    assert not looks_like_formula(cell)


def test_predictions_for_meds_evaluation(trained, tmp_path, capsys):
    graph = gdsfd.load_graph(trained / "binary")
    graph["patient"].id = [f"{k}@2150-01-01 08:00:00" for k in range(120)]
    gdsfd.save_graph(graph, tmp_path / "graph")
    run, file = str(trained / "run-binary"), tmp_path / "p.parquet"
    command = ["predict", run, str(tmp_path / "graph"), "--format", "meds", "--out"]
    assert main([*command, str(file)]) == 0
    table = pd.read_parquet(file)
    assert list(table.columns)[:2] == ["subject_id", "prediction_time"]
    assert "predicted_boolean_probability" in table
    assert main([*command, str(tmp_path / "p.csv")]) == 2
    assert (
        main(["predict", run, str(trained / "binary"), "--format", "meds", "--out", str(tmp_path / "q.parquet")]) == 2
    )
    assert "do not say who and when" in capsys.readouterr().err
    assert main(["predict", run, str(trained / "binary"), "--outcome", "x", "--out", str(tmp_path / "q.csv")]) == 2
    assert "--outcome goes with --format meds" in capsys.readouterr().err
    assert not list(tmp_path.glob("q.*"))


def test_sets_of_labels_stand_beside_probabilities(trained, tmp_path, capsys):
    run, graph, file = str(trained / "run-binary"), str(trained / "binary"), tmp_path / "p.csv"
    command = ["predict", run, graph, "--split", "test", "--out", str(file)]
    assert main([*command, "--sets", "0.2", "--sets-by-class", "--sets-on", "tuning"]) == 0
    assert "sets: limits from the split 'tuning' of this graph" in capsys.readouterr().out
    table = pd.read_csv(file, keep_default_na=False)
    model, loaded = gdsfd.Debiaser.load(run), gdsfd.load_graph(graph)
    expected = model.predict_sets(loaded, split="test", alpha=0.2, method="by_class", on="tuning").to_frame()
    for name in expected.columns[1:]:
        assert table[name].tolist() == expected[name].tolist()
    for wrong, message in (
        (["--sets", "1.5"], "alpha: expected a share"),
        (["--sets-by-class"], "go with --sets"),
        (["--sets", "0.1", "--sets-on", "test"], "which gives the limits"),
        (["--sets", "0.1", "--sets-on", "train"], "the model was trained on"),
    ):
        assert main([*command, "--force", *wrong]) == 2
        assert message in capsys.readouterr().err


def test_ids_that_pandas_reads_as_other_ones(trained, tmp_path, capsys):
    graph = gdsfd.load_graph(trained / "binary")
    ids = [f"{k + 1000}" for k in range(120)]
    ids[:6] = ["NA", "null", "1e5", "100000", "007", "7"]
    graph["patient"].id = ids
    gdsfd.save_graph(graph, tmp_path / "graph")
    command = ["predict", str(trained / "run-binary"), str(tmp_path / "graph"), "--out"]
    assert main([*command, str(tmp_path / "p.csv")]) == 0
    assert "6 ids are other ones once pandas has read the file as it does by default" in capsys.readouterr().err
    table = pd.read_csv(tmp_path / "p.csv", dtype={"id": str}, keep_default_na=False, na_values=[""])
    assert table["id"].tolist() == ids  # as the message and docs/privacy.md say
    assert main([*command, str(tmp_path / "p.parquet")]) == 0  # where ids stay text
    assert "pandas" not in capsys.readouterr().err
    assert misread_ids(["007", "1e5", "8"]) == misread_ids(["a", "007", "7"]) == []
    assert misread_ids(["True", "true"]) == ["True", "true"]
    assert misread_ids(["9007199254740993", "9007199254740992", "1.5"])
