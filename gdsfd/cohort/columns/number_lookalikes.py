"""Numbers that do not look like one: ``8,4``, ``7.4 mg/L``, ``<0.01``, ``1,200``, ``7.4 H``, ``120/80``.

A spreadsheet reads such cells as text, and a column of them would become a category of values nobody has twice. Here is
the grammar of what people and analysers write around a number, and which words stand where a number is missing.

What merely contains a digit is no number: codes (``E11.9``), ranges and bands (``0-10``), grades (``1+``, ``Stage 3``),
dates and times stay text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Lookalikes", "is_missing_word", "judge_texts", "number_in"]

#: Distinct numbers that a column needs before a word, a slash or a sign that a category may have counts as decoration.
_MANY = 10
#: Share of the cells behind one decoration that must write the same word.
_SAME = 0.95

_WORDS = (
    "na n/a n.a. n.a #n/a #na <na> nan nat null nil none . .. - -- --- – — ? ?? ??? * x unknown unk ukn unavail "
    "unavailable missing miss blank empty nd n/d n.d. n.d nr n/r nm n/m nt n/t ns n/s tnp qns pending tbd tba "
    "todo refused declined cancelled canceled error err #error invalid void inf -inf +inf infinity -infinity "
    "#value! #div/0! #ref! #num! #name? #null! hemolyzed haemolysed hemolysed clotted insufficient undetermined "
    "undefined indeterminate inconclusive undetected bdl bld blq bloq lod <lod <loq loq"
)
_PHRASES = (
    "not done", "not available", "not applicable", "not measured", "not tested", "not recorded", "not known",
    "not reported", "not detected", "not performed", "not given", "not assessed", "not entered", "not collected",
    "no data", "no value", "no result", "no sample", "none detected", "no record", "see note", "see comment",
    "see text", "test not performed", "sample hemolyzed", "quantity not sufficient", "below detection limit",
    "below detection", "below limit", "unable to measure", "unable to obtain", "on request",
)  # fmt: skip
_MISSING = frozenset(_WORDS.split()) | frozenset(_PHRASES)

_PLAIN = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[+-]?\d+)?"
_GROUPED = (
    r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3})+(?:\.\d+)?|(?:\.\d{3}){2,}(?:,\d+)?|(?:\.\d{3})+,\d+|"
    r"([ '_])\d{3}(?:\1\d{3})*(?:[.,]\d+)?)"
)
_INDIAN = r"[+-]?\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?"
_POWER = r"[+-]?\d+(?:[.,]\d+)?\s*[x*·]\s*10\s*(?:\^|\*\*|e)?\s*[+-]?\d{1,2}"
_NUMBER = re.compile(rf"(?:{_POWER}|{_GROUPED}|{_INDIAN}|{_PLAIN})", re.IGNORECASE)
_COMPARED = re.compile(
    r"(?:<=|>=|=<|=>|<<|>>|<|>|≤|≥|⩽|⩾|≪|≫|~|≈|±|(?:less|more|greater|lower|higher|fewer) than(?: or equal(?: to)?)?|"
    r"(?:below|above|under|over|approx(?:imately)?|about|around|ca|circa|up to|"
    r"at least|at most|lt|gt)\b\.?)\s*",
    re.IGNORECASE,
)
_FRACTION = re.compile(r"\d{1,3}(?:[.,]\d+)?\s*/\s*\d{1,3}(?:[.,]\d+)?")
_FLAG = re.compile(
    r"\s*(?:[*#!^†‡§↑↓]+|\s(?:hh?|ll?|crit|high|low|norm(?:al)?|abn(?:ormal)?|critical|h\*|l\*)|"
    r"\s*[\[(](?:hh?|ll?|a|n|c|crit|high|low|norm(?:al)?|abn(?:ormal)?|critical|[*+-]+)[\])])$",
    re.IGNORECASE,
)
_FLAG_BEFORE = re.compile(r"(?:[*#!^↑↓]+\s*|(?:hh?|ll?)\s+)", re.IGNORECASE)
_CURRENCY = re.compile(r"(?:[$€£¥₹]|us\$|usd|eur|gbp|chf|inr|jpy|cny|rs\.?)\s*", re.IGNORECASE)
_ATOM = (
    r"(?:percent|pct|[mµukn]?mol|[mµukn]?osm|[mµ]?eq|mval|kg|mg|µg|ug|mcg|ng|pg|fg|lbs?|oz|dl|ml|cl|µl|ul|fl|nl|pl|"
    r"cm|mm|µm|um|nm|km|inch(?:es)?|ft|feet|[mµku]?iu|units?|[mkµ]u|ms|msec|secs?|seconds?|mins?|minutes?|hrs?|hours?|"
    r"days?|wks?|weeks?|mos?|months?|yrs?|years?|y/o|yo|bpm|beats|breaths|mmhg|cmh2o|mmh2o|inhg|kpa|hpa|mpa|pa|bar|mbar|"
    r"torr|k?hz|k?cal|k?j|mv|ma|kw|dyn(?:es?)?|cells?|copies|cop|cfu|log(?:10)?|leuk(?:o|ocytes)?|rbc|wbc|mets?|"
    r"points?|pts|score|ppm|ppb|gtts?|drops?|puffs?|tabs?|tablets?|caps?|capsules?|pack-?years?|py|cc|deg(?:rees)?|"
    r"celsius|fahrenheit|kelvin|fio2|ratio|index|cigarettes|times|hpf|lpf|gtt|mmol|"
    r"10\s*(?:\^|\*\*?|e)?\s*\d{1,2}|x\s*10\s*(?:\^|\*\*?|e)?\s*\d{1,2}|%|‰|°\s*[cfk]?)"
)
_LETTER, _FIRST_LETTER = "[glhmsuvkcfdynajwx°]", "[glhmsuvkcfdy°]"
_UNIT = re.compile(
    rf"\s*(?:{_ATOM}|[/ ]\s*(?:{_ATOM}|{_FIRST_LETTER}))"
    rf"(?:\s*[/*·.^ x-]?\s*(?:{_ATOM}|{_LETTER}|m²|m2|m\^2|1\.73\s*m(?:²|2|\^2)?|\d{{1,2}}|-1|-2))*\.?",
    re.IGNORECASE,
)
_LETTER_UNIT = re.compile(r"(?:g|l|h|m|s|u|v|k|c|f|d|y)(?:/(?:l|dl|h|min|d|day|kg))?", re.IGNORECASE)
_WORD = re.compile(r"\s*[^\W\d_][^\d<>=]{0,30}$")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)$", re.IGNORECASE)
_REMARK = re.compile(r"\s*[\[(].*[\])]$")
_BEFORE = re.compile(r"[^\W\d_][\w ]{0,20}?\s*[:=]\s*(?=[+-]?[\d.,])|[^\W\d_]{1,20}\s+(?=[+-]?\d+[.,]\d)")

_SIGNS: dict[int, str | None] = {
    **dict.fromkeys([0x09, 0xA0, *range(0x2002, 0x200B), 0x202F, 0x205F, 0x3000], " "),
    **dict.fromkeys(map(ord, "\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d"), "-"),
    **dict.fromkeys(map(ord, "\u2019\u02bc\u2032\u00b4`"), "'"),
    **dict.fromkeys(map(ord, "\u200b\u200e\u200f\ufeff\u2060"), None),
    ord("\u066b"): ".",
    ord("\u066c"): ",",
    ord("\u00d7"): "x",
    ord("\u22c5"): "·",
    ord("\u00b5"): "µ",
    ord("\u03bc"): "µ",
}
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")


@dataclass
class Lookalikes:
    """What the texts of a column look like.

    Args:
        cells: Measured cells.
        numbers: Those that are numbers as written.
        decorated: Those that are numbers once a decoration is taken off.
        missing: Those that say that there is no value.
        kinds: Decorations by name, with their cells.
        words: The words that say that there is no value, with their cells.
    """

    cells: int
    numbers: int
    decorated: int = 0
    missing: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)

    @property
    def mostly_numbers(self) -> bool:
        """Whether more than half of the cells that say a value are numbers, decorated or not."""
        return self.numbers + self.decorated > 0 and 2 * (self.numbers + self.decorated) > self.cells - self.missing


def is_missing_word(text: str) -> bool:
    """Whether a cell says that there is no value.

    Example:
        >>> is_missing_word("N/A"), is_missing_word("not done"), is_missing_word("ward")
        (True, True, False)
    """
    return " ".join(text.lower().split()) in _MISSING


def number_in(text: str) -> tuple[str, str]:
    """The kind of what is written around a cell's number, and the number as written; blank where there is none.

    Example:
        >>> number_in("7.4 mg/L"), number_in("8.4"), number_in("ward 3")
        (('a unit', '7.4'), ('a number', '8.4'), ('', ''))
    """
    kind, number, _ = _parts(text)
    return kind, number


def judge_texts(texts: Sequence[str], counts: Sequence[int], numbers: Sequence[bool]) -> Lookalikes:
    """Counts numbers, decorated numbers and missing words among a column's texts.

    Args:
        texts: The distinct texts.
        counts: Cells of each.
        numbers: Whether each is a number as written.

    Example:
        >>> judge_texts(["8,4", "7.1", "NA"], [3, 1, 2], [False, True, False]).mostly_numbers
        True
    """
    found = Lookalikes(int(sum(counts)), int(sum(count for count, plain in zip(counts, numbers) if plain)))
    held: dict[str, list[tuple[str, str, int]]] = {}
    bare = {text for text, plain in zip(texts, numbers) if plain}
    for text, count, plain in zip(texts, counts, numbers):
        if plain:
            continue
        if is_missing_word(text):
            found.missing += count
            found.words[text] += count
            continue
        kind, number, decoration = _parts(text)
        if kind:
            held.setdefault(kind, []).append((number, decoration, count))
    for kind in sorted(held, key=lambda kind: kind in _DOUBTFUL):
        entries = held[kind]
        if _counts(kind, entries, bare):
            cells = sum(count for *_, count in entries)
            found.decorated += cells
            found.kinds[kind] += cells
            bare.update(number for number, *_ in entries if kind != "a comparison")
    return found


_DOUBTFUL = (
    *("a comparison", "a fraction", "a word", "a remark", "a word before", "an ordinal", "a letter", "a sign behind"),
)


def _counts(kind: str, entries: list[tuple[str, str, int]], bare: set[str]) -> bool:
    """Whether a kind of decoration can be one in this column, or may as well be the name of a category."""
    if kind not in _DOUBTFUL:
        return True
    distinct = len({number for number, *_ in entries})
    if kind == "a comparison":  # "<65" against ">=65" are two groups; beside numbers they are limits
        return bool(bare) or distinct > _MANY
    if distinct <= _MANY:
        return False
    if kind in ("a word", "a word before", "a letter"):
        words: Counter[str] = Counter()
        for _, decoration, count in entries:
            words[decoration.lower()] += count
        if words.most_common(1)[0][1] < _SAME * sum(words.values()):
            return False
    if kind == "a word before":
        return 2 * sum(bool(re.search(r"\d[.,]\d", number)) for number, *_ in entries) > len(entries)
    return True


def _parts(text: str) -> tuple[str, str, str]:
    """The decoration's kind (blank: no number), the number, and what stands around it."""
    plain = _without_signs(text)
    if not any(sign.isdigit() for sign in plain):
        return "", "", ""
    if _FRACTION.fullmatch(plain):
        return "a fraction", plain, ""
    for strip, kind in ((r'="(.*)"', "quotes"), (r"'+(.*?)'*", "quotes"), (r'"+(.*?)"+', "quotes")):
        inner = re.fullmatch(strip, plain)
        if inner:
            return _again(kind, inner[1])
    inner = re.fullmatch(r"[(\[]\s*([^()\[\]]*?)\s*[)\]]", plain)
    if inner:
        return _again("brackets", inner[1])
    whole = _NUMBER.fullmatch(plain)
    if whole:
        return _kind_of_number(plain, text), plain, ""
    if plain.startswith("="):
        return _again("an equals sign", plain[1:].strip())
    compared = _COMPARED.match(plain)
    if compared:
        kind, number, around = _again("a comparison", plain[compared.end() :])
        return ("a comparison" if kind else ""), number, around
    for before, kind in ((_CURRENCY, "a currency"), (_FLAG_BEFORE, "a flag")):
        match = before.match(plain)
        if match and match.end():
            found = _again(kind, plain[match.end() :])
            if found[0]:
                return found
    match = _NUMBER.match(plain)
    if match is None:
        named = _BEFORE.match(plain)
        if named:
            kind, number, _ = _again("a word before", plain[named.end() :])
            return ("a word before" if kind else ""), number, named[0].strip(" :=")
        return "", "", ""
    return _behind(plain[: match.end()], plain[match.end() :])


def _behind(number: str, rest: str) -> tuple[str, str, str]:
    if rest == "-":
        return "a sign behind", number, rest
    if rest.strip() in tuple(".,;:'\""):
        return "a trailing sign", number, rest
    if re.fullmatch(rf"\s*(?:±|\+/-)\s*{_PLAIN}", rest):
        return "a tolerance", number, rest
    flag = _FLAG.fullmatch(rest)
    if flag:
        return "a flag", number, rest.strip()
    if _CURRENCY.fullmatch(rest.strip()):
        return "a currency", number, rest.strip()
    if _UNIT.fullmatch(rest):
        return "a unit", number, rest.strip()
    if _ORDINAL.fullmatch(rest):
        return "an ordinal", number, ""
    if _LETTER_UNIT.fullmatch(rest) or re.fullmatch(r"\s*[^\W\d_]", rest):
        return "a letter", number, rest.strip()
    flagged = re.search(_FLAG.pattern, rest, re.IGNORECASE)
    if flagged and flagged.start() and _UNIT.fullmatch(rest[: flagged.start()]):
        return "a unit and a flag", number, rest.strip()
    if _REMARK.fullmatch(rest):
        return "a remark", number, rest.strip()
    return ("a word", number, rest.strip()) if _WORD.fullmatch(rest) else ("", "", "")


def _again(kind: str, rest: str) -> tuple[str, str, str]:
    """The kind, when what is left is a number or one more decoration around it."""
    rest = rest.strip()
    if not rest:
        return "", "", ""
    if _NUMBER.fullmatch(rest):
        return kind, rest, ""
    inner, number, around = _parts(rest)
    return (kind if inner else ""), number, around


def _kind_of_number(plain: str, written: str) -> str:
    if re.search(r"[x*·]", plain):
        return "a power of ten"
    if re.fullmatch(r"[+-]?\d*,\d*(?:e[+-]?\d+)?", plain, re.IGNORECASE) and not re.fullmatch(_GROUPED, plain):
        return "a decimal comma"
    if re.fullmatch(_GROUPED, plain) or re.fullmatch(_INDIAN, plain):
        return "thousands separators"
    return "unusual signs" if plain != written.strip() else "a number"


def _without_signs(text: str) -> str:
    """Digits of any script as ASCII, one kind of blank, minus and apostrophe."""
    text = _SUPERSCRIPT.sub(lambda found: "^" + unicodedata.normalize("NFKC", found[0]).replace("−", "-"), text)
    text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text.translate(_SIGNS))
    return unicodedata.normalize("NFKC", text).translate(_SIGNS).replace("10^^", "10^").strip()
