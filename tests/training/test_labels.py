"""Splits without labels, and training patients who are all alike, are refused by name."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.labels import check_labels, check_two_classes
from tests.cohort_factory import make_cohort

ROWS = {"train": torch.arange(0, 10), "tuning": torch.arange(10, 15)}


def graph(outcomes: str) -> HeteroData:
    return graph_from_cohort(make_cohort(20, outcomes=outcomes, unlabelled=0.0))


@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
@pytest.mark.parametrize(("split", "use"), [("train", "learn from"), ("tuning", "choose the epoch by")])
def test_a_split_without_labels(outcomes: str, split: str, use: str) -> None:
    made = graph(outcomes)
    check_labels(made, ROWS)
    y = made["patient"].y
    y[ROWS[split]] = float("nan") if y.is_floating_point() else -1
    with pytest.raises(InputError, match=f"the split '{split}' has no labelled patient: nothing to {use}"):
        check_labels(made, ROWS)
    y[ROWS[split][-1]] = 1
    check_labels(made, ROWS)


def test_one_labelled_outcome_of_several_is_enough() -> None:
    made = graph("multilabel")
    made["patient"].y[:, 0] = float("nan")
    check_labels(made, ROWS)


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_training_patients_who_are_all_alike(outcomes: str) -> None:
    made = graph(outcomes)
    made["patient"].y[ROWS["train"]] = 1
    outcome = made.schema.outcomes[0]
    with pytest.raises(InputError, match=f"outcome '{outcome.name}': all labelled .* are '{outcome.classes[1]}'"):
        check_two_classes(made, ROWS["train"])
    made["patient"].y[3] = 0
    check_two_classes(made, ROWS["train"])


def test_of_several_outcomes_one_with_two_classes_is_enough() -> None:
    made = graph("multilabel")
    y = made["patient"].y
    y[ROWS["train"], 0], y[ROWS["train"], 1] = float("nan"), 0.0
    with pytest.raises(InputError, match=f"outcome '{made.schema.outcomes[1].name}'"):  # the first has no label at all
        check_two_classes(made, ROWS["train"])
    y[2, 1] = 1.0
    check_two_classes(made, ROWS["train"])
