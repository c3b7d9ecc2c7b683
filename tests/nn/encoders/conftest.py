"""A small graph of every kind of modality."""

from __future__ import annotations

import pytest
from torch_geometric.data import HeteroData

from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(60))
