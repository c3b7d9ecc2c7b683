"""Names of feature nodes, for whoever inspects a model or a mask."""

from __future__ import annotations

from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.schema import CohortSchema

__all__ = ["cell_names"]


def cell_names(schema: CohortSchema) -> list[tuple[str, str]]:
    """Modality and feature of every node of :class:`~gdsfd.nn.encoders.cell_tokens.CellTokens`, in its order.

    Args:
        schema: The cohort's fitted description.

    Returns:
        A pair per node, such as ``("labs", "lactate")``, ``("chart", "unit = MICU")``, ``("diagnosis", "A00")``. What
        has no name in the data stands in brackets: ``"unit = [unseen]"``, ``"[count]"``, ``"[rare]"``, ``"[blank]"``,
        ``"[vector]"``.
    """
    valued, indicators = [], []
    for fields in schema.modalities:
        with_values, without = kind_of(fields).cell_names(fields)
        valued += [(fields.name, name) for name in with_values]
        indicators += [(fields.name, name) for name in without]
    return valued + indicators
