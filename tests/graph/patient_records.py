"""What a graph says of each patient, read with plain loops, for tests of its parts."""

from __future__ import annotations

from torch_geometric.data import HeteroData

from gdsfd.cohort.modality_kind import packed_runs
from gdsfd.graph.check_graph import check_graph
from gdsfd.graph.from_cohort import edge_type


def records(graph: HeteroData) -> dict[str, dict[str, object]]:
    """All that a graph says of each patient, by id, read with plain loops over its edges and pointers."""
    patient = graph["patient"]
    found: dict[str, dict[str, object]] = {}
    for row, own in enumerate(patient.id):
        found[own] = {
            "subject": patient.subject[row],
            "split": patient.split[row],
            "environment": patient.environment[row],
            "groups": {name: values[row] for name, values in patient.groups.items()},
            "y": patient.y[row].tolist().__repr__(),
        }
    for name in graph.schema.names:
        edges = graph[edge_type(name)]
        for edge, row in enumerate(edges.edge_index[0].tolist()):
            held = {}
            for key, value in edges.items():
                pointer = next((one for one, keys in packed_runs().items() if key in keys), None)
                if pointer is not None and pointer in edges:
                    held[key] = value[edges[pointer][edge] : edges[pointer][edge + 1]].tolist()
                elif key not in (*packed_runs(), "edge_index", "row"):
                    held[key] = str(value[edge].tolist())  # as text: NaN is equal to NaN
            found[patient.id[row]][name] = held
    return found


def assert_is_part(part: HeteroData, whole: HeteroData, ids: list[str]) -> None:
    check_graph(part)
    assert part["patient"].id == ids
    before, now = records(whole), records(part)
    assert now == {own: before[own] for own in ids}
