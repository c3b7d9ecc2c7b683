"""The table on planted practices follows from its lines."""

from __future__ import annotations

from typing import Any

from tests.test_documentation import docs_module

pages = docs_module("planted_lines")


def line(seed: int, world: str = "practice", used: bool = True, strata: float = 0.8, **other: Any) -> dict[str, Any]:
    given = {"cohort": "support2", "world": world, "seed": seed, "commit": "0123456789ab", "dirty": False}
    areas = {"boosting_margin": 0.7, "boosting_strata": strata}
    auroc = {arm: {"test_unbiased": area, "test_flipped": area - 0.1} for arm, area in areas.items()}
    return given | {"strata": {"used": used}, "auroc": auroc} | other


def test_rows_count_what_was_found_and_the_newest_line_of_a_seed_counts():
    lines = [line(0, strata=0.1), line(0), line(1, used=False, strata=0.7), line(0, "none", False, 0.7)]
    head, planted, null = pages.planted_rows(lines)
    assert head[4:] == ["``boosting_margin``", "``boosting_strata``"]
    assert planted == ["SUPPORT2", "goes with the outcome", "2", "1 of 2", ".700 / .600", ".750 / .650"]
    assert null == ["SUPPORT2", "says nothing of it", "1", "0 of 1", ".700 / .600", ".700 / .600"]


def test_the_gain_is_of_cohorts_in_which_a_practice_that_goes_with_the_outcome_is_found():
    lines = [line(0), line(1, strata=0.75), line(2, used=False, strata=0.2), line(0, "none", strata=0.1)]
    text = "\n".join(pages.planted_practice(lines))
    assert "in the 2 of 3 draws" in text
    assert "+0.075 (+0.050 to +0.100) unbiased, +0.075 (+0.050 to +0.100) turned round" in text
    assert "Commit ``01234567``." in text


def test_an_arm_that_some_cohorts_lack_is_a_dash_there():
    network = {"none": {"test_unbiased": 0.5, "test_flipped": 0.4}}
    lines = [line(0), line(0, cohort="uci_heart", auroc=line(0)["auroc"] | network)]
    head, without, beside = pages.planted_rows(lines)
    assert head[4] == "``none``"
    assert (without[4], beside[4]) == ("–", ".500 / .400")


def test_networks_count_by_what_the_guard_delivers():
    assert pages.network_words([line(0), line(1)]) == ""
    areas = {arm: {"test_unbiased": area, "test_flipped": 0.4} for arm, area in (("none", 0.7), ("full", 0.9))}
    taken = line(0, backbone="concat", choice="debiased", auroc=areas | {"delivered": areas["full"]})
    left = line(1, backbone="concat", choice="reference", auroc=areas | {"delivered": areas["none"]})
    text = pages.network_words([taken, left, line(2), line(0, "none", backbone="concat", auroc=taken["auroc"])])
    assert "over 2 draws of SUPPORT2: +0.100 (+0.000 to +0.200) unbiased, +0.000 (+0.000 to +0.000) turned" in text
    assert text.endswith("it delivered ``full`` in 1.")
