"""Ibis tables of other databases as sources: PostgreSQL for real, BigQuery as far as its SQL."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ibis
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.errors import InputError
from tests.cohort.small_exports import events, labs, patients, spec
from tests.cohort.spark.both_engines import assert_same


@pytest.fixture(scope="module")
def postgres() -> Iterator[Any]:
    """A server of its own, of Debian's packages, reached by a socket in a folder that goes with it."""
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not programs or importlib.util.find_spec("psycopg") is None:
        pytest.skip("needs a PostgreSQL server (Debian: apt-get install postgresql) and psycopg (pip install psycopg)")
    folder = Path(tempfile.mkdtemp(prefix="gdsfd-postgres-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []  # it refuses to run as root
    if as_user:
        shutil.chown(folder, "postgres")

    def run(program: str, *words: str) -> None:
        command = [*as_user, f"{programs[-1]}/{program}", *words]
        subprocess.run(command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120)

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-A", "trust", "-U", "gdsfd", "-E", "UTF8", "--no-sync")
        run(
            "pg_ctl",
            "-D",
            data,
            "-w",
            "-o",
            f"-k {folder} -c listen_addresses= -c fsync=off",
            "-l",
            f"{data}/log",
            "start",
        )
        try:
            connection = ibis.postgres.connect(host=str(folder), user="gdsfd", database="postgres")
            yield connection
            connection.disconnect()
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def test_tables_of_postgresql_are_what_the_same_dataframes_are(postgres: Any) -> None:
    frames = {"patients": patients(), "labs": labs(), "events": events(rows=500)}
    tables = {name: postgres.create_table(name, ibis.memtable(frame)) for name, frame in frames.items()}

    def built(sources: dict[str, Any]) -> Any:
        table = {"name": "labs", "kind": "table", "source": sources["labs"], "id": "pid", "missing": [-1]}
        long = {"name": "events", "kind": "events", "source": sources["events"], "id": "pid", "item": "item"}
        long |= {"value": "value", "time": "minute", "window": [0, 1440], "bin": 240}
        cohort = build_cohort(spec([table, long], cohort={"source": sources["patients"]}), progress=False)
        for receipt in (cohort.receipt.cohort, *cohort.receipt.modalities):
            receipt.source = []
        return cohort

    assert_same(built(tables), built(frames))
    some = tables["events"].filter(tables["events"].minute >= 0).select("pid", "item", "value", "minute")
    assert built({**tables, "events": some}).receipt.modalities[1].rows_read == int(
        (events(rows=500).minute >= 0).sum()
    )


def test_a_table_that_is_not_there_any_more_is_told(postgres: Any) -> None:
    table = postgres.create_table("soon_gone", ibis.memtable(labs()))
    postgres.con.execute("DROP TABLE soon_gone")
    postgres.con.commit()
    with pytest.raises(
        InputError, match=r"the Table of modality 'labs' cannot be read: its database says: .*soon_gone"
    ):
        build_cohort(spec({"name": "labs", "kind": "table", "source": table, "id": "pid"}), progress=False)


def test_bigquery_only_as_far_as_its_sql() -> None:
    table = ibis.table({"subject_id": "int64", "itemid": "int64", "valuenum": "float64"}, name="labevents")
    query = ibis.to_sql(table.filter(table.valuenum.notnull()).select("subject_id", "valuenum"), dialect="bigquery")
    assert "FROM `labevents`" in query
    assert "`valuenum` IS NOT NULL" in query
