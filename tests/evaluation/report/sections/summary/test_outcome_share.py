"""Where the outcome is as common as in training nothing is said; where it is not, what follows from it is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gdsfd
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.sections.summary.outcome_share import share_sentences

NEW = JudgedPopulation(split="new", kind="new", patients=2000, subjects=2000, source=(), of_cohort=2000)


def result(worth: float = 1.0, **targets: tuple[int, int]) -> Any:
    scored = [SimpleNamespace(positives=positives, n=n, worth=n * worth) for positives, n in targets.values()]
    return SimpleNamespace(names=tuple(targets), model=SimpleNamespace(targets=scored))


def words(judged: Any, kind: str = "new", **tuning: tuple[int, int]) -> str:
    return " ".join(share_sentences(judged, replace(NEW, kind=kind, tuning_outcomes=tuning)))


def test_a_rarer_and_a_more_frequent_outcome() -> None:
    rarer = words(result(died=(110, 2000)), died=(68, 147))
    assert rarer.startswith(
        "The outcome is rarer than among the tuning patients: 46.3\xa0% (68 of 147) there, 5.5\xa0% here. Where that "
    )
    assert "risks are too high here and fewer of those above the threshold have the outcome" in rarer
    frequent = words(result(died=(900, 2000)), "held out", died=(10, 147))
    assert "more frequent than" in frequent
    assert "risks are too low here and more of those" in frequent


@pytest.mark.parametrize(
    ("kind", "tuning"),
    [
        ("new", {"died": (9, 147)}),  # within chance
        ("new", {"died": (1, 4)}),  # too few to tell
        ("new", {}),  # a run of before
        ("tuning", {"died": (68, 147)}),
        ("unknown", {"died": (68, 147)}),
    ],
)
def test_nothing_is_said(kind: str, tuning: dict[str, tuple[int, int]]) -> None:
    assert words(result(died=(110, 2000)), kind, **tuning) == ""
    assert list(share_sentences(result(died=(110, 2000)), None)) == []


def test_stays_of_one_person_are_not_as_many_patients() -> None:
    """250 of 2,000 beside 30 of 147 is beyond chance, but not where many stays are one person, here or there."""
    tuning = {"died": (30, 147)}
    assert words(result(died=(250, 2000)), **tuning) != ""
    assert words(result(worth=0.02, died=(250, 2000)), **tuning) == ""
    few = replace(NEW, tuning_outcomes=tuning, tuning=147, tuning_persons=15)
    assert list(share_sentences(result(died=(250, 2000)), few)) == []
    every = replace(few, tuning_persons=147)
    assert list(share_sentences(result(died=(250, 2000)), every)) != []


def test_of_several_targets_those_that_differ_are_named() -> None:
    text = words(result(a=(110, 2000), b=(700, 2000), c=(0, 0)), a=(68, 147), b=(10, 147), c=(70, 147))
    assert text.startswith("2 of 3 targets are rarer or more frequent than among the tuning patients: a 46.3")
    assert "risks are off here" in text


def test_a_model_of_cases_and_controls_elsewhere() -> None:
    random = np.random.default_rng(0)

    def spec(shares: dict[str, float], first: int) -> Any:
        rows = [(split, random.random() < share) for split, share in shares.items() for _ in range(120)]
        split, died = zip(*rows)
        ids = range(first, first + len(rows))
        table = pd.DataFrame({"id": ids, "x": random.normal(size=len(rows)) + np.array(died)})
        return gdsfd.CohortSpec(
            cohort={"source": pd.DataFrame({"id": ids, "split": split, "died": np.array(died, int)}), "id": "id"},
            outcome={"name": "died", "column": "died", "positive": 1, "negative": 0},
            split={"kind": "column", "column": "split"},
            modality=[{"name": "table", "kind": "table", "source": table, "id": "id", "columns": ["x"]}],
        )

    graph = gdsfd.build_graph(spec({"train": 0.5, "tuning": 0.5, "test": 0.5}, 0))
    model = gdsfd.Debiaser(backbone="concat", max_epochs=1, members=1, boosted_members=0, seed=0)
    model.fit(graph, baselines=False)
    elsewhere = gdsfd.build_graph(spec({"a": 0.1, "b": 0.1}, 1000), like=model)
    for judged, told in ((graph, False), (elsewhere, True)):
        report = gdsfd.evaluate(model, judged, baselines=False, probes=False, resamples=20, progress=False)
        (population,) = report.metrics["population"].values()
        positives, labelled = population["tuning_outcomes"]["died"]
        assert population["tuning_persons"] == 120
        assert (labelled, positives) == (120, int(graph["patient"].y[120:240].sum()))
        assert ("rarer than among the tuning patients" in report.html()) is told
