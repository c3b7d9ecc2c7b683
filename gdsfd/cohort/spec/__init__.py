"""The spec: which exports make up a cohort, and how they are read."""

from gdsfd.cohort.spec.cohort_spec import CohortSpec, CohortTable, load_spec
from gdsfd.cohort.spec.join_spec import JoinSpec
from gdsfd.cohort.spec.modality_spec import CodesSpec, EmbeddingSpec, EventsSpec, ModalitySpec, TableSpec
from gdsfd.cohort.spec.outcome_spec import OutcomeSpec
from gdsfd.cohort.spec.split_spec import SplitSpec
from gdsfd.cohort.spec.survival_spec import SurvivalSpec

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
    "SurvivalSpec",
    "TableSpec",
    "load_spec",
]
