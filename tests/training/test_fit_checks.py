"""What a training is refused for before any work."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training.fit_checks import check_fit_arguments, check_trainable
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, False, None), "fit: out: expected the path of a folder, got 3"),
        ((None, True, None), "resume=True needs out="),
        ((None, False, "print"), "fit: on_epoch: expected a function"),
    ],
)
def test_arguments_of_fit(arguments, message):
    with pytest.raises(InputError, match=message):
        check_fit_arguments(*arguments)


def test_graphs_that_nothing_can_be_learned_from():
    graph = graph_from_cohort(make_cohort(60))
    check_trainable(graph)
    graph.receipt.new = True
    with pytest.raises(InputError, match="read with the schema of an earlier cohort"):
        check_trainable(graph)
    graph = graph_from_cohort(make_cohort(60, splits=["train"] * 60))
    with pytest.raises(InputError, match="no split 'tuning'"):
        check_trainable(graph)
    with pytest.raises(InputError, match="expected a graph"):
        check_trainable("graph")
