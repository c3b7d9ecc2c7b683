"""Random exports with random dirt: the graph is what pandas counts, or the build is refused for dirt that is there."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings

import gdsfd
from gdsfd.cli import main
from gdsfd.errors import InputError
from tests.cohort.ingestion.comparison import assert_as_expected
from tests.cohort.ingestion.exports import Case, make_case, write_table
from tests.cohort.ingestion.oracle import expected_of
from tests.cohort.ingestion.plans import KINDS, Plan, plans

_BUILT, _REFUSED = "built", "refused"


def judge(plan: Plan, folder: Path) -> str:
    """Builds a plan's cohort and holds it against the oracle; says whether it was built or refused."""
    case = make_case(plan)
    expected = expected_of(case)
    graph, message = _build(case, folder)
    if expected.refused:
        assert message is not None, f"built, though {[str(reason) for reason in expected.refused]} must be refused"
        told = [reason for reason in expected.refused if re.search(reason.words, message)]
        assert told, f"{[(reason.dirt, reason.words) for reason in expected.refused]} is not what is told: {message}"
        assert any(reason.dirt & case.planted for reason in told), (message, case.planted)
        return _REFUSED
    assert message is None, f"refused, though nothing is wrong: {message}"
    assert_as_expected(graph, expected)
    return _BUILT


def _build(case: Case, folder: Path) -> tuple[Any, str | None]:
    """The graph, or the message of a refusal: by the command line, and where DataFrames are sources by the function."""
    fields = {name: value for name, value in case.spec.items() if name != "modality"}
    cohort = {**fields.pop("cohort"), "source": write_table(case.cohort, folder, "cohort")}
    entries = [
        {**entry, "source": write_table(table, folder, entry["name"])}
        for entry, table in zip(case.spec["modality"], case.modalities)
    ]
    sources = [cohort["source"], *(entry["source"] for entry in entries)]
    if not all(isinstance(source, str) for source in sources):
        try:
            return gdsfd.build_graph(
                gdsfd.CohortSpec(cohort=cohort, modality=entries, base_dir=folder, **fields), progress=False
            ), None
        except InputError as error:
            return None, str(error)
    spec, out, errors = folder / "spec.toml", folder / "graph", io.StringIO()
    spec.write_text("".join(_toml({**fields, "cohort": cohort, "modality": entries})), encoding="utf-8")
    before = sorted(folder.iterdir())
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        code = main(["build", str(spec), "--out", str(out)])
    assert code in (0, 2), errors.getvalue()
    if code == 0:
        return gdsfd.load_graph(out), None
    assert sorted(folder.iterdir()) == before
    return None, errors.getvalue()


def _toml(fields: dict[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        tables = [value] if isinstance(value, dict) else value
        for table in tables:
            yield f"[{name}]\n" if isinstance(value, dict) else f"[[{name}]]\n"
            yield from (f"{key} = {json.dumps(entry, ensure_ascii=False)}\n" for key, entry in table.items())


def sweep(examples: int, derandomize: bool) -> Counter[str]:
    """The property on random plans; a plan that fails is made small and printed."""
    told: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=timedelta(minutes=5),  # of a loaded machine; an example takes half a second
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(plans())
    def holds(plan: Plan) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outcome = judge(plan, Path(folder))
        event(outcome)
        told[outcome] += 1
        if outcome == _BUILT:
            told.update(part.kind for part in plan.modalities)

    holds()
    return told


def assert_enough(told: Counter[str], examples: int) -> None:
    """A test that refuses everything shows nothing, and neither does one without a refusal."""
    assert told[_BUILT] + told[_REFUSED] >= examples
    assert told[_BUILT] >= 0.5 * examples, told
    assert told[_REFUSED] >= 0.05 * examples, told
    for kind in KINDS:
        assert told[kind] >= 0.15 * examples, told


def test_a_graph_is_the_recount_or_a_refusal() -> None:
    assert_enough(sweep(60, derandomize=True), 60)


@pytest.mark.slow
@pytest.mark.timeout(6 * 3600)
def test_a_graph_is_the_recount_or_a_refusal_at_length() -> None:
    assert_enough(sweep(2000, derandomize=False), 2000)
