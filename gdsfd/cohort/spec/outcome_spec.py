"""OutcomeSpec: what is predicted, and which values mean what."""

from __future__ import annotations

from itertools import combinations

from pydantic import Field, model_validator

from gdsfd.cohort.keys.spellings import equal_values
from gdsfd.cohort.spec.field_types import Labels, Name, SpecFields

__all__ = ["OutcomeSpec"]


class OutcomeSpec(SpecFields):
    """What is predicted.

    Values are compared as text, and numerically where both sides are numbers: ``1``, ``"1"`` and ``"1.0"`` are equal.

    Args:
        name: The outcome's name.
        column: Column of the cohort table (or joined, or derived).
        positive: Value or values of the positive class of a binary outcome.
        negative: Value or values of the negative class; default: every other value that is not blank.
        classes: Instead of ``positive``: the values of a multi-class outcome, in order.
        missing: Values that mean "unlabelled". ``positive``, ``negative``, ``classes`` and ``missing`` take texts and
            finite numbers, up to 1,000 of them; a value stands in one of them.
    """

    name: Name
    column: str
    positive: Labels = Field(default=[])
    negative: Labels = Field(default=[])
    classes: Labels = Field(default=[])
    missing: Labels = Field(default=[])

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is read from."""
        return (self.column,)

    @model_validator(mode="after")
    def _one_way_of_labelling(self) -> OutcomeSpec:
        if bool(self.positive) == bool(self.classes):
            raise ValueError("expected either 'positive' (binary) or 'classes' (several classes)")
        if self.classes and self.negative:
            raise ValueError("'negative' goes with 'positive', not with 'classes'")
        if self.classes and len({str(value) for value in self.classes}) < max(2, len(self.classes)):
            raise ValueError(f"expected at least two different classes, got {self.classes}")
        self.check_lists()
        return self

    def check_lists(self) -> None:
        """Refuses a value that stands in two of the lists.

        Raises:
            ValueError: Names both.
        """
        lists = {"positive": self.positive, "negative": self.negative, "missing": self.missing}
        parts = [
            *((field, value) for field, values in lists.items() for value in values),
            *((f"classes[{number}]", value) for number, value in enumerate(self.classes)),
        ]
        for (field, value), (other, again) in combinations(parts, 2):
            if field != other and (equal_values(str(value), again) or equal_values(str(again), value)):
                raise ValueError(f"{field} has {value!r} and {other} has {again!r}, which are equal; keep one")
