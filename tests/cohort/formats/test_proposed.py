from __future__ import annotations

from gdsfd.cohort.formats.proposed import modality_name, times_of
from gdsfd.cohort.formats.request import read_request


def test_names_are_plain_and_differ() -> None:
    assert modality_name("ICD-10: dx//", []) == "icd_10_dx"
    assert modality_name("LAB", ["lab", "lab_2"]) == "lab_3"


def test_the_whole_window_is_one_step_unless_told() -> None:
    request, _ = read_request({"format": "meds", "source": "d", "labels": "l", "window": [-600, 0]}, ".")
    assert times_of(request, "t", "events") == {
        "time": "t", "origin": "prediction_time", "window": [-600, 0], "bin": 600,
    }  # fmt: skip
    assert "bin" not in times_of(request, "t", "codes")
