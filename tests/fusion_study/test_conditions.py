"""Conditions: only of the patients concerned, only deleted, at the rate asked for, the same draw for everybody."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.fusion_study.conditions import check_condition, losses, mechanisms_of, under
from gdsfd.fusion_study.mechanisms import anchor_of, covariate_of, ill_and_well, risk_of
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(900))


def others(graph):
    rows = torch.ones(int(graph["patient"].num_nodes), dtype=torch.bool)
    rows[rows_of(graph, "test")] = False
    return rows


def test_only_test_patients_lose_what_the_condition_says(graph):
    before, names = presence_of(graph), list(graph.schema.names)
    rows, rest = rows_of(graph, "test"), others(graph)
    labs = names.index("labs")
    for condition, kept in (
        ("natural", torch.ones(len(names), dtype=torch.bool)),
        ("without labs", torch.arange(len(names)) != labs),
        ("only labs", torch.arange(len(names)) == labs),
    ):
        after = presence_of(under(graph, condition, 0))
        assert torch.equal(after[rest], before[rest])
        assert torch.equal(after[rows], before[rows] & kept)


@pytest.mark.parametrize(
    "condition", ["by covariate 0.5", "by risk 0.5", "hidden in ill 0.5", "cells 0.5", "window 0.5"]
)
def test_every_mechanism_deletes_of_test_patients_only_and_repeats_itself(graph, condition):
    before, rest = presence_of(graph), others(graph)
    made = under(graph, condition, 3)
    after = presence_of(made)
    assert not (after & ~before).any()
    assert torch.equal(after[rest], before[rest])
    again = under(graph, condition, 3)
    for edge in graph.edge_types:
        for key, value in made[edge].items():
            assert torch.equal(torch.nan_to_num(value.double()), torch.nan_to_num(again[edge][key].double())), key
    assert torch.equal(presence_of(graph), before)


def test_at_random_the_rate_is_hidden_and_nothing_is_invented(graph):
    before, rows = presence_of(graph), rows_of(graph, "test")
    after = presence_of(under(graph, "random 0.5", 3))
    assert not (after & ~before).any()
    share = float(after[rows].sum() / before[rows].sum())
    assert share == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / int(before[rows].sum())))
    assert torch.equal(after, presence_of(under(graph, "random 0.5", 3)))
    assert not torch.equal(after, presence_of(under(graph, "random 0.5", 4)))


def test_one_modality_alone_is_hidden_where_one_is_named(graph):
    lost = losses(graph, "random 0.5: labs", 0, rows_of(graph, "test"))
    place = graph.schema.names.index("labs")
    assert lost[:, place].any()
    assert not np.delete(lost, place, axis=1).any()


@pytest.mark.parametrize(("kind", "driver"), [("by covariate", "covariate"), ("by risk", "risk")])
def test_more_is_lost_where_the_driver_is_high_at_the_same_overall_rate(graph, kind, driver):
    rows = rows_of(graph, "test").numpy()
    lost = losses(graph, f"{kind} 0.4", 1, torch.from_numpy(rows))[rows]
    names = list(graph.schema.names)
    free = np.array(names) != anchor_of(graph)
    assert not lost[:, ~free].any()
    share = lost[:, free].mean(1)
    assert share.mean() == pytest.approx(0.4, abs=4 * np.sqrt(0.24 / len(rows)))
    values = (covariate_of(graph)[1] if driver == "covariate" else risk_of(graph, 1))[rows]
    high = values > np.nanmedian(values)
    assert share[high].mean() > share[~high & np.isfinite(values)].mean() + 0.3


def test_linked_to_the_outcome_and_flipped(graph):
    rows = rows_of(graph, "test")
    for condition, place in (("hidden in ill 0.8: labs", 0), ("hidden in well 0.8: labs", 1)):
        concerned, spared = ill_and_well(graph)[place][rows.numpy()], ill_and_well(graph)[1 - place][rows.numpy()]
        lost = losses(graph, condition, 0, rows)[rows.numpy(), graph.schema.names.index("labs")]
        assert lost[concerned].mean() == pytest.approx(0.8, abs=4 * 0.4 / np.sqrt(concerned.sum()))
        assert not lost[spared].any()


def test_training_patients_may_be_those_concerned(graph):
    after, before = presence_of(under(graph, "random 1", 0, ("train", "tuning"))), presence_of(graph)
    rows = rows_of(graph, "test")
    assert torch.equal(after[rows], before[rows])
    assert not after[others(graph)].any()


def test_every_cohort_is_asked_what_fits_it(graph):
    asked = mechanisms_of(graph)
    assert {"by covariate 0.5", "by risk 0.5", "hidden in ill 0.5", "hidden in well 0.5", "cells 0.3"} < set(asked)
    assert "window 0.5" in asked
    assert sum(each.startswith("habits of ") for each in asked) == 3
    for each in asked:
        check_condition(graph, each)
    small = graph_from_cohort(make_cohort(40, environments=None, nobody_has=("labs",)))
    assert not [each for each in mechanisms_of(small) if each.startswith("habits of ")]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("by weather", "unknown condition 'by weather'"),
        ("without lab", "there is no 'lab'. Did you mean 'labs'"),
        ("random 0.5: lab", "there is no 'lab'"),
        ("random often", "expected a rate from 0 to 1, got 'often'"),
        ("cells 1.5", "expected a rate from 0 to 1"),
        ("habits of nowhere", "there is no 'nowhere'"),
    ],
)
def test_other_conditions_are_refused(graph, condition, message):
    with pytest.raises(InputError, match=message):
        under(graph, condition, 0)
