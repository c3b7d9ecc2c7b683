"""The spec: which exports make up a cohort, and how they are read."""

from gdsfd.cohort.spec.models import (
    CodesSpec,
    CohortSpec,
    CohortTable,
    EmbeddingSpec,
    EventsSpec,
    JoinSpec,
    ModalitySpec,
    OutcomeSpec,
    SplitSpec,
    TableSpec,
    load_spec,
)

__all__ = [
    "CodesSpec",
    "CohortSpec",
    "CohortTable",
    "EmbeddingSpec",
    "EventsSpec",
    "JoinSpec",
    "ModalitySpec",
    "OutcomeSpec",
    "SplitSpec",
    "TableSpec",
    "load_spec",
]
