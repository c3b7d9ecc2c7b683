"""Candidates speak of the patients looked at, each pair of flag and patient once, and no value of another patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gdsfd.cohort.checks.candidates import Flags, Ranked, flag_all, leak_candidates
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.modality_kind import MODALITY_KINDS
from tests.cohort_factory import CODES, ITEMS, LEVELS, make_cohort


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return make_cohort(60)


@pytest.fixture(scope="module")
def place() -> np.ndarray:
    """Every second patient is looked at, in the opposite order."""
    place = np.full(60, -1)
    place[::2] = np.arange(30)[::-1]
    return place


def dense(candidate: Ranked | Flags) -> dict[str, dict[int, float]]:
    """Name -> number of a patient -> value."""
    if isinstance(candidate, Ranked):
        assert not np.isnan(candidate.values).any()
        name = f"{candidate.where} {candidate.what}".strip()
        return {name: dict(zip(candidate.patient.tolist(), candidate.values.tolist(), strict=True))}
    pairs = list(zip(candidate.flag.tolist(), candidate.patient.tolist(), strict=True))
    assert len(pairs) == len(set(pairs))
    return {
        f"{candidate.where} {what}": {patient: 1.0 for flag, patient in pairs if flag == number}
        for number, what in enumerate(candidate.what)
    }


def slow(cohort: Cohort, place: np.ndarray) -> dict[str, dict[int, float]]:
    """The same from loops over observations."""
    found: dict[str, dict[int, float]] = {}

    def put(name: str, row: int, value: float) -> None:
        found.setdefault(name, {})
        if place[row] >= 0:
            found[name][int(place[row])] = float(value)

    for name, observed in cohort.observations.items():
        for row in observed.patient:
            put(f"{name} presence", row, 1)
    chart, labs, codes = (cohort.observations[name] for name in ("chart", "labs", "diagnosis"))
    for edge, row in enumerate(chart.patient):
        for column, name in enumerate(("age", "pressure", "creatinine")):
            if not np.isnan(chart.numeric[edge, column]):
                put(f"chart.{name}", row, chart.numeric[edge, column])
                put(f"chart.{name} measured at all", row, 1)
        for column, (name, levels) in enumerate((("unit", LEVELS), ("ward", ("east", "west")))):
            cell = chart.categorical[edge, column]
            if cell > 0:
                put(f"chart.{name} measured at all", row, 1)
                words = "level seen in no training row" if cell == 1 else f"level {levels[cell - 2]!r}"
                put(f"chart.{name} {words}", row, 1)
    for edge, row in enumerate(labs.patient):
        put("labs number of values", row, labs.ptr[edge + 1] - labs.ptr[edge])
        put("labs step of the last value", row, max(labs.step[labs.ptr[edge] : labs.ptr[edge + 1]]))
        for cell in range(labs.summary_ptr[edge], labs.summary_ptr[edge + 1]):
            item = ITEMS[labs.summary_item[cell]]
            for column, what in ((1, "mean"), (5, "last")):
                put(f"labs.{item} {what}", row, labs.summary[cell, column])
            put(f"labs.{item} measured at all", row, 1)
    for edge, row in enumerate(codes.patient):
        put("diagnosis number of codes", row, codes.ptr[edge + 1] - codes.ptr[edge])
        for cell in range(codes.ptr[edge], codes.ptr[edge + 1]):
            words = ("any rare code", "a blank code", *(f"code {code!r}" for code in CODES))[codes.code[cell]]
            put(f"diagnosis {words}", row, 1)
    return found


def test_the_candidates_are_those_that_loops_find(cohort: Cohort, place: np.ndarray) -> None:
    offered: dict[str, dict[int, float]] = {}
    for candidate in leak_candidates(cohort, place):
        for name, values in dense(candidate).items():
            assert name not in offered
            offered[name] = values
    expected = slow(cohort, place)
    assert {name: values for name, values in offered.items() if values} == {
        name: values for name, values in expected.items() if values
    }


def test_a_kind_without_candidates_of_its_own_offers_its_flat_columns(
    cohort: Cohort, place: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = MODALITY_KINDS.find("embedding")
    assert not [each for each in leak_candidates(cohort, place) if isinstance(each, Ranked) and "note" in each.where]
    monkeypatch.setitem(MODALITY_KINDS._parts, "embedding", replace(kind, candidates=None))
    found = {each.where: dense(each) for each in leak_candidates(cohort, place) if isinstance(each, Ranked)}
    note = cohort.observations["note"]
    for at in range(note.vector.shape[1]):
        owners = {int(place[row]): float(note.vector[edge, at]) for edge, row in enumerate(note.patient)}
        owners.pop(-1, None)
        assert found[f"note.{at}"] == {f"note.{at}": owners}


def test_nobody_looked_at_has_no_candidate_value(cohort: Cohort) -> None:
    for candidate in leak_candidates(cohort, np.full(60, -1)):
        assert not len(candidate.patient)


def test_one_flag_for_all() -> None:
    flags = flag_all("labs", ["presence"], np.array([4, 2]))
    assert (flags.flag.tolist(), flags.patient.tolist(), flags.what) == ([0, 0], [4, 2], ["presence"])
