"""Who is left out, who trains: recounted patient by patient."""

from __future__ import annotations

import math

import pytest
import torch

import gdsfd
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.fits_at_once import FitsHere
from gdsfd.training.model_selection.leave_one_environment_out import (
    environment_folds,
    leave_one_environment_out,
    left_out_fits,
)
from gdsfd.training.model_selection.neutral_weights import neutral_weights
from tests.cohort.survival_exports import survival_frames, survival_spec
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
@pytest.mark.parametrize("folds", [2, 3, 9])
def test_every_fold_against_a_recount(folds, outcomes):
    graph = graph_from_cohort(make_cohort(300, outcomes=outcomes, environments=5, unlabelled=0.2))
    patient = graph["patient"]
    found = environment_folds(graph, folds)
    assert len(found) == min(folds, 5)
    left_out = [name for fold in found for name in fold.name.split(", ")]
    assert sorted(left_out) == sorted(set(patient.environment))

    def labelled(row: int) -> bool:
        return not math.isnan(patient.y[row, 0]) if outcomes == "binary" else int(patient.y[row]) >= 0

    for fold in found:
        out = set(fold.name.split(", "))
        for split in ("train", "tuning"):
            expected = [
                row for row in range(300) if patient.split[row] == split and patient.environment[row] not in out
            ]
            assert fold.rows[split].tolist() == expected
        expected = [
            row
            for row in range(300)
            if patient.split[row] in ("train", "tuning") and patient.environment[row] in out and labelled(row)
        ]
        assert sorted(fold.left_out.tolist()) == expected


def test_nothing_to_leave_out():
    assert environment_folds(graph_from_cohort(make_cohort(60, environments=None)), 3) == []
    assert environment_folds(graph_from_cohort(make_cohort(60, environments=1)), 3) == []
    assert environment_folds(graph_from_cohort(make_cohort(60)), 1) == []


def test_a_fold_without_which_one_label_is_left_is_no_fold():
    graph = graph_from_cohort(make_cohort(300, environments=3))
    patient = graph["patient"]
    only = patient.environment[0]
    elsewhere = torch.tensor([name != only for name in patient.environment])
    patient.y[elsewhere] = 0.0
    assert [fold.name for fold in environment_folds(graph, 3) if only in fold.name] == []
    assert len(environment_folds(graph, 3)) == 2


def test_of_an_ensemble_beside_trees_one_plain_network_is_fitted_without_each_fold() -> None:
    graph = graph_from_cohort(make_cohort(200, environments=3))
    config = TrainConfig(members=4, channels=4, max_epochs=1, accelerator="cpu").resolved(100)
    assert config.boosted_members == 2
    reference = Arm("concat", None, config, 0, ("pattern",))
    folds = environment_folds(graph, 3)
    fits = left_out_fits("reference", reference, folds, None, None)
    networks = [fit.arm.fit(graph, fit.rows).network for fit in fits]
    assert [(len(network.members), network.boosted) for network in networks] == [(1, 0)] * len(folds)


def test_of_a_time_to_an_event_it_is_whether_it_was_seen() -> None:
    graph = gdsfd.build_graph(survival_spec(survival_frames(200), intervals=4))
    y = graph["patient"].y
    known = ~y.isnan().all(1)
    folds = environment_folds(graph, 2)
    assert len(folds) == 2
    for fold in folds:
        assert known[fold.left_out].all()
        assert len({graph["patient"].environment[int(row)] for row in fold.left_out}) == 1
    beyond_the_first = known & y[:, 0].isnan()
    assert not beyond_the_first.any()  # whoever says something of a later interval outlived the first
    # one who is event-free and one who is not: both classes stand in every part
    seen = (y == 1).any(1)
    assert all(0 < int(seen[fold.rows["train"]].sum()) < len(fold.rows["train"]) for fold in folds)


def test_of_several_outcomes_each_is_weighted_and_judged_by_its_own_labels() -> None:
    graph = graph_from_cohort(make_cohort(300, outcomes="multilabel", environments=3, unlabelled=0.2))
    y, names = graph["patient"].y, graph["patient"].environment
    first = names[0]
    for row, name in enumerate(names):
        if name == first:
            y[row, 0] = float("nan")  # a site that has only the other outcome
        else:
            y[row, 1] = 0.0  # without that site, its outcome has one label in training
    folds = environment_folds(graph, 3)
    by_name = {fold.name: fold for fold in folds}
    assert len(by_name[first].left_out) > 0  # before, whoever had no label of the first outcome was left aside
    y_known = ~y.isnan()
    for fold in folds:
        assert y_known[fold.left_out].any(1).all()
        for column, judged in enumerate(fold.judged):
            kept = [y[rows][y_known[rows, column], column] for rows in fold.rows.values()]
            assert judged == all(len(each.unique()) == 2 for each in kept)
    assert any(not all(fold.judged) for fold in folds)
    config = TrainConfig(members=1, channels=4, max_epochs=1, accelerator="cpu").resolved(100)
    arm = Arm("concat", None, config, 0)
    fits = FitsHere(graph, resume=False, settings=None, store=None)
    found = leave_one_environment_out(graph, arm, arm, folds, None, fits, None, None, PatientStore(graph))
    assert found.scores["reference"].shape == found.scores["debiased"].shape == found.y.shape
    start = 0
    for fold in folds:
        rows, size = fold.left_out, len(fold.left_out)
        for column, judged in enumerate(fold.judged):
            labels = found.y[start : start + size, column]
            expected = y[rows, column] if judged else torch.full((size,), float("nan"))
            torch.testing.assert_close(labels, expected, equal_nan=True)
            known = (~y[rows, column].isnan()).numpy()
            sites = [names[int(row)] for row in rows[torch.from_numpy(known)]]
            if judged:
                weights = neutral_weights(y[rows, column].numpy()[known].astype(int), sites)
                assert found.weight[start : start + size, column][known] == pytest.approx(weights)
        start += size
