"""The engine that the tests of ingestion build with: DuckDB, or what ``GDSFD_TEST_ENGINE`` says.

With ``GDSFD_TEST_ENGINE=spark`` any of these tests is one of Spark; ``tests/cohort/spark/test_other_tests.py`` has the
tests of bad input and others run so.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark session of this machine; skips where PySpark or Java are not installed."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("PySpark is not installed: pip install 'gdsfd[spark]'")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not installed (Debian: apt-get install openjdk-17-jre-headless)")
    from gdsfd.cohort.spark.session import spark_session

    with spark_session("spark", "local[2]") as session:
        yield session


@pytest.fixture(autouse=os.environ.get("GDSFD_TEST_ENGINE") == "spark")
def every_build_on_spark(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds go through Spark."""
    session = request.getfixturevalue("spark")
    monkeypatch.setattr("gdsfd.cohort.build.checked_engine", lambda engine, default: session)
