from __future__ import annotations

import pytest

from gdsfd.cohort.formats.request import read_request
from gdsfd.errors import SpecError

MEDS = {"format": "meds", "source": "d", "labels": "l"}
OMOP = {**MEDS, "format": "omop"}


def test_fields_of_the_format_are_taken_and_others_left() -> None:
    request, rest = read_request({**MEDS, "environment": "site", "vocabulary": {"lab": "LAB//", "dx": ["A", "B"]}}, ".")
    assert rest == {"environment": "site"}
    assert [group.prefix for group in request.vocabulary.values()] == [["LAB//"], ["A", "B"]]
    assert request.window == (-52_596_000, 0)
    request, _ = read_request({**OMOP, "vocabulary": {"lab": {"table": "measurement", "where": "x > 1"}}}, ".")
    assert (request.vocabulary["lab"].table, request.vocabulary["lab"].where) == ("measurement", "x > 1")


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        ({"format": "meds", "source": "d"}, "labels: is required but missing"),
        ({**MEDS, "vocabulary": {"lab": {"table": "measurement"}}}, "vocabulary.lab: expected beginnings of codes"),
        ({**OMOP, "vocabulary": {"lab": {"prefix": "LAB//"}}}, "vocabulary.lab: expected a table"),
        ({**OMOP, "vocabulary": {"lab": {"table": "m", "where": "sum(x) > 1"}}}, "works over several rows"),
        ({**OMOP, "vocabulary": {"lab": {"tabel": "m"}}}, "tabel: unknown key"),
        ({**OMOP, "vocabulary": {"lab": {"vocabulary_id": "LOINC"}}}, "vocabulary.lab: expected a table"),
        ({**MEDS, "vocabulary": {"lab": {"prefix": "L", "domain_id": "Drug"}}}, "lab: expected beginnings of codes"),
        ({**MEDS, "bin": 0}, "bin: expected a number"),
        ({**MEDS, "window": [-2880, 1440]}, "window: .*what comes after it is not known when the prediction is made"),
        ({**MEDS, "zone": "UTC"}, "zone: MEDS's times have no offset"),
    ],
)
def test_wrong_fields(cohort, message) -> None:
    with pytest.raises(SpecError, match=message):
        read_request(cohort, ".")
