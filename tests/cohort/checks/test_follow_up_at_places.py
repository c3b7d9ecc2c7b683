"""Times to an event in another unit at one site."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gdsfd
from tests.cohort.survival_exports import survival_frames, survival_spec


def told(days: pd.Series, site: pd.Series) -> list[str]:
    cohort, labs, vitals = survival_frames(300)
    frames = (cohort.assign(days=days, site=site), labs, vitals)
    graph = gdsfd.build_graph(survival_spec(frames, intervals=4))
    return [finding.text for finding in graph.receipt.findings if finding.where == "death" and finding.kind == "range"]


COHORT = survival_frames(300)[0]
DAYS, SITE = COHORT["days"], pd.Series(np.random.default_rng(1).choice(["A", "B", "C"], 300))


@pytest.mark.parametrize(
    ("factor", "words"), [(1 / 7, "times as short"), (1 / 30.4, "times as short"), (24, "as long")]
)
def test_another_unit_at_one_site(factor: float, words: str) -> None:
    (text,) = told(DAYS.where(SITE != "B", DAYS * factor), SITE)
    assert text.startswith("times of environment 'B' are ")
    assert words in text
    assert "Are they in another unit?" in text


def test_sites_that_differ_are_no_finding() -> None:
    assert told(DAYS, SITE) == []
    for shortest in (DAYS.median() / 5, DAYS.quantile(0.2)):  # followed for a shorter time
        assert told(DAYS.where(SITE != "B", DAYS.clip(upper=shortest)), SITE) == []
    sicker = DAYS.where(SITE != "B", DAYS / 4)
    assert told(sicker, SITE) == []
    late = DAYS.where(SITE != "B", DAYS + 10 * DAYS.quantile(0.9))  # counted from an earlier day, by one number
    assert told(late, SITE) == []


def test_few_times_say_nothing() -> None:
    few = pd.Series(np.where(np.arange(300) < 19, "B", "A"))
    assert told(DAYS.where(few != "B", DAYS / 30), few) == []
