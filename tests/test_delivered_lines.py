"""Tables of ``full`` forced and as delivered follow from the lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from tests.test_documentation import docs_module

pages = docs_module("delivered_lines")


def line(design: str, seed: int, choice: str = "debiased", **areas: float) -> dict[str, Any]:
    both = {arm: {"test_unbiased": area, "test_flipped": area - 0.1} for arm, area in areas.items()}
    return {"design": design, "seed": seed, "backbone": "concat", "choice": choice, "auroc": both}


LINES = [
    line("latent", 20, none=0.7, full=0.80, boosting_strata=0.78),
    line("latent", 21, none=0.7, full=0.82, boosting_strata=0.81),
    line("no_bias", 20, "reference", none=0.8, full=0.801),
    line("no_bias", 21, "reference", none=0.8, full=0.8),
    line("nonlinear", 20, none=0.6, full=0.7, boosting_strata=0.71),
]


def test_means_count_what_was_delivered():
    head, *rows = pages.means_of(LINES)
    assert head == ("design", "seeds", "debiased delivered", "none", "full", "boosting_strata")
    assert rows[0] == ("latent", "2", "2", ".700 / .600", ".810 / .710", ".795 / .695")
    assert rows[1][2] == "0"
    assert rows[1][-1] == "–"


def test_differences_are_paired_with_scipys_interval():
    rows = {(row[0], row[1]): row for row in pages.differences_of(LINES)}
    gaps = np.array([0.1, 0.12])
    low, high = ttest_1samp(gaps, 0).confidence_interval()
    assert rows["latent", "full − none"][3] == f"{gaps.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
    assert ("nonlinear", "full − none") not in rows  # one seed has no interval


@pytest.mark.parametrize(
    ("gaps", "word"),
    [
        ([0.001, 0.002, 0.0], "within .01"),
        ([0.02, 0.03, 0.025], "above 0"),
        ([-0.004, 0.014, 0.008], "not below by .01"),
        ([-0.05, 0.05, 0.0], ""),
    ],
)
def test_words_follow_from_one_sided_tests(gaps, word):
    found = np.array(gaps)
    above = ttest_1samp(found, -0.01, alternative="greater").pvalue < 0.05
    below = ttest_1samp(found, 0.01, alternative="less").pvalue < 0.05
    positive = ttest_1samp(found, 0, alternative="greater").pvalue < 0.05
    expected = "within .01" if above and below else "above 0" if positive else "not below by .01" if above else ""
    assert pages.verdict(found) == expected == word


def test_the_mean_over_designs_weighs_each_alike():
    said = pages.over_designs(LINES)
    low, high = ttest_1samp([0.015, -0.01], 0).confidence_interval()
    assert f"is +0.002 [{low:+.3f}, {high:+.3f}]" in said or f"is +0.003 [{low:+.3f}, {high:+.3f}]" in said
    assert said.startswith("Over 2 designs")
    assert pages.over_designs(LINES[2:4]) == ""


def test_verdicts_are_right_or_the_choice_does_not_matter():
    lines = [*LINES, line("graded", 20, "reference", none=0.7, full=0.73), line("harder", 20, none=0.7, full=0.68)]
    said = pages.verdicts(lines)
    assert said.startswith("The guard was right in 5 of 7 cohorts")
    assert "missed is 0.030, the largest loss that it delivered 0.020" in said


def test_of_a_design_with_nothing_to_take_out_it_is_right_to_leave_it():
    lines = [
        line("no_bias", 20, "reference", none=0.7, full=0.73),  # two networks that differ by chance
        line("no_bias", 21, "debiased", none=0.7, full=0.703),
        line("latent", 20, "debiased", none=0.7, full=0.73),
        line("confounded_noise_40", 20, "debiased", none=0.7, full=0.6),
    ]
    said = pages.verdicts(lines)
    assert said.startswith("The guard was right in 2 of 3 cohorts")
    assert (
        "in the 2 with nothing to take out it is right to leave them alone; by the gain alone it was right in 2)"
        in said
    )
    assert "missed is 0.000, the largest loss that it delivered 0.000" in said
    assert "Where labels are wrong beside a practice: The guard was right in 0 of 1 cohorts" in said


def test_the_number_of_practices_is_counted_where_there_is_one():
    lines = [
        line("latent", 20, full=0.8) | {"strata": {"classes": 2}},
        line("three_practices", 20, full=0.8) | {"strata": {"classes": 2}},
        line("graded", 20, full=0.8) | {"strata": {"classes": 2}},
    ]
    assert pages.right_number(lines) == "The number of practices was right in 1 of 2 cohorts that have one."


def test_each_part_of_the_default_has_the_designs_on_which_it_pays_and_costs():
    def cohort(design: str, seed: int, used: bool, **areas: float) -> dict[str, Any]:
        return {**line(design, seed, **areas), "strata": {"used": used}}

    own = [
        *(cohort("latent", 20 + k, True, none=0.7, margin=0.74 + k / 1e3, full=0.80 + k / 99) for k in range(3)),
        *(cohort("collider", 20 + k, False, none=0.8, full=0.78 + k / 1e3) for k in range(3)),  # full is margin there
        *(cohort("harder_bias", 20 + k, True, none=0.7, full=0.7 + (-1) ** k / 50) for k in range(3)),
    ]
    for each in own:
        each["auroc"]["delivered"] = each["auroc"]["full" if each["design"] == "latent" else "none"]
    margin, strata, forced, delivered = pages.part_rows(own)
    assert margin[1:] == ("latent +0.041", "collider -0.019", "none")  # harder_bias has no margin beside its strata
    assert strata[1:] == ("latent +0.069", "none", "collider +0.000")
    assert forced[1:] == ("latent +0.110", "collider -0.019", "harder_bias +0.007")
    assert delivered[1:] == ("latent +0.110", "none", "collider +0.000, harder_bias +0.000")


def test_boosting_is_judged_as_networks_are():
    def cohort(design: str, seed: int, choice: str, plain: float, told: float) -> dict[str, Any]:
        areas = {"reference": plain, "debiased": told}
        return line(design, seed, choice, **areas)

    own = [
        cohort("latent", 20, "debiased", 0.7, 0.8),
        cohort("latent", 21, "reference", 0.7, 0.76),
        cohort("no_bias", 20, "reference", 0.7, 0.72),  # nothing to take out: right to leave it, whatever chance says
    ]
    text = "\n".join(pages.boosting_verdicts(own))
    assert "The guard was right in 2 of 3 cohorts" in text
    assert "the largest gain that it missed is 0.060, the largest loss that it delivered 0.000" in text
    rows = [[cell.strip() for cell in row.replace("\n     - ", "|").split("|")] for row in text.split("* - ")[2:]]
    assert rows[0][:3] == ["``latent``", "2", "1"]
    assert rows[0][4] == "0.060"
    assert rows[1][:2] == ["``no_bias``", "1"]
    assert rows[1][3] == "+0.020"
