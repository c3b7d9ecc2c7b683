"""Names of feature nodes: one each, in the order of the nodes, and what they say is so."""

from __future__ import annotations

import torch
from torch_geometric.data import HeteroData

from gdsfd.graph.from_cohort import edge_type
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders import cell_names
from tests.nn.encoders.built_cells import cell_tokens


def test_names_follow_the_nodes(graph: HeteroData) -> None:
    names = cell_names(graph.schema)
    tokens = cell_tokens(graph)
    assert len(names) == len(set(names)) == tokens.num_nodes
    assert names[:4] == [("chart", "age"), ("chart", "pressure"), ("chart", "creatinine"), ("labs", "heart_rate")]
    layout = tokens(PatientStore(graph).batch(torch.tensor([0, 1, 2])))[1]
    expected = set()
    for name in ("chart", "diagnosis"):
        edges = graph[edge_type(name)]
        fields = graph.schema.modalities[graph.schema.names.index(name)]
        for observation in (edges.edge_index[0] <= 2).nonzero().squeeze(1).tolist():
            place = int(edges.edge_index[0, observation])
            if name == "chart" and edges.categorical[observation, 0] >= 2:
                level = fields.levels[0][int(edges.categorical[observation, 0]) - 2]
                expected.add((place, ("chart", f"unit = {level}")))
            if name == "diagnosis":
                codes = edges.code[edges.run_ptr[observation] : edges.run_ptr[observation + 1]].tolist()
                expected |= {(place, ("diagnosis", fields.codes[code - 2])) for code in codes if code >= 2}
    found = {(int(patient), names[node]) for patient, node in zip(layout.patient, layout.modality)}
    assert expected
    assert expected <= found
