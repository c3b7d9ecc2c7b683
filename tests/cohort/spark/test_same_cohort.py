"""The same spec gives the same cohort and the same receipt with DuckDB and with Spark."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import gdsfd
from gdsfd.cohort.spec import CohortSpec, load_spec
from tests.cohort.formats.written import write_three
from tests.cohort.small_exports import events, labs, patients, spec
from tests.cohort.spark.both_engines import message_of, same_of_both

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    gdsfd.simulate(folder, patients=120, confounding=0.9, mechanism="mnar", seed=3)
    return folder


def test_all_four_kinds_of_a_simulated_cohort(exports: Path, spark: Any) -> None:
    cohort = same_of_both(load_spec(exports / "spec.toml"), spark, show_ids=True)
    assert {fields.kind for fields in cohort.schema.modalities} == {"events", "embedding", "codes", "table"}
    assert any(drop.examples for receipt in cohort.receipt.modalities for drop in receipt.drops)


def test_a_look_up_beside_the_rows_of_a_modality(spark: Any) -> None:
    items = pd.DataFrame({"item": ["hr", "map", "temp"], "kind": ["sign", "sign", "other"]})
    entry = {
        **{"name": "signs", "kind": "events", "source": events(rows=400), "id": "pid", "time": "minute", "bin": 600},
        **{"item": "item", "value": "value", "min_count": 1},
        **{"join": {"source": items, "on": "item", "columns": ["kind"]}, "where": "kind = 'sign'"},
    }
    cohort = same_of_both(spec(entry), spark)
    assert cohort.schema.modalities[0].items == ("hr", "map")
    assert any("have a key that" in note for note in cohort.receipt.modalities[0].notes)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("standard", ["meds", "omop"])
def test_a_standard_layout_with_persons_of_several_patients(standard: str, tmp_path: Path, spark: Any) -> None:
    folder = write_three(tmp_path, 100, repeats=0.5)[standard]
    cohort = same_of_both(load_spec(folder / "spec.toml"), spark)
    assert len(set(cohort.subject)) < len(cohort.id)


def both_messages(made: CohortSpec, spark: Any) -> str:
    expected = message_of(made, "duckdb")
    assert message_of(made, spark) == expected
    return expected


def test_a_value_that_is_no_number_is_refused_in_the_same_words(spark: Any) -> None:
    wrong = (
        events(rows=300).astype({"value": str}).assign(value=lambda frame: frame.value.where(frame.index != 7, "7 mg"))
    )
    entry = {"name": "e", "kind": "events", "source": wrong, "id": "pid", "item": "item", "value": "value"}
    message = both_messages(spec({**entry, "time": "minute", "bin": 60}), spark)
    assert "has 1 values that are not numbers: '7 mg'" in message


def test_users_sql_is_refused_in_the_same_words(spark: Any) -> None:
    entry = {"name": "labs", "kind": "table", "source": labs(), "id": "pid"}
    assert "wbcc" in both_messages(spec({**entry, "where": "wbcc > 4"}), spark)
    wrong = {**entry, "derive": {"high": "CAST(unit AS DOUBLE) > 1"}}
    assert "Could not convert string 'ICU' to DOUBLE" in both_messages(spec(wrong), spark)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["physionet2012", "mimic_iv", "eicu"])
def test_real_cohorts(name: str, data_dir: Path, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_DATA", str(data_dir))
    same_of_both(load_spec(EXAMPLES / f"{name}.toml"), spark)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["test_bad_input", "test_build", "readers/test_codes", "readers/test_events"])
def test_other_tests_of_ingestion_pass_on_spark(name: str, spark: Any) -> None:
    environment = {**os.environ, "GDSFD_TEST_ENGINE": "spark"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"tests/cohort/{name}.py"]
    run = subprocess.run(command, env=environment, cwd=EXAMPLES.parent, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:]
    assert patients(1) is not None


def test_numbers_that_are_written_anew_in_a_text_are_told_by_both(spark: Any) -> None:
    ids = patients()["pid"]
    frame = pd.DataFrame({"pid": ids, "code": ["250.00", "401.10"] * 20, "version": "9", "day": "2150-01-01"})
    entry = {"name": "c", "kind": "codes", "source": frame, "id": "pid", "code": "x", "min_count": 1}
    cohort = same_of_both(spec({**entry, "derive": {"x": "version || ':' || code"}}), spark)
    (finding,) = (finding for finding in cohort.receipt.findings if finding.kind == "spelling")
    assert "so '250.00' becomes '250.0' in the text (40 cells alike)" in finding.text
