"""Planted cohorts hold what they say they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from gdsfd.cohort.spec import load_spec
from gdsfd.errors import InputError
from gdsfd.fusion_study.planted import PLANTED, log_odds_of, write_planted


@pytest.mark.parametrize("kind", PLANTED)
def test_the_outcome_follows_what_was_planted(kind, tmp_path):
    spec = write_planted(tmp_path, kind, patients=20000, seed=1)
    table = pd.read_csv(tmp_path / "patients.csv")
    a, b = table["lactate"].to_numpy(), table["lesion"].to_numpy()
    design = np.column_stack([a, b, a * b, table["sodium"], table["contrast"], table["length"], table["tone"]])
    found = LogisticRegression(C=1e6).fit(design, table["ill"]).coef_[0]
    assert found == pytest.approx([*PLANTED[kind], 0, 0, 0, 0], abs=0.12)
    assert table["ill"].mean() == pytest.approx(expit(log_odds_of(kind, a, b)).mean(), abs=0.01)
    assert [each.name for each in load_spec(spec).modality] == ["labs", "notes", "imaging"]
    assert pd.read_csv(tmp_path / "patients.csv").equals(table)


def test_an_unknown_cohort_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="no cohort 'additiv'"):
        write_planted(tmp_path / "new", "additiv")
    assert not (tmp_path / "new").exists()
