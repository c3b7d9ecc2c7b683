"""A small cohort, and a model of it that averages over strata."""

from __future__ import annotations

import pytest

from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.report.sections.strata.fitting import fitted


@pytest.fixture(scope="package")
def graph():
    return graph_from_cohort(make_cohort(500))


@pytest.fixture(scope="package")
def model(graph):
    return fitted(graph)
