from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from gdsfd.cohort.files import csv_header, find_files
from gdsfd.errors import InputError


def test_header_is_trimmed_and_the_delimiter_found(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeff id ;"heart; rate";x,y\r\n1;2;3\r\n'.encode())
    header = csv_header(str(path), "a.csv")
    assert header.columns == ("id", "heart; rate", "x,y")
    assert (header.delimiter, header.newline) == (";", "\r\n")


def test_header_of_gzip_and_of_one_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"id\n1\n"))
    assert csv_header(str(path), "a").columns == ("id",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.csv is empty"),
        (b"id,ID\n", "column names must differ .*'ID'.*more than once"),
        (b"id,x\r1,2\r", "a.csv: its lines end with a carriage return alone"),
        (b"id,,\n", "columns 2, 3 of the header have no name"),
        (b"id,caf\xe9\n1,2\n", r"not UTF-8 \(line 1\); convert it, e.g. iconv"),
    ],
)
def test_bad_headers(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        csv_header(str(tmp_path / "a.csv"), "a.csv")


def test_not_a_gzip_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_text("id\n1\n")
    with pytest.raises(InputError, match=r"a.csv.gz is a broken .gz file"):
        csv_header(str(tmp_path / "a.csv.gz"), "a.csv.gz")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "apacheApsVar.csv.gz").touch()
    with pytest.raises(InputError, match=r"apacheAspVar.csv.gz does not exist. Did you mean 'apacheApsVar.csv.gz'\?"):
        find_files("apacheAspVar.csv.gz", tmp_path)
    with pytest.raises(InputError, match=r"there is no folder .*nowhere"):
        find_files("nowhere/a.csv", tmp_path)
    with pytest.raises(InputError, match=r"no file matches .*part-"):
        find_files("part-*.parquet", tmp_path)
    with pytest.raises(InputError, match=r"is a folder; name a file or a glob such as '\./\*\.parquet'"):
        find_files(".", tmp_path)
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(InputError, match=r"a.xlsx: expected a file ending in .csv"):
        find_files("a.xlsx", tmp_path)
    (tmp_path / "p1.csv").touch()
    (tmp_path / "p1.parquet").touch()
    with pytest.raises(InputError, match=r"matches CSV and Parquet files"):
        find_files("p1.*", tmp_path)


def test_a_file_whose_name_looks_like_a_glob_is_taken_literally(tmp_path: Path) -> None:
    (tmp_path / "labs[1].csv").touch()
    (tmp_path / "labs1.csv").touch()
    assert find_files("labs[1].csv", tmp_path).names == ("labs[1].csv",)


def test_names_are_relative_to_the_spec_or_bare(tmp_path: Path) -> None:
    (tmp_path / "hosp").mkdir()
    (tmp_path / "hosp" / "a.csv").touch()
    assert find_files("hosp/a.csv", tmp_path).names == ("hosp/a.csv",)
    assert find_files("../hosp/a.csv", tmp_path / "hosp").names == ("a.csv",)
    (tmp_path / "other").mkdir()
    assert find_files(tmp_path / "hosp" / "a.csv", tmp_path / "other").names == ("a.csv",)
