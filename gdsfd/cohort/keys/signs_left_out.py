"""Codes that are probably one, written with and without the signs inside of them: ``I21.4`` and ``I214``."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gdsfd.cohort.keys.key_forms import pairs_shown, spelling_form
from gdsfd.cohort.receipt.receipt import Finding

__all__ = ["bare_form", "find_signs_left_out"]

_SIGNS = str.maketrans("", "", ".-_/ ")
_SHORTEST = 3  #: letters and digits that a code needs
#: Pairs of codes of digits alone from which on they are told: ``04.11`` and ``411`` may be two codes, a column of
#: ``250.00`` beside ``25000`` is one written in two ways.
_OF_DIGITS, _SHARE = 5, 0.2


def bare_form(key: str) -> str:
    """A key's :func:`~gdsfd.cohort.keys.key_forms.spelling_form` without points, hyphens, strokes and blanks.

    Args:
        key: The key.

    Example:
        >>> bare_form("I21.4"), bare_form("i214"), bare_form("2345-7")
        ('i214', 'i214', '23457')
    """
    return spelling_form(key).translate(_SIGNS)


def find_signs_left_out(where: str, counts: Mapping[str, int], known: Collection[str], noun: str) -> list[Finding]:
    """A finding where keys without any sign inside are others whose signs were left out, or the other way round.

    Args:
        where: For the receipt: ``"diagnosis"``.
        counts: Rows by key, of the keys that are looked at.
        known: What they are held against: the fitted keys, or the same keys.
        noun: What the keys are, in the plural: ``"codes"``.
    """
    by_form: dict[str, dict[bool, str]] = {}
    for key in known:
        form = bare_form(key)
        if len(form) >= _SHORTEST:
            by_form.setdefault(form, {}).setdefault(form == spelling_form(key), key)
    pairs = []
    for key in sorted(counts):
        form = bare_form(key)
        bare = form == spelling_form(key)
        other = by_form.get(form, {}).get(not bare)
        # of two keys that are both looked at, the one without signs is told against the other
        if other is not None and (bare or other not in counts):
            pairs.append((key, other))
    lettered = [pair for pair in pairs if not bare_form(pair[0]).isdigit()]
    digits = len(pairs) - len(lettered)
    if digits < min(_OF_DIGITS, max(2, _SHARE * len(counts))):
        pairs = lettered
    if not pairs:
        return []
    rows = sum(counts[key] for key, _ in pairs)
    text = (
        f"{len(pairs)} {noun} ({rows:,} rows) are written like others but for points, hyphens or blanks inside: "
        f"{pairs_shown(pairs)}. They count as different {noun}; where they are the same, write them alike with derive"
    )
    return [Finding("spelling", where, text, float(len(pairs)))]
