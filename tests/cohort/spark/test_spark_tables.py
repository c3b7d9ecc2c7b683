from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import CohortSpec
from gdsfd.cohort.spec_check import check_spec
from gdsfd.errors import InputError
from tests.cohort.small_exports import events, labs, patients, spec
from tests.cohort.spark.both_engines import assert_same, same_of_both

LABS = {"name": "labs", "kind": "table", "id": "pid", "missing": [-1], "min_level_count": 1}
EVENTS = {"name": "events", "kind": "events", "id": "pid", "item": "item", "value": "value", "time": "minute"}
EVENTS |= {"window": [0, 1440], "bin": 240}


def made(cohort: Any, table: Any, long: Any, **fields: Any) -> CohortSpec:
    modality = [{**LABS, "source": table}, {**EVENTS, "source": long}]
    return spec(modality, cohort={"source": cohort}, **fields)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Parquet: the cohort in one file, tables in folders of several files, one row repeated."""
    patients().to_parquet(tmp_path / "patients.parquet")
    for name, frame in (("labs", labs()), ("events", pd.concat([events(rows=600), events(rows=600)[:1]]))):
        (tmp_path / name).mkdir()
        for k, rows in enumerate(np.array_split(np.arange(len(frame)), 3)):
            frame.iloc[rows].to_parquet(tmp_path / name / f"part {k}.parquet")
    return tmp_path


def test_parquet_is_read_where_it_lies(folder: Path, spark: Any) -> None:
    here = made("patients.parquet", "labs/*.parquet", "events/*.parquet", base_dir=folder)
    cohort = same_of_both(here, spark)
    assert cohort.receipt.modalities[1].duplicates == 1
    urls = [(folder / name).as_uri() for name in ("patients.parquet", "labs", "events")]
    by_url = build_cohort(made(*urls), progress=False, engine=spark)
    assert [receipt.source for receipt in by_url.receipt.modalities] == [[urls[1]], [urls[2]]]
    for receipt, named in zip(by_url.receipt.modalities, cohort.receipt.modalities):
        receipt.source = named.source
    by_url.receipt.cohort.source = cohort.receipt.cohort.source
    assert_same(by_url, cohort)


def test_durations_of_parquet_are_minutes(folder: Path, spark: Any) -> None:
    long = events(rows=600)
    long["minute"] = pd.to_timedelta(long.minute, unit="min")
    long.to_parquet(folder / "durations.parquet")
    expected = same_of_both(made("patients.parquet", "labs/*.parquet", "events/*.parquet", base_dir=folder), spark)
    cohort = same_of_both(made("patients.parquet", "labs/*.parquet", "durations.parquet", base_dir=folder), spark)
    assert cohort.schema.to_dict() == expected.schema.to_dict()
    assert (cohort.observations["events"].step == expected.observations["events"].step).all()


def test_tables_of_a_catalogue_and_dataframes_of_spark(spark: Any) -> None:
    spark.createDataFrame(events(rows=600)).createOrReplaceTempView("icu_events")
    lying = made(spark.createDataFrame(patients()), spark.createDataFrame(labs()), "table:icu_events")
    cohort = build_cohort(lying, progress=False, engine=spark)
    spark.catalog.dropTempView("icu_events")
    assert cohort.id == sorted(patients().pid)  # a table has no order: that of what is in it
    assert cohort.receipt.modalities[1].source == ["icu_events"]
    local = build_cohort(made(patients(), labs(), events(rows=600)), progress=False)
    for receipt, other in zip(
        [cohort.receipt.cohort, *cohort.receipt.modalities], [local.receipt.cohort, *local.receipt.modalities]
    ):
        receipt.source = other.source
    assert_same(cohort, local)


def test_a_check_goes_by_the_specs_engine(spark: Any) -> None:
    spark.createDataFrame(labs().rename(columns={"wbc": "WBC count"})).createOrReplaceTempView("icu_labs")
    entry = {**LABS, "source": "table:icu_labs", "columns": ["WBC count", "unti"]}
    found = check_spec(spec(entry, engine="spark"))
    spark.catalog.dropTempView("icu_labs")
    (fault,) = found.faults
    assert "icu_labs has no column 'unti'" in fault.text
    assert "Did you mean 'unit'" in fault.text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("table:no_such_table", r"table:no_such_table cannot be read: Spark says: .*TABLE_OR_VIEW_NOT_FOUND"),
        ("file:///no/such/folder", r"file:///no/such/folder cannot be read: Spark says: .*PATH_NOT_FOUND"),
        ("s3a://bucket/labs", r"s3a://bucket/labs cannot be read: Spark says: "),
    ],
)
def test_what_spark_cannot_reach_is_told_in_a_line(spark: Any, source: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        build_cohort(made(patients(), source, events()), progress=False, engine=spark)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_files_of_different_columns_are_refused_as_by_duckdb(folder: Path, spark: Any) -> None:
    labs()[["pid"]].to_parquet(folder / "labs" / "part 1.parquet")
    wrong = made("patients.parquet", "labs/*.parquet", "events/*.parquet", base_dir=folder)
    with pytest.raises(InputError, match=r"differ in columns 'unit', 'wbc'; one source needs one layout"):
        build_cohort(wrong, progress=False, engine=spark)
