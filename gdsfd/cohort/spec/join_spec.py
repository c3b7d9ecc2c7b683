"""JoinSpec: a look-up table whose columns are put beside rows of the cohort or of a modality."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from gdsfd.cohort.spec.field_types import Names, TableFields, listed

__all__ = ["JoinSpec", "Joins"]


class JoinSpec(TableFields):
    """A look-up table whose columns are put beside the rows of the cohort or of a modality (left join).

    Args:
        source: As in :class:`CohortTable`.
        on: Column that both tables have; unique in the look-up.
        columns: Columns taken from the look-up.
        derive: New columns of the look-up, name -> SQL expression, for example to write its key as the other has it.
    """

    on: str
    columns: Names


#: One look-up or several.
Joins = Annotated[list[JoinSpec], BeforeValidator(listed)]
