"""A Spark session for a build: the caller's, or one of its own."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from gdsfd.errors import GdsfdError, InputError, shown

__all__ = ["SIZES_PARTS", "has_ended", "is_session", "of_spark", "spark_session"]

_LEAST_VERSION = 4
SIZES_PARTS = "spark.gdsfd.sizesParts"  #: whether the number of parts is this package's to choose, as rows are read

_ENDED = (
    "Spark ended in the middle of the work, most likely for want of memory: unless told otherwise Java gets 1 GiB of "
    "it. Give it more, in Spark's own configuration (spark.driver.memory), or with "
    "PYSPARK_SUBMIT_ARGS='--driver-memory 4g pyspark-shell' in the environment"
)
_OF_ENDING = ("java.lang.OutOfMemoryError", "SparkContext was shut down", "Answer from Java side is empty")


def of_spark(error: Exception) -> bool:
    """Whether PySpark raised an error."""
    return type(error).__module__.split(".")[0] in ("pyspark", "py4j")


def has_ended(error: Exception) -> bool:
    """Whether an error, in the midst of work with Spark, says that its own process has gone, or is going."""
    kind = type(error).__name__
    gone = isinstance(error, (ConnectionError, EOFError)) or kind == "Py4JNetworkError"
    if kind == "Py4JError" and "Trace:" not in str(error):  # no answer came, or one that says nothing of why
        gone = True
    return gone or (of_spark(error) and any(words in str(error) for words in _OF_ENDING))


def is_session(engine: Any) -> bool:
    """Whether something is a Spark session; PySpark is not imported for the question.

    Args:
        engine: Anything.

    Example:
        >>> is_session("spark")
        False
    """
    return type(engine).__module__.startswith("pyspark.sql") and type(engine).__name__ == "SparkSession"


@contextmanager
def spark_session(engine: Any, master: str | None = None) -> Iterator[Any]:
    """A session, which lives on where it was there before.

    Args:
        engine: A Spark session; anything else = the session that is active in this process, else a new one.
        master: Where a new session runs: ``local[4]``, ``spark://host:7077``, ``yarn``, ``k8s://...``; default: what
            Spark's own configuration says, else all cores of this machine.

    Raises:
        InputError: PySpark 4 or Java is not there, or the session cannot be had; a session is active and another
            master is asked for.
        GdsfdError: Spark ended while the session was used.
    """
    with _session(engine, master) as session:
        log = logging.getLogger("py4j")
        level = log.level
        log.setLevel(logging.CRITICAL)  # else it writes a trace to the terminal when Spark has ended
        try:
            yield session
        except Exception as error:
            if isinstance(error, GdsfdError) or not has_ended(error):
                raise
            raise GdsfdError(_ENDED) from error
        finally:
            log.setLevel(level)


@contextmanager
def _session(engine: Any, master: str | None) -> Iterator[Any]:
    try:
        import pyspark
        from pyspark.sql import SparkSession
    except ImportError:
        raise InputError("engine 'spark' needs PySpark 4, which is not installed: pip install 'gdsfd[spark]'") from None
    if int(pyspark.__version__.split(".")[0]) < _LEAST_VERSION:
        raise InputError(
            f"engine 'spark' needs PySpark 4 or newer, got {pyspark.__version__}: pip install 'gdsfd[spark]'"
        )
    if is_session(engine):
        yield engine
        return
    active = SparkSession.getActiveSession()
    if active is not None:
        running = active.conf.get("spark.master", master)
        if master is not None and running != master:
            raise InputError(
                f"master {master!r}: a Spark session with the master {running!r} is active; stop it first, or leave "
                "the master out"
            )
        yield active
        return
    session = _new_session(SparkSession, master)
    try:
        yield session
    except BaseException:
        with suppress(Exception):  # it may have ended, and be why
            session.stop()
        raise
    session.stop()


def _new_session(kind: Any, master: str | None) -> Any:
    # The workers of this machine run this Python: they need the same packages.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = kind.builder.appName("gdsfd").config("spark.ui.showConsoleProgress", "false")
    if master is not None:
        builder = builder.master(master)
    if master is None or master.startswith("local"):
        cores = os.cpu_count() or 1
        builder = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", str(cores))
        # It plans each query again after each of its parts: half of what a small query costs, and nothing gained with
        # as many parts as cores.
        builder = builder.config("spark.sql.adaptive.enabled", "false").config(SIZES_PARTS, "true")
        # Parts of files that a worker holds next to nothing of, rather than an eighth of a gigabyte compressed.
        builder = builder.config("spark.sql.files.maxPartitionBytes", "32m")
    try:
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        return session
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        if "JAVA_GATEWAY_EXITED" in str(error) or isinstance(error, FileNotFoundError):
            raise InputError(
                "engine 'spark': Spark did not start. It needs Java 17 or newer: install one (Debian: apt-get install "
                "openjdk-17-jre-headless) and set JAVA_HOME, if it is not found"
            ) from None
        raise InputError(f"engine 'spark': no session with the master {master!r}: {shown(lines[:2], 2)}") from None
