from __future__ import annotations

import sys
from typing import Any

import pytest

from gdsfd.cohort.spark.session import is_session, spark_session
from gdsfd.errors import InputError


def test_without_pyspark_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    message = r"needs PySpark 4, which is not installed: pip install 'gdsfd\[spark\]'"
    with pytest.raises(InputError, match=message), spark_session("spark"):
        pass


def test_an_older_pyspark_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pyspark = pytest.importorskip("pyspark")
    monkeypatch.setattr(pyspark, "__version__", "3.5.1")
    with pytest.raises(InputError, match=r"needs PySpark 4 or newer, got 3\.5\.1"), spark_session("spark"):
        pass


def test_a_session_that_is_there_is_taken_and_stays(spark: Any) -> None:
    assert is_session(spark)
    before = spark.conf.getAll
    for engine in (spark, "spark"):
        with spark_session(engine) as session:
            assert session is spark
    assert spark.conf.getAll == before
    assert spark.range(3).count() == 3
    with (
        pytest.raises(InputError, match=r"master 'local\[7\]': a Spark session with the master 'local\[2\]' is active"),
        spark_session("spark", "local[7]"),
    ):
        pass
