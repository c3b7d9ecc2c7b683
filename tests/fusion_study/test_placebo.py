"""The placebo's gain against the model without the modality."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gdsfd.fusion_study.placebo import placebos
from gdsfd.fusion_study.questions.when import when
from tests.fusion_study.material import material, whole_and_restricted

ALONE = {"labs": 1.0, "notes": 0.2, "imaging": 0.3}


def made(permuted: float):
    shifts = whole_and_restricted(2.0, ALONE, {"labs": 0.5, "notes": 1.9, "imaging": 1.7})
    shifts["boosting, labs permuted", "natural"] = permuted
    found = material(shifts, patients=1000)
    return replace(found, plan=replace(found.plan, placebos=("labs",)))


def test_the_gain_is_over_the_model_without_the_modality() -> None:
    own = made(0.5)
    (row,) = placebos(own).to_dict("records")
    gaps = np.array(own.by_seed("boosting, labs permuted")) - np.array(own.by_seed("boosting, without labs"))
    assert row["gain"] == pytest.approx(gaps.mean())
    assert row["verdict"] != "better"
    assert "placebo" in when(own).tables
    assert not any("Beware" in each for each in when(own).sentences)


def test_a_placebo_that_helps_is_a_warning_on_the_first_page() -> None:
    own = made(1.0)
    assert placebos(own)["verdict"].tolist() == ["better"]
    assert when(own).sentences[-1].startswith("Beware")


def test_without_placebos_there_is_nothing() -> None:
    own = made(0.5)
    assert len(placebos(replace(own, plan=replace(own.plan, placebos=())))) == 0
