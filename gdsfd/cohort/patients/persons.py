"""Words and numbers that stand in a column of persons where the person is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gdsfd.cohort.keys.spellings import reads_as_missing
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import InputError, cell_text, shown

__all__ = ["check_persons"]

_MOST_STAYS = 20  #: patients that persons have on average; more are doubted
_MANY, _TIMES_THE_NEXT = 10, 5  #: a person with so many patients, and so many times those of any other, is doubted


def check_persons(cells: Sequence[str | None], column: str, label: str, show_ids: bool = False) -> list[Finding]:
    """Refuses a word for "unknown" as the person of several patients, and doubts a person with very many.

    All patients of a person are in one split and count as one in intervals, so strangers under one name are neither
    shared out nor counted as the patients they are.

    Args:
        cells: The person of each patient; None = blank, a person of its own.
        column: The column that names persons.
        label: The cohort table, for messages.
        show_ids: Whether the warning names the person.

    Returns:
        A warning, or none.

    Raises:
        InputError: Several patients have such a word.

    Example:
        >>> check_persons(["a", "b", None], "person", "stays.csv")
        []
    """
    counts = Counter(cell for cell in cells if cell is not None)
    words = [cell for cell, count in counts.items() if count > 1 and reads_as_missing(cell)]
    if words:
        patients = sum(counts[word] for word in words)
        raise InputError(
            f"{label}: {patients:,} patients have {shown(words)} in column {column!r} (cohort.subject) and would count "
            "as one person. Blank it, so that each is a person of its own: "
            f'cohort.derive = {{person = "nullif({column}, {_sql(words[0])})"}} and cohort.subject = "person"'
        )
    mean = sum(counts.values()) / max(len(counts), 1)
    if len(counts) > 1 and mean > _MOST_STAYS:
        text = (
            f"{sum(counts.values()):,} patients are {len(counts):,} persons, {mean:.0f} each: is {column!r} a column "
            "of persons, or of sites or wards? All patients of one are in one split and count as one in intervals"
        )
        return [Finding("subjects", column, text, mean)]
    common = counts.most_common(2)
    if not common or common[0][1] < _MANY or (len(common) > 1 and common[0][1] < _TIMES_THE_NEXT * common[1][1]):
        return []
    person, count = common[0]
    name = f", {cell_text(person)}," if show_ids or not person.strip("09-.") else ""
    text = (
        f"one person{name} has {count:,} of {len(cells):,} patients, and nobody else more than "
        f"{common[1][1] if len(common) > 1 else 0:,}: is it a number for an unknown person? All its patients are in "
        "one split and count as one person in intervals; nullif() in cohort.derive makes each a person of its own"
    )
    return [Finding("subjects", column, text, float(count))]


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
