"""The summary gives the graph's own numbers, in few columns."""

from __future__ import annotations

import re

import pytest

from gdsfd.graph.availability import pattern_table
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.summary import summary
from tests.cohort_factory import make_cohort


def test_numbers():
    cohort = make_cohort(100)
    graph = graph_from_cohort(cohort)
    text = summary(graph)
    edges = sum(len(found.patient) for found in cohort.observations.values())
    assert text.startswith(f"100 patients ({len(set(cohort.subject))} subjects), 5 modalities, {edges} observations\n")
    died = int((cohort.y == 1).sum())
    known = int((cohort.y >= 0).sum())
    assert f"yes {died} ({died / known:.1%}); {100 - known} unlabelled" in text
    train = cohort.split.count("train")
    assert re.search(rf"\n  train +{train} ", text)
    labs = len(cohort.observations["labs"].patient)
    assert re.search(rf"\n  labs +events +{labs} \({labs}\.0%\) .* 3 items, 6 steps of 60 min\n", text)
    assert f"modalities per patient: mean {edges / 100:.2f}" in text
    first = pattern_table(graph).iloc[0]
    words = {"(nothing)": "nothing", " + ".join(cohort.schema.names): "all"}
    assert re.search(rf"\n +{first['patients']} +{first['share']:.1%} .*  {words[first['pattern']]}\n", text)
    assert "environments (hospital): 3, of " in text


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("num_patients", [0, 1, 80])
def test_every_kind_of_cohort_fits_110_columns(num_patients, outcomes):
    cohort = make_cohort(num_patients, outcomes=outcomes, nobody_has=["labs"])
    cohort.split = [f"an evaluation set with the long name {name}" for name in cohort.split]
    text = summary(graph_from_cohort(cohort))
    assert max(len(line) for line in text.splitlines()) <= 110
    for outcome in cohort.schema.outcomes:
        assert f"outcome {outcome.name}: " in text
