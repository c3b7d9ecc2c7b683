"""When two spellings of a key are probably one: ids, items, codes, levels, join keys, names of sites.

Keys are matched exactly as they are written, always: ``0042``, ``042`` and ``42`` are three codes. The *plain form* of
a key is only for telling why keys do not match: two keys of one plain form differ in nothing but what spreadsheets,
DataFrames and databases do to them on the way (``1e+05`` for ``100000``, ``7.0`` for ``7``, ``7`` for ``007``, blanks,
case, quotes, ``TRUE`` for ``1``, midnight beside a date).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation

from gdsfd.errors import cell_text

__all__ = ["NearKeys", "pairs_shown", "plain_form", "spelling_form"]

#: Keys of lower-case ASCII letters and digits, without a leading zero: they are their own plain form.
_PLAIN = re.compile(r"[1-9][0-9]{0,17}|0|[a-z][a-z0-9_]{5,}|[a-su-z]|[a-z]{2}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,3})?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:([,. '])[0-9]{3})(?:\1[0-9]{3})*(?:\.0*)?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_YEAR_FIRST = re.compile(
    r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[t ]00:00(?::00(?:\.0+)?)?(?:z|[+-]00:?00)?)?"
)
_YEAR_LAST = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})(?: 0?0:00(?::00)?)?")
_MOST_CHARACTERS = 1_000  #: of what is read as a number
_BRACKETS = {"'": "'", '"': '"', "`": "`", "(": ")", "[": "]", "{": "}", "<": ">"}
_TRUTH = {"true": "1", "false": "0"}
_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00ab": '"', "\u00bb": '"'})


def spelling_form(key: str) -> str:
    """A key without what readers do not see: case, blanks of any kind at its ends, kinds of dashes and quotes.

    Args:
        key: The key.

    Example:
        >>> spelling_form(" Male\u00a0"), spelling_form("heart\u2011rate"), spelling_form("007")
        ('male', 'heart-rate', '007')
    """
    if key.isascii():
        return " ".join(key.casefold().split())
    composed = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", key).casefold()).translate(_QUOTES)
    seen = "".join(
        "-" if kind == "Pd" else " " if kind in ("Zs", "Zl", "Zp", "Cc") else character
        for character, kind in ((character, unicodedata.category(character)) for character in composed)
        if kind != "Cf"
    )
    return " ".join(seen.split())


def plain_form(key: str) -> str:
    """A key as every tool would write it, if all of them wrote alike.

    Of the :func:`spelling_form`: without quotes and brackets around it, hyphens of a UUID, an exponent, separators of
    thousands, ``.0`` and zeros before a number; truth values as ``1`` and ``0``; a date at midnight as the date.

    Args:
        key: The key.

    Example:
        >>> [plain_form(key) for key in ("1e+05", "100,000", "100000.00", "'00100000'", "100000")]
        ['100000', '100000', '100000', '100000', '100000']
        >>> plain_form("E11.9"), plain_form("250.0"), plain_form("2020-01-05T00:00:00Z"), plain_form("TRUE")
        ('e11.9', '250', '2020-01-05', '1')
    """
    if _PLAIN.fullmatch(key):
        return key
    form = _unwrapped(spelling_form(key))
    if form in _TRUTH:
        return _TRUTH[form]
    if form[:1] in "0123456789+-." and len(form) <= _MOST_CHARACTERS:
        if _THOUSANDS.fullmatch(form) and not re.fullmatch(r"[+-]?[0-9]{1,3}\.0+", form):
            separator = re.sub(r"[+\-0-9]", "", form)[0]
            if separator != "." or form.count(".") > 1:
                form = form.replace(separator, "")
        if _NUMBER.fullmatch(form):
            return _number(form)
        found = _YEAR_FIRST.fullmatch(form)
        if found:
            return _date(*found.groups())
    if _UUID.fullmatch(form):
        return form.replace("-", "")
    return form


def _unwrapped(form: str) -> str:
    form = form.removeprefix("=")  # ="007" is how spreadsheets are told to keep zeros
    while len(form) > 2 and _BRACKETS.get(form[0]) == form[-1]:
        form = form[1:-1].strip()
    return form[1:] if form.startswith("'") and len(form) > 1 else form


def _number(form: str) -> str:
    try:
        value = Decimal(form)
    except InvalidOperation:
        return form
    if value == value.to_integral_value():
        return str(int(value))
    return format(value.normalize(), "f")


def _date(year: str, month: str, day: str) -> str:
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _dates(key: str) -> list[str]:
    """What a date may mean whose year stands last: day first or month first."""
    found = _YEAR_LAST.fullmatch(_unwrapped(spelling_form(key)))
    if not found:
        return []
    first, second, year = found.groups()
    return list(
        dict.fromkeys(
            _date(year, month, day)
            for month, day in ((first, second), (second, first))
            if int(month) <= 12 and int(day) <= 31
        )
    )


class NearKeys:
    """Finds, for keys that match none of some known ones, known keys of the same plain form.

    Args:
        known: The known keys.
        form: What two spellings of one key have in common.

    Example:
        >>> near = NearKeys(["100000", "7", "x"])
        >>> near.of("1e+05"), near.of("007"), near.of("8")
        ('100000', '7', None)
    """

    def __init__(self, known: Iterable[str], form: Callable[[str], str] = plain_form) -> None:
        self._form = form
        self._by_form: dict[str, str] = {}
        self._by_date: dict[str, str] = {}
        for key in known:
            self._by_form.setdefault(form(key), key)
            if form is plain_form and key[-1:].isdigit() and not key.isdigit():
                for date in _dates(key):
                    self._by_date.setdefault(date, key)

    def of(self, key: str) -> str | None:
        """A known key of the same form, or None. A key that is known itself is of its own form."""
        form = self._form(key)
        found = self._by_form.get(form) or self._by_date.get(form)
        if found is None and self._form is plain_form and key[-1:].isdigit() and not key.isdigit():
            found = next((self._by_form[date] for date in _dates(key) if date in self._by_form), None)
        return found

    def pairs(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Those of some unknown keys that have a near one, each with it, by name."""
        found = ((key, self.of(key)) for key in sorted(keys))
        return [(key, near) for key, near in found if near is not None and near != key]


def pairs_shown(pairs: Sequence[tuple[str, str]], limit: int = 3) -> str:
    """The first pairs in words.

    Args:
        pairs: Each a key and the one it is near to.
        limit: The most pairs shown.

    Example:
        >>> pairs_shown([("1e+05", "100000"), ("7.0", "7")])
        "'1e+05' against '100000', '7.0' against '7'"
    """
    text = ", ".join(f"{cell_text(key)} against {cell_text(near)}" for key, near in pairs[:limit])
    return text if len(pairs) <= limit else f"{text} and {len(pairs) - limit} more"
