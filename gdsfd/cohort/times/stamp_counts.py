"""What a column of timestamps holds by the clock and the calendar, of all rows and of each environment's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis

__all__ = ["PLACE", "StampCounts", "count_stamps", "with_parts"]

PLACE = "place"  #: column with the number of a row's environment


@dataclass(frozen=True)
class StampCounts:
    """Timestamps of one environment, counted.

    Args:
        measured: Cells that are not blank.
        dates: At midnight, among them dates without a time of day.
        beyond_noon: From 13:00 to 0:59, midnight left out: what a clock of twelve hours has not.
        early: From 1:00 to 5:59.
        late_days: After the twelfth of a month: days that cannot be read as months.
    """

    measured: int = 0
    dates: int = 0
    beyond_noon: int = 0
    early: int = 0
    late_days: int = 0

    def __add__(self, other: StampCounts) -> StampCounts:
        return StampCounts(
            self.measured + other.measured,
            self.dates + other.dates,
            self.beyond_noon + other.beyond_noon,
            self.early + other.early,
            self.late_days + other.late_days,
        )


def with_parts(rows: Any) -> Any:
    """Rows with a column ``stamp``, and columns of its parts: said once each, as the query would else repeat them.

    Args:
        rows: The rows.
    """
    stamp = rows.stamp
    return rows.mutate(day=stamp.truncate("D"), year=stamp.year(), month_day=stamp.day(), hour=stamp.hour())


def count_stamps(
    rows: Any, fetch: Callable[[Any], Any], **values: Any
) -> tuple[dict[str, int], dict[int, StampCounts]]:
    """Counts dates alone, dates that stand for none, and times of day, in the pass that other counts take.

    Args:
        rows: Rows of :func:`with_parts`; where they have a column :data:`PLACE`, each environment is counted, too.
        fetch: Runs an expression.
        values: Name -> another count over the rows.

    Returns:
        Name -> count of all rows: those asked for, and ``stamps``, ``dates``, ``sentinels``, ``beyond``, ``early``,
        ``late_days``; and number of an environment -> its counts.
    """
    values |= _stamp_facts(rows)
    by_place = PLACE in rows.columns
    found = fetch(rows.group_by(PLACE).aggregate(**values) if by_place else rows.aggregate(**values)).to_pylist()
    counted = {name: sum(int(row[name] or 0) for row in found) for name in values}
    places = {
        int(row[PLACE]): StampCounts(*(int(row[name] or 0) for name in _OF_PLACES))
        for row in found
        if by_place and row[PLACE] is not None
    }
    return counted, places


#: Counts that :class:`StampCounts` has, in its order.
_OF_PLACES = ("stamps", "dates", "beyond", "early", "late_days")


def _stamp_facts(rows: Any) -> dict[str, Any]:
    stamp, day, year, hour = rows.stamp, rows.day, rows.year, rows.hour
    none = year.isin([1, 1899, 1900, 9999]) | (year > 9000) | (day == ibis.literal("1970-01-01").cast("timestamp"))
    beyond = ((hour > 12) | (hour == 0)) & (stamp != day)
    return {
        "stamps": stamp.count(),
        "dates": (stamp == day).sum(),
        "sentinels": none.sum(),
        "beyond": beyond.sum(),
        "early": hour.between(1, 5).sum(),
        "late_days": (rows.month_day > 12).sum(),
    }
