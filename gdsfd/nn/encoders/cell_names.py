"""Names of feature nodes, for people who look at what a model or a mask does with them."""

from __future__ import annotations

from gdsfd.cohort.schema import CohortSchema, ModalityFields

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
        with_values, without = _names(fields)
        valued += [(fields.name, name) for name in with_values]
        indicators += [(fields.name, name) for name in without]
    return valued + indicators


def _names(fields: ModalityFields) -> tuple[list[str], list[str]]:
    """Names of a modality's nodes with values, and of those that are only there or not."""
    if fields.kind == "table":
        levels = [
            f"{column} = {level}"
            for column, known in zip(fields.categorical, fields.levels)
            for level in ("[unseen]", *known)
        ]
        return list(fields.numeric), levels
    if fields.kind == "events":
        return list(fields.items), []
    if fields.kind == "codes":
        return ["[count]"], ["[rare]", "[blank]", *fields.codes]
    return ["[vector]"], []
