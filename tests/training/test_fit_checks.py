"""What a training is refused for before any work."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training.fit_checks import check_fit_arguments, check_trainable, warn_of_outcomes
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


def test_whoever_has_many_outcomes_is_told_which_are_conditioned_on(caplog):
    graph = graph_from_cohort(make_cohort(60, outcomes="multilabel"))
    modes = [StreamConfig(conditional=True), StreamConfig(objective="mmd", streams=False), StreamConfig(), None]
    with caplog.at_level(logging.WARNING):
        for mode in modes:
            warn_of_outcomes(graph, mode)
        assert not caplog.records
        graph.schema = replace(graph.schema, outcomes=graph.schema.outcomes[:1] * 6)
        for mode in modes[2:]:
            warn_of_outcomes(graph, mode)
        assert not caplog.records
        for mode in modes[:2]:
            warn_of_outcomes(graph, mode)
    assert [record.getMessage()[:50] for record in caplog.records] == [
        "of 6 outcomes the first 4 are conditioned on where"
    ] * 2
