"""Hidden modalities: only of test patients, only deleted, the same draw for everybody."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.fusion_study.conditions import under
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.loader import rows_of
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(400))


def test_only_test_patients_lose_what_the_condition_says(graph):
    before, names = presence_of(graph), list(graph.schema.names)
    rows = rows_of(graph, "test")
    others = torch.ones(len(before), dtype=torch.bool)
    others[rows] = False
    labs = names.index("labs")
    for condition, kept in (
        ("natural", torch.ones(len(names), dtype=torch.bool)),
        ("without labs", torch.arange(len(names)) != labs),
        ("only labs", torch.arange(len(names)) == labs),
    ):
        after = presence_of(under(graph, condition, 0))
        assert torch.equal(after[others], before[others])
        assert torch.equal(after[rows], before[rows] & kept)


def test_at_random_the_rate_is_hidden_and_nothing_is_invented(graph):
    before, rows = presence_of(graph), rows_of(graph, "test")
    after = presence_of(under(graph, "random 0.5", 3))
    assert not (after & ~before).any()
    share = float(after[rows].sum() / before[rows].sum())
    assert share == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / int(before[rows].sum())))
    assert torch.equal(after, presence_of(under(graph, "random 0.5", 3)))
    assert not torch.equal(after, presence_of(under(graph, "random 0.5", 4)))


def test_other_conditions_are_refused(graph):
    with pytest.raises(InputError, match="unknown condition 'by weather'"):
        under(graph, "by weather", 0)
