"""When two texts are the same word written differently, and which texts stand for "no value"."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["differs_in_spelling", "equal_values", "folded", "parse_scalar", "reads_as_missing"]

_TRUE, _FALSE = ("true", "t", "yes", "y"), ("false", "f", "no", "n")

#: Signs that exports write where there is no value.
_MISSING_SIGNS = frozenset({".", "..", "...", "-", "--", "---", "–", "—", "?", "??", "???", "*", "\\n", "_", "/"})
#: Words for it, folded (see :func:`folded`); other languages' only where they mean nothing else.
_MISSING_WORDS = frozenset(
    {
        *("na", "nan", "nat", "null", "none", "nil", "nk", "unk", "unkn", "ukn", "unknown", "missing", "miss"),
        *("notavailable", "unavailable", "notknown", "notrecorded", "notreported", "notapplicable", "notdone"),
        *("nottested", "notassessed", "notmeasured", "notspecified", "unspecified", "notstated", "notdocumented"),
        *("undefined", "nodata", "novalue", "noinformation", "noanswer", "blank", "empty", "void"),
        *("unbekannt", "keineangabe", "ka", "inconnu", "inconnue", "desconocido", "desconocida", "sconosciuto"),
        *("systemmissing", "1.#qnan", "1.#ind", "#na", "#nana", "#null", "#ref", "#value", "#name", "#num", "#div0"),
    }
)
_TRUTHS = (frozenset({"yes", "y", "true", "t", "1"}), frozenset({"no", "n", "false", "f", "0"}))
_DROPPED = re.compile(r"[\s_'\"`´’‘“”;:!?()\[\]{}|/\\]")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d])[.,\-‐‑–](?=\w)|(?<=\w)[.,\-‐‑–](?=[^\W\d])|[.,]$")


def folded(text: str) -> str:
    """A text without what two spellings of one word may differ in: case, blanks, accents, punctuation.

    Signs that carry meaning stay: ``+``, ``-`` at the edge, ``<``, ``>``, and the comma or point between digits.

    Example:
        >>> folded(" Décédé "), folded("non-small cell"), folded("<1.5"), folded("Rh-")
        ('decede', 'nonsmallcell', '<1.5', 'rh-')
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Mn", "Cf", "Cc"))
    return _BETWEEN_LETTERS.sub("", _DROPPED.sub("", plain))


def differs_in_spelling(text: str, declared: object) -> bool:
    """Whether a cell that does not equal a declared value is probably that value, written differently.

    Args:
        text: The cell.
        declared: The value as the spec has it.

    Example:
        >>> differs_in_spelling("Yes", "yes"), differs_in_spelling("Y", "yes"), differs_in_spelling("1,0", 1)
        (True, True, True)
        >>> differs_in_spelling("no", "yes"), differs_in_spelling(">5", "<5"), differs_in_spelling("10", "1.0")
        (False, False, False)
    """
    words = str(declared).strip()
    number = parse_scalar(words)
    if {words.lower(), text.lower()} & _MISSING_SIGNS or (parse_scalar(text) is not None and number is not None):
        return False  # signs have one spelling; numbers are compared as numbers
    if number is not None and parse_scalar(text.replace(",", ".")) == number:
        return True
    one, other = folded(text), folded(words)
    return bool(one) and (one == other or any(one in truth and other in truth for truth in _TRUTHS))


def reads_as_missing(text: str) -> bool:
    """Whether a text stands for "no value" in exports: ``NA``, ``N/A``, ``null``, ``.``, ``\\N``, ``unknown``, ...

    Example:
        >>> [text for text in ("N/A", "<NA>", ".", "Not available", "no", "0", "negative") if reads_as_missing(text)]
        ['N/A', '<NA>', '.', 'Not available']
    """
    plain = text.strip().lower()
    return plain in _MISSING_SIGNS or folded(plain).strip("<>-") in _MISSING_WORDS


def equal_values(text: str, declared: object) -> bool:
    """Whether a cell means a declared value: as text, as a number, or as a truth value.

    Example:
        >>> equal_values("1.0", 1), equal_values("Expired", "Expired"), equal_values("True", True)
        (True, True, True)
    """
    if isinstance(declared, bool):
        words = _TRUE if declared else _FALSE
        return text.lower() in words or parse_scalar(text) == float(declared)
    if text == str(declared).strip():
        return True
    if text.lower() in ("true", "false"):  # how a column of truth values reads as text; 1 and 0 mean them too
        return str(declared).lower() == text.lower() or parse_scalar(declared) == float(text.lower() == "true")
    number = parse_scalar(text)
    return number is not None and number == parse_scalar(declared)


def parse_scalar(value: object) -> float | None:
    """A declared value as a number, or None: ``-1``, ``"-1"`` and ``-1.0`` are equal.

    Example:
        >>> parse_scalar("-1"), parse_scalar(-1.0), parse_scalar("none")
        (-1.0, -1.0, None)
    """
    if isinstance(value, str) and "_" in value:
        return None
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
