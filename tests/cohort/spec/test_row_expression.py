"""What is admitted as one expression over one row, what is refused and how it is called; and that it does the same."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import duckdb
import pytest

from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.errors import SpecError

ROOT = Path(__file__).parents[3]

#: Expressions that clinicians write, with their value for the row of ``ROW``.
TAKEN = {
    "age >= 18 AND NOT (unit = 'ward')": True,
    "CASE WHEN year < 2015 THEN 'early' ELSE 'late' END": "early",
    "CASE unit WHEN 'ICU' THEN 1 END": 1,
    "CASE WHEN TRY_CAST(code AS INT) IS NULL THEN 90 ELSE 1 END": 90,
    "diastolic + (systolic - diastolic) / 3": 80.0,
    "unit IN ('ICU', 'ward') AND age NOT IN (1, 2)": True,
    "age BETWEEN 60 AND 70 AND age NOT BETWEEN 1 AND 2": True,
    "code LIKE 'I%' AND code NOT LIKE '%x' AND code ILIKE 'i1_' AND code NOT ILIKE 'x%'": True,
    "code LIKE 'I#%' ESCAPE '#'": False,
    "code GLOB 'I*' AND code SIMILAR TO 'I[0-9]+' AND code ~ 'I10' AND code !~ 'x'": True,
    "regexp_extract(code, '([0-9]+)', 1)": "10",
    "regexp_replace(code, '[A-Z]', '')": "10",
    "coalesce(nothing, age)": 65,
    "ifnull(nothing, 1) + nullif(age, 65)": None,
    "nothing IS NULL AND age IS NOT NULL AND nothing ISNULL": True,
    "nothing IS DISTINCT FROM age AND (age > 1) IS TRUE": True,
    "if(age > 60, 'old', 'young')": "old",
    "CAST(version AS VARCHAR) || ':' || code": "9:I10",
    "code::VARCHAR(10) || version::TEXT": "I109",
    "CAST('1.50' AS DECIMAL(10, 2))::DOUBLE + '1'::DOUBLE PRECISION": 2.5,
    "greatest(age, 3) - least(age, 3)": 62,
    "round(sqrt(age + 16) * 1.04, 1)": 9.4,
    "-age + 2 ** 3 + 7 // 2 + 7 % 2 + 2 ^ 2 + @(-1)": -48.0,
    "lower(trim(both ' ' FROM '  A ')) || upper(substring('abc' FROM 2 FOR 1))": "aB",
    "position('1' IN code) + length(code) + strpos(code, '0')": 8,
    "left(code, 1) || right(code, 2) || lpad('7', 3, '0') || split_part('a|b', '|', 2)": "I10007b",
    "replace(strip_accents('é,5'), ',', '.')": "e.5",
    "date_diff('hour', admitted, left_at) / 24.0": 1.25,
    "extract(year FROM admitted) + year(admitted) + date_part('month', admitted)": 4301,
    "(left_at - admitted) > INTERVAL '1 day' AND left_at < admitted + INTERVAL 2 DAY": True,
    "epoch(left_at - admitted) / 60": 1800.0,
    "date_trunc('day', left_at)": datetime.datetime(2150, 1, 2),
    "strptime('03/02/2150', '%d/%m/%Y')": datetime.datetime(2150, 2, 3),
    "strftime(admitted, '%H:%M')": "00:00",
    "DATE '2150-01-02' = CAST(left_at AS DATE)": True,
    "(TIMESTAMP '2150-07-01 12:00' AT TIME ZONE 'Europe/Berlin')::VARCHAR": "2150-07-01 10:00:00+00",
    "len(string_split('a,b,c', ',')) + [4, 5][2]": 8,
    "list_contains(['a', 'b'], 'b') AND 'a' IN ['a']": True,
    "list_sum([1, 2, 3]) + list_max([1, 2])": 8,
    "try(CAST(code AS INT))": None,
    '"strange, name" = 3 -- a comment at the end': True,
    "age /* years */ > 3": True,
    "AGE > 60": True,
    "E'a\\tb' = 'a' || chr(9) || 'b'": True,
    "true": True,
}
ROW = (
    "SELECT 65 AS age, 'ICU' AS unit, 2010 AS year, 'I10' AS code, 9 AS version, 60 AS diastolic, 120 AS systolic, "
    "CAST(NULL AS INTEGER) AS nothing, TIMESTAMP '2150-01-01' AS admitted, TIMESTAMP '2150-01-02 06:00' AS left_at, "
    '3 AS "strange, name"'
)

#: What is refused, with the word by which the message calls it.
REFUSED = {
    "1) ; COPY (SELECT 42) TO 'x.csv'; SELECT (1": "the statements SELECT, COPY, SELECT",
    "COPY (SELECT 42) TO 'x.csv'": "the statement COPY",
    "1) FROM t; SELECT (1": "the statements SELECT, SELECT",
    "1), (2": "more than one expression|syntax error",
    "a, b": "more than one expression|syntax error",
    "1) + (2": "more than one expression|syntax error",
    "a) OR (true": "more than one expression|syntax error",
    "SELECT 1": "whole SELECT|syntax error",
    "FROM t SELECT 1": "whole SELECT|syntax error",
    "VALUES (1)": "whole SELECT|syntax error",
    "a FROM t --": "syntax error",
    "a FROM t WHERE (1 = 1": "syntax error",
    "a UNION SELECT 1": "syntax error",
    "a) UNION (SELECT 1": "syntax error",
    "a AS b": "syntax error",
    "DISTINCT a": "syntax error",
    "a ORDER BY a": "syntax error",
    "a;": "syntax error",
    "a /* never closed": "Parser Error",
    "a 'b": "Parser Error",
    "": "empty",
    " \n": "empty",
    "-- only a comment": "Parser Error|more than one",
    "ATTACH 'other.duckdb' AS other": "ATTACH",
    "INSTALL httpfs": "LOAD",
    "LOAD httpfs": "LOAD",
    "PRAGMA database_list": "PRAGMA|SELECT",
    "SET threads = 1": "SET",
    "CREATE TABLE x (a INT)": "CREATE",
    "DROP TABLE patients": "DROP",
    "a IN (SELECT 1)": "a subquery",
    "EXISTS (SELECT 1)": "a subquery",
    "(SELECT count(*) FROM patients) > 0": "a subquery",
    "a = ANY (SELECT 1)": "a subquery",
    "a > ALL (SELECT content FROM read_text('/etc/passwd'))": "a subquery",
    "sum(a)": "'sum' is not taken .it works over several rows",
    "count(*) > 1": "it works over several rows",
    "max(a)": "'max'",
    "any_value(a)": "'any_value'",
    "sum(a) OVER ()": "window function .sum",
    "row_number() OVER (ORDER BY a)": "window function .row_number",
    "lag(a) OVER (ORDER BY a)": "window function .lag",
    "unnest([1, 2]) > 0": "'unnest' is not taken .it may change the number of rows",
    "generate_series(1, 3)": "'generate_series' is not taken .it may change",
    "range(3)": "'range'",
    "flatten([[1]])": "'flatten'",
    "list_aggregate([1], 'sum')": "'list_aggregate'",
    "list_transform([1], lambda x: x + 1)": "'list_transform'",
    "list_filter(l, x -> x > 1)": "'list_filter'",
    "[x FOR x IN l IF x > 1]": "'list_apply'",
    "random() < 0.5": "'random' is not taken .it need not give the same",
    "uuid()": "'uuid'",
    "now() > a": "'now'",
    "today()": "'today'",
    "age(admitted)": "'age'",
    "nextval('s')": "'nextval'",
    "setseed(1)": "'setseed'",
    "error('x')": "'error'",
    "sleep_ms(1000)": "'sleep_ms'",
    "getenv('HOME')": "'getenv'",
    "getvariable('x')": "'getvariable'",
    "current_setting('home_directory')": "'current_setting'",
    "current_query()": "'current_query'",
    "read_text('/etc/passwd') IS NOT NULL": "'read_text' is not taken .it reads from elsewhere",
    "read_blob('/etc/passwd')": "'read_blob'",
    "read_csv('/etc/passwd')": "'read_csv'",
    "read_parquet('http://localhost:9/x.parquet')": "'read_parquet'",
    "glob('/*')": "'glob'",
    "query('SELECT 1')": "'query'",
    "query_table('patients')": "'query_table'",
    "duckdb_settings()": "'duckdb_settings'",
    "write_log('x')": "'write_log'",
    "st_area(a)": "'st_area'",
    "x.upper()": r"write upper\(x\)",
    "system.main.upper('x')": "is not taken",
    "lowerr(a)": "Did you mean 'lower'",
    "COLUMNS(*)": "COLUMNS",
    "COLUMNS('a.*') > 0": "COLUMNS",
    "*": "COLUMNS",
    "#1": "by its number",
    "$1": "a parameter",
    "?": "a parameter",
    "$name": "a parameter",
    "a -> '$.b'": "a lambda",
    "lambda x: x": "a lambda",
    "a COLLATE de": "COLLATE",
    "grouping(a)": "grouping function",
    "DEFAULT": "DEFAULT",
    "(a, b) = (1, 2)": "'row'",
    "{'a': 1}": "'struct_pack'|syntax error",
    "CAST(a AS mood)": "the type",
    "CAST(a AS ENUM ('x'))": "the type",
    "a::regclass": "the type",
    "NOT " * 5000 + "a": "depth|deep",
    "NOT " * 900 + "a": "depth|deep",
}


@pytest.mark.parametrize("text", TAKEN)
def test_expressions_of_clinicians_are_taken_and_mean_what_they_say(text: str) -> None:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        found = database.execute(f"SELECT {row_expression(text).sql} FROM ({ROW})").fetchall()
    assert found == [(TAKEN[text],)] or found[0][0] == pytest.approx(TAKEN[text])


@pytest.mark.parametrize("text", REFUSED)
def test_all_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(SpecError, match=REFUSED[text]):
        row_expression(text)


def test_columns_are_named_as_written() -> None:
    expression = row_expression("Age > 3 AND lower(\"a b\") = 'unit' AND s.field = 1 AND Age < 9")
    assert set(expression.columns) == {"Age", "a b", "s"}
    assert [expression.reads(name) for name in ("age", "A B", "unit")] == [True, True, False]
    assert row_expression("x__text = '1'").reads("x")


@pytest.mark.parametrize(
    "text", ["current_date > d", "rowid = 0", "user = 'x'", "__gdsfd_row = 1", "main.t.a", "dd = 1"]
)
def test_names_that_are_no_columns_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=f"column '{re.split('[ .]', text)[0]}' was not found"):
        row_expression(text).check_columns(["d", "t"])


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("code || ':' || version", {"code", "version"}),
        ("concat(lower(a), b, 1)", {"b"}),
        ("CAST(code AS VARCHAR) || '//' || CAST(TRY_CAST(unit AS BIGINT) AS TEXT)", {"code"}),
        ("x::text = 'a'", {"x"}),
        ("lower(code) = 'a' AND CAST(n AS DOUBLE) > 1", set()),
    ],
)
def test_columns_that_are_written_into_texts(text: str, spelled: set[str]) -> None:
    assert row_expression(text).spelled == spelled
