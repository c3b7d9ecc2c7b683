"""What the declared suspects say, for baselines: the codes and margins that networks get."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch_geometric.data import HeteroData

from gdsfd.baselines.suspect_facts import SuspectFacts
from gdsfd.graph.loader import rows_of
from gdsfd.training.suspects.hazard_by_suspects import told_by_suspects
from gdsfd.training.suspects.suspect_codes import suspect_codes

__all__ = ["suspect_facts"]


def suspect_facts(graph: HeteroData, suspects: Sequence[str], rows: Tensor | None = None) -> SuspectFacts:
    """Codes and margins of the declared suspects, the same that an arm with ``margin`` is trained beside.

    Args:
        graph: The graph.
        suspects: Words as in ``Debiaser(suspects=...)``.
        rows: Training rows, int64; default: the graph's split ``train``. Nothing is fitted on any other.

    Example:
        >>> facts = suspect_facts(graph, ("pattern", "environment"))  # doctest: +SKIP
        >>> LogisticMargin().fit(graph, facts)  # doctest: +SKIP
    """
    rows = rows_of(graph, "train") if rows is None else rows
    codes = suspect_codes(graph, suspects, rows)
    patient = graph["patient"]
    found = told_by_suspects(graph.schema, patient.y, codes, rows, patient.subject)
    return SuspectFacts(codes.names, codes.codes.numpy(), codes.sizes, found.margin.double().numpy())
