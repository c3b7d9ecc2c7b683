"""Whether a model and a graph speak of the same columns and outcomes."""

from __future__ import annotations

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import SchemaError

__all__ = ["check_outcomes", "check_schema"]


def check_outcomes(expected: CohortSchema, got: CohortSchema) -> None:
    """Refuses to judge a model by another outcome than it was trained for.

    Raises:
        SchemaError: Names both.
    """
    before, now = ([(each.name, each.classes) for each in schema.outcomes] for schema in (expected, got))
    if before != now:
        raise SchemaError(
            f"the model predicts {before}, the graph has the outcomes {now}: build the graph with its spec"
        )


def check_schema(expected: CohortSchema, got: CohortSchema) -> None:
    """Refuses a graph whose modalities were fitted otherwise than the model's.

    Raises:
        SchemaError: Says what differs first, and what to do.
    """
    advice = (
        "build the graph with the model's own vocabularies: build_graph(spec, like=graph), or "
        "`gdsfd build SPEC --like GRAPH`"
    )
    if expected.names != got.names:
        raise SchemaError(
            f"the model knows the modalities {list(expected.names)}, the graph has {list(got.names)}; {advice}"
        )
    for before, now in zip(expected.modalities, got.modalities):
        for part in ("kind", "numeric", "categorical", "levels", "items", "steps", "codes", "width", "scales"):
            if getattr(before, part) != getattr(now, part):
                raise SchemaError(
                    f"modality {before.name!r}: its {part} differ between the model and the graph; {advice}"
                )
