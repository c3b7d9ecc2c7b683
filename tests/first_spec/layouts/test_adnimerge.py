"""ADNIMERGE: visits of persons, without the tests that the diagnosis is made from."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from gdsfd.first_spec.init_spec import init_spec
from gdsfd.first_spec.layouts.adnimerge import ADNIMERGE

ROOT = Path(__file__).resolve().parents[3]


def test_visits(tmp_path: Path) -> None:
    generate = [sys.executable, str(ROOT / "examples" / "adni" / "generate.py"), "--out", str(tmp_path)]
    subprocess.run(generate, check=True, capture_output=True)
    made = init_spec(tmp_path, "DX", classes=["CN", "MCI", "Dementia"], out=tmp_path / "spec.toml")
    assert ADNIMERGE.title in made.text
    read = tomllib.loads(made.text)
    cohort = read["cohort"]
    assert (cohort["subject"], cohort["environment"]) == ("RID", "SITE")
    assert cohort["derive"][cohort["id"]] == "concat_ws('_', RID__text, VISCODE__text)"
    assert read["outcome"]["classes"] == ["CN", "MCI", "Dementia"]
    taken = {column for entry in read["modality"] for column in entry["columns"]}
    assert taken.isdisjoint({"MMSE", "CDRSB", "ADAS13", "FAQ", "DX_bl", "MMSE_bl", "Years_bl", "PTID", "RID"})
    assert {"Hippocampus", "FDG", "ABETA", "APOE4", "VSBPSYS"} <= taken
    assert len(read["modality"]) > 3  # what is missing together is one modality
    vitals = next(entry for entry in read["modality"] if entry["name"] == "VITALS")
    assert (vitals["time"], vitals["origin"]) == ("VISDATE", "EXAMDATE")
    assert -4 in vitals.get("missing", [-4])
