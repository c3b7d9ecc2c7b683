"""The export has the same nodes and edges, and stops before it fills the memory."""

from __future__ import annotations

import networkx
import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.networkx_view import to_networkx
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_same_nodes_edges_and_attributes(outcomes):
    cohort = make_cohort(40, outcomes=outcomes, nobody_has=["note"])
    cohort.id[0] = "labs"  # an id may equal a modality's name
    graph = graph_from_cohort(cohort)
    exported = to_networkx(graph)
    assert exported.number_of_nodes() == 45
    assert exported.number_of_edges() == graph.num_edges
    assert networkx.is_bipartite(exported)
    for name in cohort.schema.names:
        store = graph[edge_type(name)]
        neighbours = exported.adj["modality", name]
        assert {patient for _, patient in neighbours} == {cohort.id[row] for row in store.edge_index[0]}
        for (_, patient), attributes in neighbours.items():
            assert cohort.id[store.edge_index[0, attributes["edge"]]] == patient
    node = exported.nodes["patient", cohort.id[7]]
    assert node["row"] == 7
    assert (node["subject"], node["split"], node["environment"]) == (
        cohort.subject[7],
        cohort.split[7],
        cohort.environment[7],
    )
    assert node["groups"] == {"sex": cohort.groups["sex"][7]}
    assert node["y"] == (cohort.y[7].tolist() if outcomes == "binary" else [cohort.y[7]])
    assert exported.nodes["modality", "labs"] == {"bipartite": 1, "kind": "events"}


def test_patients_with_nothing_are_isolated_nodes():
    exported = to_networkx(graph_from_cohort(make_cohort(20, environments=None)))
    assert ("patient", "p0003") in set(networkx.isolates(exported))
    assert "environment" not in exported.nodes["patient", "p0003"]


def test_the_guard_names_the_option():
    graph = graph_from_cohort(make_cohort(40))
    with pytest.raises(InputError, match=r"the graph has 45 nodes, more than max_nodes=44\. .* say max_nodes=45"):
        to_networkx(graph, max_nodes=44)
    assert to_networkx(graph, max_nodes=45).number_of_nodes() == 45
