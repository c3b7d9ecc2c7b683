"""All faults of a spec and its exports at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import load_spec
from gdsfd.cohort.spec_check import check_spec
from gdsfd.errors import InputError
from tests.cohort.small_exports import labs, patients, spec

TEXT = """
[cohort]
source = "patients.csv"
id = "pid"
subject = "person"

[outcome]
name = "death"
column = "died"
positive = "yes"
negative = "no"

[[modality]]
name = "labs"
kind = "table"
source = "labs.csv"
id = "pid"
missing = [-1]
min_level_count = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    patients().to_csv(tmp_path / "patients.csv", index=False)
    labs().to_csv(tmp_path / "labs.csv", index=False)
    return tmp_path


def check(folder: Path, text: str):
    (folder / "spec.toml").write_text(text, encoding="utf-8")
    before = sorted(folder.iterdir())
    found = check_spec(folder / "spec.toml")
    assert sorted(folder.iterdir()) == before
    return found


def test_what_is_without_fault_builds_and_is_counted_alike(folder: Path) -> None:
    found = check(folder, TEXT)
    assert found.ok
    cohort = build_cohort(load_spec(folder / "spec.toml"))
    assert found.cohort.rows_kept == len(cohort)
    assert [each.rows_kept for each in found.modalities] == [each.rows_kept for each in cohort.receipt.modalities]


def test_faults_of_words_files_columns_and_values_come_together(folder: Path) -> None:
    wrong = TEXT.replace('subject = "person"', 'subject = "persn"\nenviroment = "site"')
    wrong = wrong.replace('positive = "yes"', 'positive = "Yes"')
    wrong += '\n[[modality]]\nname = "more"\nkind = "codes"\nsource = "lab.csv"\nid = "pid"\ncode = "unit"\n'
    found = check(folder, wrong)
    assert [fault.where for fault in found.faults] == ["spec", "cohort", "cohort", "more"]
    for fault, words in zip(found.faults, ["enviroment", "'person'", "'Yes'", "labs.csv"]):
        assert words in fault.text
    assert [each.name for each in found.modalities] == ["labs"]


def test_a_spec_of_python_is_looked_at_too() -> None:
    parts: list[str] = []
    assert check_spec(spec(), on_part=parts.append).ok
    assert parts == ["cohort", "labs"]


@pytest.mark.parametrize("text", ["[cohort", "[cohort]\nid = 3\n"])
def test_what_is_no_spec(folder: Path, text: str) -> None:
    if text == "[cohort":
        with pytest.raises(InputError, match="not valid TOML"):
            check(folder, text)
    else:
        assert not check(folder, text).ok


@pytest.mark.data
def test_worked_specs_of_real_cohorts_have_no_fault(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_DATA", str(data_dir))
    examples = Path(__file__).parents[2] / "examples"
    for name in ("uci_heart", "mimic_iv_24h"):
        assert check_spec(examples / f"{name}.toml").faults == []


def test_new_patients_are_checked_as_a_build_like_reads_them(folder: Path) -> None:
    """What may be missing there is no fault, and what the model needs is one, in checking as in building."""
    (folder / "spec.toml").write_text(TEXT, encoding="utf-8")
    fitted = build_cohort(load_spec(folder / "spec.toml")).schema
    patients().drop(columns=["person", "died"]).to_csv(folder / "patients.csv", index=False)
    assert not check_spec(folder / "spec.toml").ok
    found = check_spec(folder / "spec.toml", fitted)
    assert found.ok
    assert found.cohort.rows_kept == len(build_cohort(load_spec(folder / "spec.toml"), like=fitted))
    assert any("'death' is unlabelled for all" in each.text for each in found.warnings)
    labs().drop(columns="wbc").to_csv(folder / "labs.csv", index=False)
    assert check_spec(folder / "spec.toml").faults  # of the cohort alone
    (fault,) = check_spec(folder / "spec.toml", fitted).faults
    assert fault.where == "labs"
    assert "no column 'wbc', which the fitted schema needs" in fault.text
    (folder / "spec.toml").write_text(TEXT.replace('name = "labs"', 'name = "lab"'), encoding="utf-8")
    assert "expected the modalities of the fitted schema" in check_spec(folder / "spec.toml", fitted).faults[0].text
    with pytest.raises(InputError, match="like: expected a graph, a trained model or a schema, got str without one"):
        check_spec(folder / "spec.toml", "run")


def test_classes_the_other_way_round_are_a_fault_of_new_patients(folder: Path) -> None:
    (folder / "spec.toml").write_text(TEXT, encoding="utf-8")
    fitted = build_cohort(load_spec(folder / "spec.toml")).schema
    turned = TEXT.replace('"yes"', '"NO"').replace('"no"', '"YES"')
    patients().replace({"died": {"yes": "YES", "no": "NO"}}).to_csv(folder / "patients.csv", index=False)
    (folder / "spec.toml").write_text(turned, encoding="utf-8")
    assert check_spec(folder / "spec.toml").ok
    (fault,) = check_spec(folder / "spec.toml", fitted).faults
    assert "read as those of another class" in fault.text
