"""Vectors that stand for nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks import same_vectors
from gdsfd.cohort.checks.same_vectors import find_same_vectors
from tests.cohort.small_exports import patients, spec

COUNT = 200


def told(vectors: np.ndarray) -> list[tuple[str, str]]:
    frame = pd.DataFrame({"pid": patients(COUNT).pid, "vec": list(vectors)})
    entry = {"name": "note", "kind": "embedding", "source": frame, "id": "pid", "columns": "vec"}
    cohort = build_cohort(spec(entry, cohort={"source": patients(COUNT)}))
    found = find_same_vectors(cohort)
    assert all(finding in cohort.receipt.findings for finding in found)
    return [(finding.where, finding.text) for finding in found]


@pytest.mark.parametrize(("stored", "words"), [(0.0, "only zeros"), (0.25, "one and the same vector")])
def test_a_vector_for_nothing(stored: float, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_vectors, "_ROWS", 64)
    vectors = np.random.default_rng(0).normal(size=(COUNT, 6))
    vectors[3::10] = stored
    ((where, text),) = told(vectors)
    assert where == "note"
    assert text.startswith(f"20 of 200 patients have {words}: is it stored where there was nothing to encode?")


def test_ordinary_vectors() -> None:
    vectors = np.random.default_rng(0).normal(size=(COUNT, 6))
    assert told(vectors) == []
    vectors[:9] = 0  # few
    assert told(vectors) == []
    vectors = np.random.default_rng(0).normal(size=(COUNT, 6))
    vectors[:50, :5] = 0  # alike but for a component
    assert told(vectors) == []
