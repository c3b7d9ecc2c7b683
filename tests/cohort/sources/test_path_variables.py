from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.sources.files import find_files
from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.cohort.spec import load_spec
from gdsfd.errors import SpecError
from tests.cohort.small_exports import labs, patients


@pytest.mark.parametrize(
    ("path", "variables", "expected"),
    [
        ("a/b.csv", {}, "a/b.csv"),
        ("${A}/b.csv", {"A": "/x"}, "/x/b.csv"),
        ("${A}${B}.csv", {"A": "x", "B": "y"}, "xy.csv"),
        ("${A:-data}/b.csv", {}, "data/b.csv"),
        ("${A:-data}/b.csv", {"A": ""}, "data/b.csv"),
        ("${A:-data}/b.csv", {"A": "x"}, "x/b.csv"),
        ("${A:-}b.csv", {}, "b.csv"),
        ("${A:-/m/v-2:1}/b.csv", {}, "/m/v-2:1/b.csv"),
        ("$A/b$.csv", {"A": "x"}, "$A/b$.csv"),  # without braces $ is a letter like any other
        ("${A}/b.csv", {"A": "${B}", "B": "x"}, "${B}/b.csv"),  # values are not expanded again
        ("${_a1}/b.csv", {"_a1": "x"}, "x/b.csv"),
    ],
)
def test_expansion(path: str, variables: dict[str, str], expected: str) -> None:
    assert expand_variables(path, variables) == expected


def test_an_unset_variable_is_named_with_a_way_out() -> None:
    with pytest.raises(SpecError, match=r"EXPORTS is not set; set it, or write \$\{EXPORTS:-default\}"):
        expand_variables("${EXPORTS}/b.csv", {})
    with pytest.raises(SpecError, match="EXPORTS is empty"):
        expand_variables("${EXPORTS}/b.csv", {"EXPORTS": ""})


@pytest.mark.parametrize(
    "path", ["${}/b.csv", "${A/b.csv", "${A-x}/b.csv", "${1A}/b.csv", "${A:-${B}}/b.csv", "${A B}"]
)
def test_other_forms_are_refused(path: str) -> None:
    with pytest.raises(SpecError, match=r"expected \$\{NAME\} or \$\{NAME:-default\}"):
        expand_variables(path, {"A": "x", "B": "y"})


def test_default_is_the_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_TEST_FOLDER", "here")
    assert expand_variables("${GDSFD_TEST_FOLDER}/b.csv") == "here/b.csv"


def test_files_are_found_through_a_variable_and_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a1.csv", "a2.csv"):
        (tmp_path / name).write_text("id\n1\n")
    monkeypatch.setenv("GDSFD_TEST_FOLDER", str(tmp_path))
    found = find_files("${GDSFD_TEST_FOLDER}/a*.csv", Path("/nowhere"))
    assert [Path(path).name for path in found.paths] == ["a1.csv", "a2.csv"]
    monkeypatch.delenv("GDSFD_TEST_FOLDER")
    assert len(find_files("${GDSFD_TEST_FOLDER:-.}/a1.csv", tmp_path).paths) == 1  # relative: from the spec's folder


def test_every_source_of_a_spec_is_expanded_and_the_stored_spec_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    patients().to_csv(exports / "patients.csv", index=False)
    labs().to_csv(exports / "labs.csv", index=False)
    pd.DataFrame({"site": ["north", "south"], "beds": [10, 20]}).to_csv(exports / "sites.csv", index=False)
    path = tmp_path / "cohort.toml"
    path.write_text(
        """
        [cohort]
        source = "${GDSFD_TEST_EXPORTS}/patients.csv"
        id = "pid"
        subject = "person"
        groups = ["beds"]
        join = [{source = "${GDSFD_TEST_OTHER:-exports}/sites.csv", on = "site", columns = ["beds"]}]
        [outcome]
        name = "death"
        column = "died"
        positive = "yes"
        [[modality]]
        name = "labs"
        kind = "table"
        source = "${GDSFD_TEST_EXPORTS}/labs.csv"
        id = "pid"
        """
    )
    monkeypatch.delenv("GDSFD_TEST_EXPORTS", raising=False)
    with pytest.raises(SpecError, match="GDSFD_TEST_EXPORTS is not set"):
        build_cohort(load_spec(path))
    monkeypatch.setenv("GDSFD_TEST_EXPORTS", str(exports))
    cohort = build_cohort(load_spec(path))
    assert set(cohort.groups["beds"]) == {"10", "20"}
    assert cohort.spec["modality"][0]["source"] == "${GDSFD_TEST_EXPORTS}/labs.csv"  # type: ignore[index]
    assert str(exports) not in str(cohort.spec)


def test_a_missing_file_behind_a_variable_shows_both_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_TEST_FOLDER", str(tmp_path))
    with pytest.raises(ValueError, match=r"labs.csv does not exist \(source '\$\{GDSFD_TEST_FOLDER\}/labs.csv'\)"):
        find_files("${GDSFD_TEST_FOLDER}/labs.csv", Path())
