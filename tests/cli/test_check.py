"""``gdsfd check``: every fault in one run, code 2; a summary and code 0 where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.cli import main
from gdsfd.cli.check import check_text
from gdsfd.cohort.spec import load_spec
from gdsfd.cohort.spec_check import check_spec
from gdsfd.graph.build import build_graph
from gdsfd.graph.serialization import save_graph
from tests.cohort.formats.tiny import a_lab_a_day, two_labels_each, write_tiny_meds
from tests.cohort.small_exports import labs, patients, spec
from tests.cohort.test_spec_check import TEXT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    patients().to_csv(tmp_path / "patients.csv", index=False)
    labs().to_csv(tmp_path / "labs.csv", index=False)
    (tmp_path / "spec.toml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def test_a_right_spec(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.iterdir())
    assert main(["check", str(folder / "spec.toml")]) == 0
    out = capsys.readouterr().out
    assert "cohort: 40 patients" in out
    assert "labs (table): 40 patients, 40 of 40 rows" in out
    assert "nothing is wrong" in out
    assert main(["check", str(folder / "spec.toml"), "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert sorted(folder.iterdir()) == before


def test_every_fault_has_a_line_and_the_code_is_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = (
        TEXT.replace('"person"', '"persn"').replace('"labs.csv"', '"lab.csv"').replace("[outcome]", "[outcome]\nx=1")
    )
    (folder / "spec.toml").write_text(wrong, encoding="utf-8")
    assert main(["check", str(folder / "spec.toml")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["spec", "cohort", "labs", "gdsfd check"]
    assert lines[-1].endswith("3 things are wrong, listed above")


def test_no_such_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_warnings_are_told() -> None:
    table = labs().assign(wbc=[str(k) if k % 3 == 0 else "5 mg" for k in range(40)])
    entry = {"name": "labs", "kind": "table", "source": table, "id": "pid", "invalid": "missing"}
    assert "warning: labs.wbc: " in check_text(check_spec(spec(entry)))


def test_what_a_format_stands_for_is_a_spec_that_builds_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny_meds(tmp_path, [*a_lab_a_day(), (1, "2020-01-01", "RARE//x", None)], two_labels_each())
    short = '[cohort]\nformat = "meds"\nsource = "."\nlabels = "labels.parquet"\n'
    (tmp_path / "short.toml").write_text(short)
    assert main(["check", str(tmp_path / "short.toml")]) == 0
    said = capsys.readouterr().out
    text, _, rest = said.partition("\n\n# left out: RARE (codes): 2 rows")
    assert "cohort: 24 patients" in rest
    assert "lab (events): 24 patients" in rest
    (tmp_path / "long.toml").write_text(text)
    assert load_spec(tmp_path / "long.toml").to_dict() == load_spec(tmp_path / "short.toml").to_dict()
    (tmp_path / "short.toml").write_text(short.replace("meds", "omop"))
    assert main(["check", str(tmp_path / "short.toml")]) == 2
    assert "has no table person" in capsys.readouterr().err


def test_new_patients_are_checked_against_what_they_are_read_with(folder: Path, capsys) -> None:
    graph = build_graph(folder / "spec.toml", progress=False)
    save_graph(graph, folder / "graph")
    patients().drop(columns="died").to_csv(folder / "patients.csv", index=False)
    assert main(["check", str(folder / "spec.toml")]) == 2
    capsys.readouterr()
    assert main(["check", str(folder / "spec.toml"), "--like", str(folder / "graph")]) == 0
    assert f"next: gdsfd build {folder / 'spec.toml'} --like {folder / 'graph'} --out graph" in capsys.readouterr().out
    assert main(["check", str(folder / "spec.toml"), "--like", str(folder / "nowhere")]) == 2
