"""What the user declares as possibly biased."""

from __future__ import annotations

from collections.abc import Sequence

from gdsfd.cohort.fields import CohortSchema
from gdsfd.errors import InputError, near_names

__all__ = ["check_suspects", "read_suspects"]

_WHOLE = ("pattern", "environment", "groups")
_FORMS = "'pattern', 'environment', 'groups', 'modality:<name>' or 'column:<modality>.<name>'"


def read_suspects(suspects: str | Sequence[str]) -> tuple[str, ...]:
    """The declared suspects as a tuple.

    Args:
        suspects: One word or several, each ``pattern``, ``environment``, ``groups``, ``modality:<name>`` or
            ``column:<modality>.<name>``.

    Raises:
        InputError: A word of another form.

    Example:
        >>> read_suspects("pattern")
        ('pattern',)
    """
    words = (suspects,) if isinstance(suspects, str) else tuple(suspects)
    for word in words:
        kind, colon, rest = str(word).partition(":")
        whole = word in _WHOLE
        part = bool(colon) and bool(rest) and (kind == "modality" or (kind == "column" and "." in rest))
        if not (whole or part):
            raise InputError(f"suspects: expected {_FORMS}, got {word!r}.{near_names(str(word), _WHOLE)}")
    return words


def check_suspects(suspects: Sequence[str], schema: CohortSchema) -> None:
    """Refuses suspects that name a modality or a column the graph does not have.

    Raises:
        InputError: Names near ones.
    """
    columns = {
        modality.name: [*modality.numeric, *modality.categorical, *modality.items] for modality in schema.modalities
    }
    for word in suspects:
        kind, _, rest = word.partition(":")
        name, _, column = rest.partition(".")
        if kind not in ("modality", "column"):
            continue
        if name not in columns:
            raise InputError(f"suspect {word!r}: there is no modality {name!r}.{near_names(name, columns)}")
        if kind == "column" and column not in columns[name]:
            raise InputError(
                f"suspect {word!r}: modality {name!r} has no column {column!r}.{near_names(column, columns[name])}"
            )
