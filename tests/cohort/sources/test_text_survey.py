from __future__ import annotations

import io
import random

import pytest

import gdsfd.cohort.sources.text_survey as text_survey
from gdsfd.cohort.sources.text_survey import TextSurvey, survey_text
from gdsfd.errors import InputError


def slow(raw: bytes) -> tuple[int, int, int, int, int, int]:
    """Records, blank lines, and line ends of each kind, letter by letter."""
    ends = {b"\n": 0, b"\r\n": 0, b"\r": 0}
    records = blank = longest = 0
    inside, place, start = False, 0, 0
    while place < len(raw):
        if raw[place : place + 1] == b'"':
            inside = not inside
        end = next((end for end in (b"\r\n", b"\n", b"\r") if raw.startswith(end, place)), None)
        if end and not inside:
            ends[end] += 1
            records, blank = (records + 1, blank) if place > start else (records, blank + 1)
            place += len(end)
            longest, start = max(longest, place - start), place
        else:
            place += 1
    if start < len(raw):
        records, longest = records + 1, max(longest, len(raw) - start)
    return records, blank, ends[b"\n"], ends[b"\r\n"], ends[b"\r"], longest


def numbers(found: TextSurvey) -> tuple[int, int, int, int, int, int]:
    return found.records, found.blank, found.lf, found.crlf, found.cr, found.longest


def made_up(draw: random.Random) -> bytes:
    """A regular CSV file whose line ends are those of one or two kinds."""
    ends = draw.choice([["\n"], ["\r\n"], ["\n", "\r\n"], ["\r"]])
    cells = ["", "1", "é", '"a,b"', '"two\nlines"', '"two\r\nlines"', '"say ""x"""', '""', '" "', '"\r"']
    lines = [",".join(draw.choice(cells) for _ in range(draw.choice([0, 2, 2, 2]))) for _ in range(draw.randint(1, 12))]
    text = "".join(line + draw.choice(ends) for line in ["id,x", *lines])
    return (text + draw.choice(["", "1,2", '1,"2"'])).encode()


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 1 << 22])
def test_equals_counting_letter_by_letter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_survey, "_CHUNK_BYTES", chunk)
    draw = random.Random(chunk)
    for _ in range(300):
        raw = made_up(draw)
        assert numbers(survey_text(io.BytesIO(raw), "a.csv", ",")) == slow(raw), raw


@pytest.mark.parametrize("chunk", [1, 4, 1 << 22])
def test_quotes_inside_unquoted_fields_are_letters(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_survey, "_CHUNK_BYTES", chunk)
    raw = b'id,size\n1,5" tube\n2,3\n3,"7"" tube"\n4,9"\n'
    found = survey_text(io.BytesIO(raw), "a.csv", ",")
    assert not found.regular
    assert (found.records, found.lf, found.longest) == (5, 5, len(b'3,"7"" tube"\n'))


def test_doubled_carriage_returns_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for chunk in (1, 3, 1 << 22):
        monkeypatch.setattr(text_survey, "_CHUNK_BYTES", chunk)
        found = survey_text(io.BytesIO(b"id,x\r\r\n1,2\r\r\n"), "a.csv", ",")
        assert (found.doubled, found.crlf, found.cr, found.records) == (2, 2, 0, 2)


def test_a_byte_order_mark_belongs_to_no_record() -> None:
    assert survey_text(io.BytesIO(b'\xef\xbb\xbf"id",x\n1,2\n'), "a.csv", ",").regular


@pytest.mark.parametrize("chunk", [1, 3, 1 << 22])
@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (
            b"id,x\n1,caf\xe9\n",
            r"a.csv is not UTF-8 at line 2 \('.*' if it is LATIN1\); .* iconv -f LATIN1 -t UTF-8 OLD",
        ),
        (b"id,x\n1,2\n1,\x93so\x94\n", r"not UTF-8 at line 3 .* iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW"),
        ("id,x\n1,é".encode()[:-1], "not UTF-8 at line 2"),
        ("id,é\n1,é\n".encode() + b"1,\xff\n", "not UTF-8 at line 3"),
        (b"id,x\n1,2\n1,a\x00b\n", r"a.csv holds a NUL byte at line 3; text has none"),
    ],
)
def test_what_is_not_text_is_named_with_its_line(
    raw: bytes, message: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_survey, "_CHUNK_BYTES", chunk)
    with pytest.raises(InputError, match=message):
        survey_text(io.BytesIO(raw), "a.csv", ",")


def test_an_endless_record_is_a_broken_quote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_survey, "MAX_RECORD_BYTES", 1000)
    for raw in (
        b"id,x\n1,2\n" + b"3," + b"y" * 2000 + b"\n",
        b'id,x\n1,2\n3,"' + b"y\n" * 1000,
    ):
        with pytest.raises(InputError, match=r"record that begins at line \d+ has .* Is a quote in it not closed?"):
            survey_text(io.BytesIO(raw), "a.csv", ",")
    raw = b'id,x\n1,2\n3,"y" z\n' + b"4,5\n" * 900  # irregular, but no record of it is long
    assert survey_text(io.BytesIO(raw), "a.csv", ",").longest < 1000
