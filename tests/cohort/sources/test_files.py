from __future__ import annotations

import os
from pathlib import Path

import pytest

from gdsfd.cohort.sources.files import find_files
from gdsfd.errors import InputError


def test_the_format_is_told_by_the_first_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"PAR1 and so on")
    (tmp_path / "b.csv").write_bytes(b"id\n1\n")
    assert find_files("a.csv", tmp_path).parquet
    assert not find_files("b.csv", tmp_path).parquet


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


def test_links_to_nothing_and_pipes_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone.csv")
    os.mkfifo(tmp_path / "b.csv")
    with pytest.raises(InputError, match=r"a.csv is a link to nothing; name a file"):
        find_files("a.csv", tmp_path)
    with pytest.raises(InputError, match=r"b.csv is neither a file nor a folder"):
        find_files("b.csv", tmp_path)
