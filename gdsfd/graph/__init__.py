"""The patient-modality graph: made from a cohort, stored, taken apart, looked at, and handed to networks in batches.

The public names load on first use; each brings in torch and PyG.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdsfd.graph.availability import pattern_table, presence_of, presence_table
    from gdsfd.graph.build import audit, build_graph
    from gdsfd.graph.edge_layout import EdgeLayout
    from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
    from gdsfd.graph.loader import PatientLoader, rows_of
    from gdsfd.graph.modality_ablation import drop_modalities, keep_modalities
    from gdsfd.graph.networkx_view import to_networkx
    from gdsfd.graph.patient_batch import PatientBatch
    from gdsfd.graph.patient_graph import PatientGraph
    from gdsfd.graph.patient_store import PatientStore
    from gdsfd.graph.pyg_view import to_pyg_view
    from gdsfd.graph.serialization import load_graph, save_graph

__all__ = [
    "EdgeLayout",
    "PatientBatch",
    "PatientGraph",
    "PatientLoader",
    "PatientStore",
    "audit",
    "build_graph",
    "drop_modalities",
    "edge_type",
    "graph_from_cohort",
    "keep_modalities",
    "load_graph",
    "pattern_table",
    "presence_of",
    "presence_table",
    "rows_of",
    "save_graph",
    "to_networkx",
    "to_pyg_view",
]

#: Public name -> its module. ``summary``, ``flatten`` and ``take_patients`` are modules of the same name: import them
#: from there, or from ``gdsfd``.
_HOME = {
    "EdgeLayout": "edge_layout",
    "PatientBatch": "patient_batch",
    "PatientGraph": "patient_graph",
    "PatientLoader": "loader",
    "PatientStore": "patient_store",
    "audit": "build",
    "build_graph": "build",
    "drop_modalities": "modality_ablation",
    "edge_type": "from_cohort",
    "graph_from_cohort": "from_cohort",
    "keep_modalities": "modality_ablation",
    "load_graph": "serialization",
    "pattern_table": "availability",
    "presence_of": "availability",
    "presence_table": "availability",
    "rows_of": "loader",
    "save_graph": "serialization",
    "to_networkx": "networkx_view",
    "to_pyg_view": "pyg_view",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
