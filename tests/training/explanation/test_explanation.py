"""Explanations as people read them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

import gdsfd
from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort.survival_exports import survival_frames, survival_spec
from tests.cohort_factory import make_cohort

QUICK: dict[str, Any] = {"members": 2, "channels": 8, "max_epochs": 2}


@pytest.fixture(scope="module")
def fitted() -> tuple[Any, gdsfd.Debiaser]:
    graph = graph_from_cohort(make_cohort(160))
    return graph, gdsfd.Debiaser("concat", **QUICK).fit(graph, baselines=False)


def test_tables_and_words(fitted: tuple[Any, gdsfd.Debiaser]) -> None:
    graph, model = fitted
    found = model.explain(graph, split="test")
    ids = [name for name, split in zip(graph["patient"].id, graph["patient"].split) if split == "test"]
    assert found.patients["id"].tolist() == ids
    np.testing.assert_allclose(found.patients["probability"], model.predict_proba(graph, split="test")[:, 1], atol=1e-6)
    added = found.modalities.groupby("id")["shapley"].sum().reindex(ids, fill_value=0.0).to_numpy()
    without = found.patients["log_odds_without_any"].to_numpy()
    np.testing.assert_allclose(without + added, found.patients["log_odds"], atol=1e-6)
    top = found.top(2)
    first = found.values[found.values["id"] == ids[0]]
    assert top[top["id"] == ids[0]]["effect"].abs().tolist() == sorted(first["effect"].abs())[::-1][:2]
    assert top["id"].drop_duplicates().tolist() == [name for name in ids if (found.values["id"] == name).any()]
    told = found.text(ids[0])
    assert told.splitlines()[0].startswith(f"{ids[0]}: mortality ")
    assert f"{top.iloc[0]['effect']:+.2f}  {top.iloc[0]['modality']}.{top.iloc[0]['column']}" in told
    assert found.note == ""
    assert found.overall()["mean_size"].is_monotonic_decreasing
    with pytest.raises(InputError, match="patient 'nobody' is not in it"):
        found.text("nobody")


def test_patients_that_were_trained_on_are_said(fitted: tuple[Any, gdsfd.Debiaser]) -> None:
    graph, model = fitted
    names = graph["patient"].id
    chosen = [next(n for n, s in zip(names, graph["patient"].split) if s == split) for split in ("train", "test")]
    assert model.explain(graph, ids=chosen).note.startswith("1 of 2 patients were trained on, or chosen by")


def test_who_was_trained_on_is_known_by_the_patients_not_by_the_names_of_splits(
    fitted: tuple[Any, gdsfd.Debiaser],
) -> None:
    graph, model = fitted
    renamed = copy.copy(graph)
    renamed["patient"].split = ["mine"] * len(graph["patient"].id)
    chosen = [next(n for n, s in zip(graph["patient"].id, graph["patient"].split) if s == "train")]
    assert model.explain(renamed, ids=chosen).note.startswith("1 of 1 patients were trained on")
    others = graph_from_cohort(make_cohort(20, seed=5))  # another hospital, whose split column says train
    others["patient"].id = [f"other {name}" for name in others["patient"].id]
    others["patient"].subject = [f"other {name}" for name in others["patient"].subject]
    others["patient"].split = ["train"] * 20
    others.schema = graph.schema
    assert model.explain(others, ids=others["patient"].id[:2]).note == ""


def test_a_recalibrated_model_is_explained_with_the_risk_that_it_gives_out() -> None:
    graph = graph_from_cohort(make_cohort(300))
    model = gdsfd.Debiaser("concat", recalibrate="logistic", **QUICK).fit(graph, baselines=False)
    ids = [name for name, split in zip(graph["patient"].id, graph["patient"].split) if split == "test"][:4]
    given, own = (model.predict_proba(graph, ids=ids, recalibrated=each)[:, 1] for each in (True, False))
    assert abs(given - own).max() > 1e-4
    found = model.explain(graph, ids=ids)
    np.testing.assert_allclose(found.patients["probability"], given, atol=1e-6)
    np.testing.assert_allclose(expit(found.patients["log_odds"]), own, atol=1e-6)
    assert "recalibrated, as predictions are" in found.note
    assert found.text(ids[0]).splitlines()[0].startswith(f"{ids[0]}: mortality {given[0]:.1%}, recalibrated (log-odds")


def test_of_a_time_to_an_event_the_whole_curve_is_explained_unless_told() -> None:
    graph = gdsfd.build_graph(survival_spec(survival_frames(200), intervals=3), progress=False)
    model = gdsfd.Debiaser("concat", members=1, boosted_members=0, channels=8, max_epochs=2).fit(
        graph, baselines=False, progress=False
    )
    ids = graph["patient"].id[:3]
    by_horizon = 1 - model.predict_survival(graph, ids=ids)[:, -1]
    found = model.explain(graph, ids=ids)
    assert found.target == f"death by {model.schema.survival.spelled(model.schema.survival.horizon)}"
    np.testing.assert_allclose(found.patients["probability"], by_horizon, atol=1e-6)
    added = found.modalities.groupby("id")["shapley"].sum().reindex(ids).to_numpy()
    np.testing.assert_allclose(found.patients["log_odds_without_any"] + added, found.patients["log_odds"], atol=1e-6)
    named = model.explain(graph, ids=ids, target="death")
    assert named.patients.equals(found.patients)
    second = graph.schema.outcomes[1].name
    hazard = model.explain(graph, ids=ids, target=second)
    np.testing.assert_allclose(hazard.patients["probability"], model.predict_proba(graph, ids=ids)[:, 1], atol=1e-6)
    assert "free of it when the interval begins" in hazard.note
    with pytest.raises(InputError, match="expected a target of death, death: 0 to"):
        model.explain(graph, ids=ids, target="dying")


def test_who_is_named_twice_is_explained_once(fitted: tuple[Any, gdsfd.Debiaser]) -> None:
    graph, model = fitted
    first, second = graph["patient"].id[:2]
    found = model.explain(graph, ids=[second, first, second])
    assert found.patients["id"].tolist() == [second, first]
    assert found.text(second).startswith(f"{second}: mortality ")


def test_a_model_that_is_not_trained_explains_nothing(fitted: tuple[Any, gdsfd.Debiaser]) -> None:
    with pytest.raises(NotFittedError, match="is not trained"):
        gdsfd.Debiaser().explain(fitted[0])


def test_a_page_and_tables(fitted: tuple[Any, gdsfd.Debiaser], tmp_path: Path) -> None:
    graph, model = fitted
    found = model.explain(graph, split="test")
    html = found.save(tmp_path / "why").read_text()
    assert sorted(each.name for each in (tmp_path / "why").iterdir()) == [
        "explanation.html",
        "explanation.json",
        "modalities.csv",
        "patients.csv",
        "values.csv",
    ]
    first = found.patients.iloc[0]
    assert f"<h2>{first['id']}" in html
    assert f"{first['probability']:.1%}" in html
    read = pd.read_csv(tmp_path / "why" / "values.csv", dtype={"id": str})
    np.testing.assert_allclose(read["effect"], found.values["effect"])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="mine"):
        found.save(tmp_path / "mine")
    assert [each.name for each in (tmp_path / "mine").iterdir()] == ["notes.txt"]


CAUSES = {"lactate": 1.6, "sodium": -1.2, "lesion": 1.4}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, gdsfd.Debiaser, pd.DataFrame]:
    """1,500 patients, 12 columns in three tables, three of them causes."""
    folder, random, n = tmp_path_factory.mktemp("planted"), np.random.default_rng(0), 1500
    tables = {
        "labs": ["lactate", "sodium", "a", "b"],
        "imaging": ["lesion", "c", "d", "e"],
        "notes": ["f", "g", "h", "i"],
    }
    table = pd.DataFrame({name: random.normal(size=n) for own in tables.values() for name in own})
    odds = sum(weight * table[name] for name, weight in CAUSES.items())
    table["id"], table["ill"] = [f"P{row}" for row in range(n)], (random.random(n) < expit(odds)).astype(int)
    table.to_csv(folder / "patients.csv", index=False)
    parts = [
        '[cohort]\nsource = "patients.csv"\nid = "id"\n',
        '[outcome]\nname = "ill"\ncolumn = "ill"\npositive = 1\nnegative = 0\n',
        '[split]\nkind = "subject"\nfractions = [0.6, 0.15, 0.25]\nseed = 0\n',
    ]
    for name, own in tables.items():
        listed = ", ".join(f'"{column}"' for column in own)
        parts.append(f'[[modality]]\nname = "{name}"\nkind = "table"\nsource = "patients.csv"\nid = "id"\n')
        parts[-1] += f"columns = [{listed}]\n"
    spec = Path(folder) / "spec.toml"
    spec.write_text("\n".join(parts))
    graph = gdsfd.build_graph(spec, progress=False)
    model = gdsfd.Debiaser("concat", seed=0, max_epochs=30, members=2, learning_rate=3e-3).fit(graph, baselines=False)
    return graph, model, table.set_index("id")


def test_a_planted_cause_is_found_first(planted: tuple[Any, gdsfd.Debiaser, pd.DataFrame]) -> None:
    """The cause that in truth moved a patient's log-odds most is among the top three of at least 90 of 100."""
    graph, model, table = planted
    found = model.explain(graph, split="test")
    truth = table[list(CAUSES)] * pd.Series(CAUSES)
    strongest = truth.abs().idxmax(axis=1)
    top = found.top(3).groupby("id")["column"].agg(list)
    hit = [strongest[name] in columns for name, columns in top.items()]
    assert len(hit) > 300
    assert np.mean(hit) >= 0.9
    assert set(found.overall()["column"].head(3)) == set(CAUSES)


def test_one_patient_takes_few_forwards(planted: tuple[Any, gdsfd.Debiaser, pd.DataFrame]) -> None:
    """Two forwards of some 8 sets of modalities and 12 values: no time of a machine, but what it is made of."""
    graph, model, _ = planted
    network, calls = model.network, []
    assert network is not None
    handle = network.register_forward_hook(lambda module, given, out: calls.append(len(given[0])))
    model.explain(graph, ids=[graph["patient"].id[0]])
    handle.remove()
    assert calls == [8, 13]
