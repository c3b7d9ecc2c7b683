"""SurvivalSpec: an outcome that is a time to an event, of some patients only known to lie after their follow-up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gdsfd.cohort.spec.field_types import Labels
from gdsfd.cohort.spec.numbers import Intervals, Span
from gdsfd.cohort.spec.outcome_spec import OutcomeSpec

__all__ = ["DEFAULT_INTERVALS", "SurvivalSpec"]

DEFAULT_INTERVALS = 10


class SurvivalSpec(OutcomeSpec):
    """Time to an event, with censoring (``kind = "survival"``). It stands alone: there is no second outcome beside it.

    Follow-up up to the horizon is cut into intervals; a model predicts the hazard of each, the chance that the event
    falls into it of a patient who is at risk when it begins.

    Args:
        name: As in :class:`OutcomeSpec`.
        kind: ``"survival"``; to be written out.
        time: Column of the cohort table (or joined, or derived): from the time of prediction to the event or to the end
            of follow-up, a number of 0 or more, in any unit.
        event: Column that says which of both it is: 1 = the event happened then, 0 = censored, nothing is known later.
        positive: Values of ``event`` in place of 1; then ``negative`` is needed, too.
        negative: Values of ``event`` in place of 0.
        missing: Values of ``event`` that mean "unlabelled"; ``time`` is then blank.
        intervals: How many, 2 to 100; default 10. They end at quantiles of the training patients' event times, so that
            each holds as many events.
        cut_points: In place of ``intervals``: where they end, ascending, above 0; the last is the horizon.
        horizon: Last time that is predicted, with ``intervals``. Default: the last training event that 5 % of the
            training patients, and at least ten, outlive.
        unit: What times are counted in, for reports: ``"days"``.
    """

    kind: Literal["survival"] = "survival"
    time: str
    event: str
    positive: Labels = Field(default=[1])
    negative: Labels = Field(default=[0])
    intervals: Intervals | None = None
    cut_points: Annotated[list[Span], Field(max_length=100)] = Field(default=[])
    horizon: Span | None = None
    unit: Annotated[str, Field(max_length=40)] = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is read from."""
        return (self.time, self.event)

    @model_validator(mode="before")
    @classmethod
    def _its_column_is_that_of_the_event(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping):
            return fields
        event = fields.get("event", "")
        if fields.get("column", event) != event:
            raise ValueError("a survival outcome has 'time' and 'event' in place of 'column'")
        return {**fields, "column": event}

    @model_validator(mode="after")
    def _one_way_of_labelling(self) -> SurvivalSpec:
        if self.time == self.event:
            raise ValueError(f"time and event are both {self.time!r}; they are two columns")
        if self.classes:
            raise ValueError("'classes' does not go with kind = \"survival\"; its event happened (1) or did not (0)")
        given = self.model_fields_set
        if ("positive" in given) != ("negative" in given):
            raise ValueError("expected both 'positive' and 'negative', the values of 'event', or neither (1 and 0)")
        if not self.positive or not self.negative:
            raise ValueError("expected values in 'positive' and in 'negative'")
        self.check_lists()
        return self

    @model_validator(mode="after")
    def _one_way_of_cutting(self) -> SurvivalSpec:
        cuts = self.cut_points
        if cuts and (self.intervals is not None or self.horizon is not None):
            raise ValueError("'cut_points' stands in place of 'intervals' and 'horizon' (its last one is the horizon)")
        if len(cuts) == 1:
            raise ValueError(f"expected two cut points or more, got {cuts}")
        if any(not math.isfinite(cut) or cut <= 0 for cut in cuts) or any(a >= b for a, b in pairwise(cuts)):
            raise ValueError(f"expected cut points above 0 in ascending order, got {cuts}")
        return self
