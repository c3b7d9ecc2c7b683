"""What two streams add follows from the lines of both modes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.test_documentation import docs_module

pages = docs_module("streams_lines")


def line(
    design: str, seed: int, unbiased: float, flipped: float, time: str = "2026-01-01", **more: Any
) -> dict[str, Any]:
    auroc = {"test_unbiased": unbiased, "test_flipped": flipped}
    return {"design": design, "seed": seed, "backbone": "concat", "auroc": auroc, "time": time, **more}


def full(design: str, seed: int, unbiased: float, flipped: float) -> dict[str, Any]:
    made = line(design, seed, unbiased, flipped)
    return {**made, "auroc": {"full": made["auroc"], "none": {}}}


def test_differences_are_of_the_same_cohorts():
    latent = [line("a", 0, 0.8, 0.7), line("a", 1, 0.7, 0.6), line("a", 2, 0.5, 0.5), line("b", 0, 0.5, 0.5)]
    gaps = pages.gaps_of(latent, [full("a", 0, 0.9, 0.6), full("a", 1, 0.8, 0.4), full("b", 0, 0.5, 0.5)])
    assert list(gaps) == ["a"], "one seed is no interval"
    assert gaps["a"].tolist() == [pytest.approx([0.1, -0.1]), pytest.approx([0.1, -0.2])]


def test_the_mean_is_over_designs_whatever_their_seeds():
    latent = [line(design, seed, 0.5, 0.5) for design in "ab" for seed in range(2 if design == "a" else 4)]
    both = [full(each["design"], each["seed"], 0.6 if each["design"] == "a" else 0.7, 0.5) for each in latent]
    assert pages.over_designs(pages.gaps_of(latent, both))[0].startswith("+0.150 [")


def test_the_lines_that_are_stored_make_a_page():
    file = Path(__file__).parents[1] / "benchmarks" / "results" / "streams_at_default.jsonl"
    text = "\n".join(pages.streams_at_default(docs_module("result_lines").read_lines(file)))
    assert text.startswith(".. list-table::")
    assert "mean over designs" in text
    assert "nan" not in text
