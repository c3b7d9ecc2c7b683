"""Vectors of another model at one site."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.other_vectors import find_other_vectors
from tests.cohort.small_exports import patients, spec

COUNT, WIDTH = 320, 96


class Model:
    """Writes vectors of what was seen: some directions vary more than others, and none has a mean of zero."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.turned = np.linalg.qr(random.normal(size=(WIDTH, WIDTH)))[0] * np.arange(1, WIDTH + 1) ** -0.5
        self.mean = 0.2 * random.normal(size=WIDTH)

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        return seen @ self.turned.T + self.mean


MODEL, OTHER = Model(1), Model(2)
SEEN = np.random.default_rng(0).normal(size=(COUNT, WIDTH))
SITE = np.random.default_rng(7).choice(["north", "south", "east"], COUNT)


def told(vectors: np.ndarray, site: np.ndarray = SITE) -> list[str]:
    frame = pd.DataFrame({"pid": patients(COUNT).pid, "vec": list(vectors)})
    entry = {"name": "note", "kind": "embedding", "source": frame, "id": "pid", "columns": "vec"}
    cohort = build_cohort(spec(entry, cohort={"source": patients(COUNT).assign(site=site), "environment": "site"}))
    found = find_other_vectors(cohort)
    assert all(finding in cohort.receipt.findings for finding in found)
    assert {finding.where for finding in found} <= {"note"}
    return [finding.text for finding in found]


def at_south(change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Vectors of which those of one site are changed."""
    vectors = MODEL(SEEN)
    south = SITE == "south"
    vectors[south] = change(vectors[south])
    return vectors


@pytest.mark.parametrize(
    "vectors",
    [
        np.where((SITE == "south")[:, None], OTHER(SEEN), MODEL(SEEN)),
        at_south(lambda v: 10 * v),
        at_south(lambda v: v / np.linalg.norm(v, axis=1, keepdims=True)),
        at_south(lambda v: v[:, ::-1]),
    ],
    ids=["another model", "another scale", "normalised", "another order"],
)
def test_another_models_vectors_at_one_site(vectors: np.ndarray) -> None:
    (text,) = told(vectors)
    assert text.startswith("vectors of environment 'south' are others: ")
    assert "Are they of another model or version of it" in text


def test_sites_whose_patients_merely_differ_are_no_finding() -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        seen = random.normal(size=(COUNT, WIDTH))
        assert told(MODEL(seen)) == []
        seen[SITE == "south"] += random.normal(size=WIDTH) * (np.arange(WIDTH) < 6)  # a half or so of a spread apart
        assert told(MODEL(seen)) == []


def test_few_vectors_say_nothing() -> None:
    few = np.where(np.arange(COUNT) < 19, "south", "north")
    assert told(np.where((few == "south")[:, None], OTHER(SEEN), MODEL(SEEN)), few) == []
    assert told(np.where((few == "south")[:, None], 0.25, MODEL(SEEN)), few) == []


def test_without_an_environment_nothing_is_compared() -> None:
    frame = pd.DataFrame({"pid": patients(COUNT).pid, "vec": list(at_south(lambda v: 10 * v))})
    entry = {"name": "note", "kind": "embedding", "source": frame, "id": "pid", "columns": "vec"}
    assert find_other_vectors(build_cohort(spec(entry, cohort={"source": patients(COUNT)}))) == []
