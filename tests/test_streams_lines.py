"""What two streams add, and how far they lie apart, follows from the lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.test_documentation import docs_module

pages = docs_module("streams_lines")


def line(design: str, seed: int, unbiased: float, flipped: float, streams: bool = True, **more: Any) -> dict[str, Any]:
    """``full`` at .8 / .7, ``streams`` at what is given."""
    auroc = {"full": {"test_unbiased": 0.8, "test_flipped": 0.7}}
    if streams:
        auroc["streams"] = {"test_unbiased": unbiased, "test_flipped": flipped}
    return {"design": design, "seed": seed, "backbone": "concat", "auroc": auroc, "time": "2026-01-01", **more}


def test_differences_are_of_the_same_cohorts():
    lines = [line("a", 0, 0.9, 0.6), line("a", 1, 0.9, 0.5), line("a", 2, 0, 0, streams=False), line("b", 0, 0.5, 0.5)]
    lines.insert(0, line("a", 0, 0.1, 0.1, time="2025-01-01"))
    gaps = pages.gaps_of(lines)
    assert list(gaps) == ["a"], "one seed is no interval"
    assert gaps["a"].tolist() == [pytest.approx([0.1, -0.1]), pytest.approx([0.1, -0.2])]


def test_the_mean_is_over_designs_whatever_their_seeds():
    lines = [line("a", seed, 0.9, 0.7) for seed in range(2)] + [line("b", seed, 1.0, 0.7) for seed in range(4)]
    assert pages.over_designs(pages.gaps_of(lines))[0].startswith("+0.150 [")


def test_designs_with_a_practice_stand_by_themselves():
    lines = [line(design, seed, 0.9, 0.7) for design in ("latent", "graded", "no_bias", "collider") for seed in (0, 1)]
    kinds = pages.by_kind(pages.gaps_of(lines))
    assert {kind: list(each) for kind, each in kinds.items()} == {
        "designs with a practice": ["latent", "graded"],
        "the other designs": ["no_bias", "collider"],
    }
    text = "\n".join(pages.streams_together(lines))
    assert "mean over 2 designs with a practice" in text
    assert "mean over 2 others" in text


def test_how_far_streams_lie_apart_is_a_mean_over_seeds():
    names = ("causal", "biased", "none", "sum", "biased, GCE", "sum, GCE")

    def apart(seed: int, value: float) -> dict[str, Any]:
        each = {name: value + number / 100 for number, name in enumerate(names)}
        figures = {"inside": each, "auroc": each, "log_loss": each}
        return {"design": "latent", "seed": seed, "backbone": "concat", "time": "2026-01-01", **figures}

    head, row = pages.apart_rows([apart(0, 0.5), apart(1, 0.7)])
    found = dict(zip(head, row, strict=True))
    assert (found["design"], found["seeds"]) == ("``latent``", "2")
    assert found["practice told by: causal"] == "0.600"
    assert found["practice told by: ERM"] == "0.620"
    assert found["AUROC on test: sum"] == "0.630"
    assert found["log loss: sum, GCE"] == "0.650"


def test_the_words_are_means_over_designs_with_a_practice():
    def apart(design: str, biased: float) -> dict[str, Any]:
        each = {"none": 0.8, "causal": 0.5, "biased": biased, "sum": 0.81}
        return {"design": design, "seed": 0, "backbone": "concat", "time": "2026", "inside": each, "auroc": each} | {
            "log_loss": each
        }

    text = pages.apart_words([apart("latent", 0.9), apart("graded", 0.92), apart("no_bias", 0.1)])
    assert text.startswith("Over the 2 designs with a practice: the biased stream less ERM +0.110 [")
    assert "the causal one less ERM -0.300 [" in text
    assert "the sum less ERM in AUROC on ``test`` +0.010 [" in text


@pytest.mark.parametrize(
    ("name", "page"), [("streams_apart", "streams_apart"), ("forced_and_delivered", "streams_together")]
)
def test_the_lines_that_are_stored_make_a_page(name, page):
    file = Path(__file__).parents[1] / "benchmarks" / "results" / f"{name}.jsonl"
    text = "\n".join(getattr(pages, page)(docs_module("result_lines").read_lines(file)))
    assert text.startswith(".. list-table::")
    assert "nan" not in text
