from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import gdsfd
from gdsfd.cohort.spark.session import has_ended, is_session, spark_session
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


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (ConnectionRefusedError(111, "Connection refused"), True),
        (EOFError(), True),
        ("An error occurred while calling o68.getResult", True),
        ("An error occurred. Trace:\njava.lang.OutOfMemoryError: Java heap space", True),
        ("An error occurred. Trace:\nJob 92 cancelled because SparkContext was shut down", True),
        ("An error occurred. Trace:\njava.io.IOException: no such host", False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_a_spark_that_has_ended_is_known_by_what_follows(error: Exception | str, ended: bool) -> None:
    if isinstance(error, str):
        error = pytest.importorskip("py4j.protocol").Py4JError(error)
    assert has_ended(error) is ended


@pytest.mark.slow
def test_a_spark_that_is_killed_ends_a_build_with_one_line(spark: Any, tmp_path: Path) -> None:
    gdsfd.simulate(tmp_path / "cohort", patients=120, seed=1)
    asked = ["build", str(tmp_path / "cohort" / "spec.toml"), "--out", str(tmp_path / "graph")]
    command = [sys.executable, "-m", "gdsfd", *asked, "--engine", "spark", "--master", "local[1]", "--quiet"]
    build = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    running: dict[str, int] = {}
    while "pyspark.daemon" not in running and build.poll() is None:  # there once rows are being read
        time.sleep(0.1)
        running = {}
        for each in psutil.Process(build.pid).children(recursive=True):
            with suppress(psutil.Error):  # it has ended meanwhile
                running |= dict.fromkeys([each.name(), *each.cmdline()], each.pid)
    assert build.poll() is None, "the build ended before Spark could be killed"
    os.kill(running["java"], signal.SIGKILL)
    said = build.communicate(timeout=120)[1]
    assert build.returncode == 1
    assert "gdsfd build: error: Spark ended in the middle of the work" in said
    assert "PYSPARK_SUBMIT_ARGS" in said
    assert "Traceback (most recent call last)" not in said
    assert not (tmp_path / "graph").exists()
    assert not list(tmp_path.glob(".graph*"))
