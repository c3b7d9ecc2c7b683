"""Types and base classes of the spec's fields: names, values, SQL expressions, sources."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from gdsfd.cohort.spec.numbers import Scalar
from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.errors import SpecError

__all__ = [
    "Labels",
    "Name",
    "Names",
    "NamesOrPattern",
    "Scalars",
    "SourceFields",
    "SpecFields",
    "TableFields",
    "as_texts",
    "listed",
]


def listed(value: Any) -> Any:
    """A list; what is none becomes one of one part."""
    return value if isinstance(value, (list, tuple)) else [value]


def as_texts(value: Any) -> Any:
    """A list of texts; whole numbers, such as hospital ids, may be written without quotes."""
    return [str(part) if type(part) is int else part for part in listed(value)]


Names = Annotated[list[str], BeforeValidator(listed)]
Scalars = Annotated[list[Scalar], BeforeValidator(listed), Field(max_length=10_000)]
Labels = Annotated[list[Scalar], BeforeValidator(listed), Field(max_length=1000)]
Name = Annotated[str, Field(max_length=200)]
#: Names and glob patterns such as ``"e_*"``, in a list or alone.
NamesOrPattern = list[str] | str


def _admit(text: str, named: str) -> None:
    try:
        row_expression(text)
    except SpecError as error:
        raise ValueError(f"{named}{text!r}: {error}") from None


class SpecFields(BaseModel):
    """What all parts of a spec have in common: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class TableFields(SpecFields):
    """A source and columns derived from it."""

    source: Any
    derive: dict[str, str] = {}

    @field_validator("source")
    @classmethod
    def _source_is_readable(cls, value: Any) -> Any:
        if (
            value is None
            or isinstance(value, (bool, int, float, list, dict))
            or (isinstance(value, str) and not value.strip())
        ):
            raise ValueError(f"expected a path, a glob, a DataFrame or an Ibis table, got {value!r}")
        return value

    @field_validator("derive")
    @classmethod
    def _derived_are_expressions(cls, derive: dict[str, str]) -> dict[str, str]:
        for name, text in derive.items():
            _admit(text, f"{name} = ")
        return derive


class SourceFields(TableFields):
    """A source with a row filter."""

    where: str | None = None

    @field_validator("where")
    @classmethod
    def _where_is_an_expression(cls, text: str | None) -> str | None:
        if text is not None:
            _admit(text, "")
        return text
