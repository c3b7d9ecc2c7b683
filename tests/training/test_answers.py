"""What a trained model answers beside probabilities is made of them, and of what was fixed in training."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from gdsfd.errors import InputError, NotFittedError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.prediction_sets import make_sets
from gdsfd.training.run_record.conformal_scores import scores_of
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module", params=["binary", "multilabel"])
def run(request, tmp_path_factory):
    graph = graph_from_cohort(make_cohort(300, outcomes=request.param))
    model = Debiaser("concat", max_epochs=2, channels=8, members=1, boosted_members=0)
    model.fit(graph, progress=False, baselines=False)
    folder = tmp_path_factory.mktemp("sets") / request.param
    model.save(folder)
    return model, graph, folder


def test_a_models_sets_are_those_of_its_tuning_patients(run) -> None:
    model, graph, folder = run
    sets = model.predict_sets(graph, split="test", alpha=0.2)
    rows = [row for row, split in enumerate(graph["patient"].split) if split == "tuning"]
    scores = scores_of(graph["patient"].y.numpy()[rows], model.predict_proba(graph, split="tuning"), graph.schema)
    p = model.predict_proba(graph, split="test")
    by_hand = make_sets(p, sets.ids, graph.schema, scores, 0.2, "lac", "")
    for ours, theirs in zip(sets.outcomes, by_hand.outcomes):
        np.testing.assert_array_equal(ours.contains, theirs.contains)
    assert "who also chose the epoch" in sets.on
    again = Debiaser.load(folder).predict_sets(graph, split="test", alpha=0.2)
    assert again.to_frame().equals(sets.to_frame())
    assert list(sets.ids) == [i for i, split in zip(graph["patient"].id, graph["patient"].split) if split == "test"]
    if len(sets.outcomes) > 1:
        with pytest.raises(InputError, match="several outcomes"):
            _ = sets.contains


def test_limits_from_patients_of_ones_own(run) -> None:
    model, graph, _ = run
    sets = model.predict_sets(graph, split="train", on="test")
    assert sets.on == "limits from the split 'test' of this graph"
    known = np.isfinite(graph["patient"].y.numpy()[np.asarray(graph["patient"].split) == "test", 0])
    assert sets.outcomes[0].patients[0] == known.sum()
    with pytest.raises(InputError, match="of the patients asked for are of the split 'test', which gives the limits"):
        model.predict_sets(graph, on="test")


def test_runs_without_scores_and_adapted_ones_need_patients_of_ones_own(run) -> None:
    _, graph, folder = run
    old = Debiaser.load(folder)
    old.record_.conformal.clear()
    with pytest.raises(InputError, match="keeps no scores of its tuning patients"):
        old.predict_sets(graph, split="test")
    assert old.predict_sets(graph, split="test", on="tuning").outcomes


def test_limits_are_not_from_patients_that_the_model_was_trained_on(run) -> None:
    """It is surer of them than of others, so sets would miss the true label more often than was asked for."""
    model, graph, _ = run
    trained = graph["patient"].split.count("train")
    with pytest.raises(InputError, match=f"trained on {trained} of the {trained} patients of 'train'"):
        model.predict_sets(graph, split="test", on="train")
    renamed = copy.copy(graph)
    renamed["patient"].split = ["mine" if name == "train" else name for name in graph["patient"].split]
    with pytest.raises(InputError, match="patients of 'mine'"):
        model.predict_sets(renamed, split="test", on="mine")
    assert model.predict_sets(graph, split="test", on="tuning").on.endswith(", whose patients also chose the epoch")


def test_sets_say_what_limits_of_another_cohort_promise(run) -> None:
    model, graph, _ = run
    other = copy.copy(graph)
    other["patient"].split = ["new"] * len(graph["patient"].id)
    other.receipt = replace(graph.receipt, new=True)
    assert "of another cohort, for whom they promise nothing" in model.predict_sets(other, split="new").on
    assert "another cohort" not in model.predict_sets(graph, split="test").on
    other["patient"].split = ["mine" if name == "train" else "new" for name in graph["patient"].split]
    assert "have ids that it was trained on" in model.predict_sets(other, split="new", on="mine").on


def test_labels_have_no_chances_over_time(run) -> None:
    model, graph, _ = run
    for ask in (model.predict_survival, model.predict_risk):
        with pytest.raises(InputError, match="no time to an event; use predict_proba"):
            ask(graph, split="test")


def test_a_model_that_is_not_trained_answers_nothing(run) -> None:
    _, graph, _ = run
    untrained = Debiaser("concat")
    for ask in (untrained.predict_sets, untrained.predict_survival, untrained.predict_risk, untrained.explain):
        with pytest.raises(NotFittedError, match="not trained"):
            ask(graph)
