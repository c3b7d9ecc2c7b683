"""From a spec with a time to an event to labels, graph and files; what is kept out of the features."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gdsfd
from gdsfd.cohort.patients.follow_up import FollowUp
from gdsfd.cohort.patients.hazard_labels import hazard_labels
from gdsfd.cohort.patients.survival_labels import labels_before_cutting, labels_of_intervals
from gdsfd.cohort.schema import SurvivalFields
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError, SchemaError
from tests.cohort.survival_exports import survival_frames, survival_spec

FOLLOW_UP = FollowUp(np.array([1.0, 5.0, 9.0, np.nan]), np.array([1, 0, 1, np.nan], np.float32))


def test_the_split_looks_at_events_only() -> None:
    before = labels_before_cutting(FOLLOW_UP)
    np.testing.assert_array_equal(before.y, [[1], [0], [1], [np.nan]])
    assert before.follow_up is FOLLOW_UP


def test_a_note_on_what_was_seen() -> None:
    found = labels_of_intervals(SurvivalFields("death", "t", "e", (2.0, 6.0), "days"), FOLLOW_UP)
    assert found.notes == [
        "outcome 'death': 2 events, 1 censored; hazards of 2 intervals up to 6 days; 1 events come later, their "
        "patients outlive the horizon"
    ]
    assert [one.name for one in found.fields] == ["death: 0 to 2 days", "death: 2 to 6 days"]


def test_a_graph_has_times_events_and_labels(tmp_path) -> None:
    frames = survival_frames(300)
    graph = gdsfd.build_graph(survival_spec(frames, intervals=5))
    patient, fields = graph["patient"], graph.schema.survival
    np.testing.assert_allclose(patient.follow_up, frames[0]["days"])
    np.testing.assert_array_equal(patient.event, frames[0]["died"])
    np.testing.assert_array_equal(patient.y, hazard_labels(fields, patient.follow_up.numpy(), patient.event.numpy()))
    assert graph.schema.declared_outcomes == ("death",)
    assert not graph.schema.multiclass
    assert graph.schema.num_outputs == 5
    gdsfd.save_graph(graph, tmp_path / "graph")
    again = gdsfd.load_graph(tmp_path / "graph")
    assert again.schema == graph.schema
    for key in ("y", "follow_up", "event"):
        np.testing.assert_array_equal(again["patient"][key], patient[key])
    some = gdsfd.take_patients(again, ids=["p7", "p3"])
    np.testing.assert_array_equal(some["patient"].follow_up, patient.follow_up[[7, 3]])


def test_times_that_do_not_fit_their_labels_are_refused(tmp_path) -> None:
    graph = gdsfd.build_graph(survival_spec(survival_frames(300)))
    graph["patient"].follow_up[3] += 500
    gdsfd.save_graph(graph, tmp_path / "graph")
    with pytest.raises(InputError, match="labels of its intervals are not those of its times"):
        gdsfd.load_graph(tmp_path / "graph")


def test_neither_column_is_a_feature() -> None:
    cohort, labs, _ = survival_frames(300)
    both = cohort.merge(labs, on="id").drop(columns="log_hazard")
    spec = CohortSpec(
        cohort={"source": both, "id": "id"},
        outcome={"name": "death", "kind": "survival", "time": "days", "event": "died"},
        modality={"name": "all", "kind": "table", "source": both, "id": "id"},
    )
    fields = gdsfd.build_graph(spec).schema.modalities[0]
    assert {*fields.numeric, *fields.categorical} == {"x0", "x1", "x2", "site"}


def test_new_patients_are_read_with_the_fitted_intervals() -> None:
    graph = gdsfd.build_graph(survival_spec(survival_frames(300)))
    cohort, labs, vitals = survival_frames(50, seed=1)
    new = gdsfd.build_graph(survival_spec((cohort, labs, vitals)), like=graph)
    assert new.schema.survival == graph.schema.survival
    np.testing.assert_array_equal(
        new["patient"].y, hazard_labels(graph.schema.survival, cohort["days"].to_numpy(), cohort["died"].to_numpy())
    )
    for absent in (["days"], ["died"], ["days", "died"]):  # one without the other says nothing
        bare = gdsfd.build_graph(survival_spec((cohort.drop(columns=absent), labs, vitals)), like=graph)
        assert bare["patient"].y.isnan().all()
        assert bare["patient"].follow_up.isnan().all()
        assert any("can be predicted, not judged" in one.text for one in bare.receipt.findings)


def test_durations_are_minutes_and_no_other_unit() -> None:
    cohort, labs, vitals = survival_frames(300)
    whole = gdsfd.build_graph(survival_spec((cohort.assign(days=cohort["days"] * 1440), labs, vitals), unit="minutes"))
    typed = cohort.assign(days=pd.to_timedelta(cohort["days"], unit="D"))
    graph = gdsfd.build_graph(survival_spec((typed, labs, vitals), unit="minutes"))
    np.testing.assert_allclose(graph["patient"].follow_up, whole["patient"].follow_up, rtol=1e-9)
    assert graph.schema.survival.cuts == whole.schema.survival.cuts
    for unit, words in (("days", "'days'"), ("", "not given")):
        with pytest.raises(
            InputError, match=rf"'days' of .* holds durations .*, and unit is {words}\. Say unit = 'min"
        ):
            gdsfd.build_graph(survival_spec((typed, labs, vitals), unit=unit))
    begin = pd.Timestamp("2024-01-01")
    stamped = cohort.assign(begin=begin, ending=begin + typed["days"]).drop(columns="days")
    fields = survival_spec((stamped, labs, vitals)).model_dump()
    fields["cohort"] |= {"source": stamped, "derive": {"days": "ending - begin"}}
    with pytest.raises(InputError, match="holds durations"):
        gdsfd.build_graph(CohortSpec(**fields))
    fields["cohort"]["derive"] = {"days": "date_diff('minute', begin, ending) / 1440.0"}
    np.testing.assert_allclose(gdsfd.build_graph(CohortSpec(**fields))["patient"].follow_up, cohort["days"], atol=2e-3)


def test_labels_and_times_are_not_taken_for_each_other() -> None:
    frames = survival_frames(300)
    graph = gdsfd.build_graph(survival_spec(frames))
    spec = survival_spec(frames)
    labels = CohortSpec(
        cohort=spec.cohort, outcome={"name": "death", "column": "died", "positive": 1}, modality=spec.modality
    )
    with pytest.raises(SchemaError, match="the fitted schema has a time to an event"):
        gdsfd.build_graph(labels, like=graph)
    with pytest.raises(SchemaError, match="the fitted schema has labels, the spec a time to an event"):
        gdsfd.build_graph(spec, like=gdsfd.build_graph(labels))


def test_the_order_of_patients_changes_nothing() -> None:
    cohort, labs, vitals = survival_frames(300)
    cohort["split"] = np.where(np.arange(300) % 3 == 0, "test", np.where(np.arange(300) % 3 == 1, "tuning", "train"))
    fields = survival_spec((cohort, labs, vitals)).model_dump()
    fields["split"] = {"kind": "column", "column": "split"}

    def build(rows: np.ndarray) -> object:
        return gdsfd.build_graph(CohortSpec(**{**fields, "cohort": {**fields["cohort"], "source": cohort.iloc[rows]}}))

    order = np.random.default_rng(0).permutation(300)
    first, second = build(np.arange(300)), build(order)
    assert first.schema.survival == second.schema.survival
    np.testing.assert_array_equal(first["patient"].y[order], second["patient"].y)


def test_tables_tell_whether_the_event_was_seen() -> None:
    graph = gdsfd.build_graph(survival_spec(survival_frames(300)))
    seen = (graph["patient"].y == 1).any(1)
    assert [(row["outcome"], row["class"], row["patients"]) for row in graph.receipt.tables["outcomes"]] == [
        ("death (seen)", "no", int((~seen & ~graph["patient"].y.isnan().all(1)).sum())),
        ("death (seen)", "yes", int(seen.sum())),
        ("death (seen)", None, int(graph["patient"].y.isnan().all(1).sum())),
    ]
    text = gdsfd.summary(graph)
    assert "outcome death: time to an event, 10 intervals up to" in text
    assert "death (seen)" in text
    assert [one for one in graph.receipt.findings if one.kind == "labels"] == []


def test_a_column_that_holds_the_time_is_told_of() -> None:
    cohort, labs, vitals = survival_frames(400)
    labs["length_of_stay"] = cohort["days"]
    graph = gdsfd.build_graph(survival_spec((cohort, labs, vitals), intervals=4))
    leaks = [one for one in graph.receipt.findings if one.kind == "leakage"]
    assert leaks
    assert all("length_of_stay" in one.where for one in leaks)


def test_a_split_without_an_event_is_told() -> None:
    cohort, labs, vitals = survival_frames(300)
    cohort["split"] = np.where(cohort["died"] == 0, "test", np.where(np.arange(300) % 4 == 0, "tuning", "train"))
    cohort.loc[:20, "split"] = "train"
    fields = survival_spec((cohort, labs, vitals)).model_dump()
    fields["split"] = {"kind": "column", "column": "split"}
    found = gdsfd.build_graph(CohortSpec(**fields)).receipt.findings
    assert any("split 'test' has no event among its" in one.text for one in found)
