"""Who trains is told by the split alone."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.receipt.receipt import SourceReceipt


def test_who_trains() -> None:
    rows = CohortRows(
        id=["a", "b", "c", "d"],
        subject=["1", "1", "2", "3"],
        split=["train", "train", "tuning", "training"],
        environment=None,
        groups={},
        y=np.zeros((4, 1), np.float32),
        outcomes=(),
        environment_name=None,
        table=None,
        label="patients.csv",
        own_columns=frozenset(),
        receipt=SourceReceipt("cohort", "cohort", [], 4, 4, 4),
    )
    assert rows.train.tolist() == [True, True, False, False]
    assert rows.train.dtype == np.bool_
    rows.split[3] = "train"
    assert rows.train.tolist() == [True, True, False, True]
