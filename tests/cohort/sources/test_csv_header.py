from __future__ import annotations

import pytest

from gdsfd.cohort.sources.csv_header import csv_header
from gdsfd.errors import InputError


@pytest.mark.parametrize(
    ("text", "columns", "delimiter", "above"),
    [
        ('\ufeff id ;"heart; rate";x,y\n1;2;3\n', ("id", "heart; rate", "x,y"), ";", 0),
        ("id\n1\n", ("id",), ",", 0),
        ('"id","a ""b"""\n1,2\n', ("id", 'a "b"'), ",", 0),
        ('id,"two\nlines"\n1,2\n', ("id", "two\nlines"), ",", 0),
        # names with other delimiters in them: what the lines below agree on decides
        ("id;rate (a,b,c,d)\n1;2\n3;4\n", ("id", "rate (a,b,c,d)"), ";", 0),
        ("id|a;b;c\n1|2,5\n3|4,5\n", ("id", "a;b;c"), "|", 0),
        ("id;x\n1;2,5\n2;3,5\n", ("id", "x"), ";", 0),
        ("id\tx\n1\t2\n", ("id", "x"), "\t", 0),
        ("id,x,\n1,2,\n", ("id", "x", "column0"), ",", 0),
        # what says nothing above the header is skipped
        ("sep=;\nid;x\n1;2\n", ("id", "x"), ";", 1),
        ('"sep=^"\nid^x\n1^2\n', ("id", "x"), "^", 1),
        ("\n\n\nid,x\n1,2\n", ("id", "x"), ",", 3),
        (",,\n ,\nid,x\n1,2\n", ("id", "x"), ",", 2),
        ("\xa0\nid\xa0,\u200bx\n1,2\n", ("id", "x"), ",", 1),
        ("#id,x\n1,2\n", ("#id", "x"), ",", 0),
        ("id,x\n", ("id", "x"), ",", 0),
        ("id,x\n1,2\n1,2,3\n1,2\n1,2\n", ("id", "x"), ",", 0),  # single odd lines are DuckDB's to report
    ],
)
def test_where_the_header_is(text: str, columns: tuple[str, ...], delimiter: str, above: int) -> None:
    found = csv_header(text, "a.csv")
    assert (found.columns, found.delimiter, found.lines_above) == (columns, delimiter, above)


ROWS = "".join(f"{k},{k},{k}\n" for k in range(9))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.csv is empty; expected a header line"),
        ("\n \n,,\n", "a.csv is empty; expected a header line"),
        ("id,ID\n1,2\n", r"column names must differ .*'ID'.*more than once"),
        ("id,,\n1,2,3\n", "columns 2, 3 of the header have no name"),
        (
            "Export of 2024-01-01\nid,x,y\n" + ROWS,
            r"line 1 is above the header: 'Export of 2024-01-01' has 1 field, .* below have 3; .*tail -n \+2 OLD > NEW",
        ),
        (
            "# made by x\n# on 2024, by y\n\nid,x,y\n" + ROWS,
            r"lines 1 to 2 are above the header: '# made by x' has 1 field.* tail -n",
        ),
        ("x,y\n" + ROWS, r"line 1 has 2 names \('x, y'\) but the lines below have 3 fields; .*row.names = FALSE"),
        ("id,x\n" + ROWS.replace("\n", "\n").replace(",8\n", ",\n"), "line 1 has 2 names"),
        ("id,x\n1,2,\n3,4,\n", "every line but the header ends with a delimiter, so there are 2 names for 3 fields"),
        (
            "id,x,y,z\n" + ROWS,
            r"line 1 has 4 names but the lines below have 3 fields; .* 'id, x, y, z', and below it '0,",
        ),
        ('id,"x' + "y" * 140_000 + "\n1,2\n", "a name is longer than any name should be. Is a quote not closed"),
        ("id," + "y" * 5_000 + "\n1,2\n", r"a column is called 'yyy.*\(5,000 characters\)"),
    ],
)
def test_what_is_no_header_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as got:
        csv_header(text, "a.csv")
    assert len(str(got.value)) < 600


def test_the_last_line_of_an_excerpt_may_be_cut_off() -> None:
    assert csv_header("id,x,y\n1,2,3\n4,5", "a.csv", whole=False).columns == ("id", "x", "y")
