from __future__ import annotations

import math

import pytest

from gdsfd.comparison.statistics import paired, share_closed
from gdsfd.comparison.summary import summarise

ERM = {0: 0.80, 1: 0.82, 2: 0.81}
FULL = {0: 0.86, 1: 0.87, 2: 0.88}
ORACLE = {0: 0.90, 1: 0.91, 2: 0.90}


def test_a_row_has_paired_differences_and_the_share_of_the_oracles_distance(lines):
    arms = {"none": ERM, "full": FULL, "oracle": ORACLE, "none (matched)": {0: 0.81, 1: 0.82, 2: 0.82}}
    (design,) = summarise(lines(arms))
    row = design.tables["test_unbiased"].row("muse", "full")
    known = paired(list(FULL.values()), list(ERM.values()))
    assert (row.minus_erm.mean, row.minus_erm.low, row.minus_erm.p) == (known.mean, known.low, known.p)
    assert row.minus_matched.mean == pytest.approx(0.16 / 3)
    assert row.closed.value == share_closed([*FULL.values()], [*ERM.values()], [*ORACLE.values()]).value
    assert row.means["auroc"].value == pytest.approx(0.87)
    assert (design.alike, design.shifted, design.seeds) == ("test", "test_unbiased", (0, 1, 2))
    erm = design.tables["test_unbiased"].row("muse", "none")
    assert erm.minus_erm is None
    assert not erm.closed.defined


def test_seeds_are_paired_by_number_not_by_place(lines):
    (design,) = summarise(lines({"none": ERM, "full": {2: 0.88, 0: 0.86}}))
    row = design.tables["test_unbiased"].row("muse", "full")
    assert row.minus_erm.n == 2
    assert row.minus_erm.mean == pytest.approx((0.06 + 0.07) / 2)


def test_environments_are_averaged_inside_a_seed_and_a_seed_has_to_be_whole(lines):
    erm = {(seed, name): 0.7 + 0.1 * (name == "b") + 0.01 * seed for seed in range(3) for name in "ab"}
    full = {key: value + (0.04 if key[1] == "a" else 0.00) for key, value in erm.items()}
    del full[2, "b"]  # not fitted yet
    (design,) = summarise(lines({"none": erm, "full": full}))
    row = design.tables["test"].row("muse", "full")
    assert (design.holdouts, design.alike, design.shifted) == (("a", "b"), "tuning", "test")
    assert row.minus_erm.n == 2
    assert row.minus_erm.mean == pytest.approx(0.02)
    figure, gap = row.by_holdout["a"]
    assert (gap.n, gap.mean) == (3, pytest.approx(0.04))
    assert figure.value == pytest.approx(0.75)
    assert row.by_holdout["b"][1].mean == pytest.approx(0.0)


def test_an_environment_of_one_class_counts_for_nobody(lines):
    erm = {(seed, name): math.nan if name == "b" else 0.7 + 0.01 * seed for seed in range(2) for name in "ab"}
    full = {key: value + 0.02 for key, value in erm.items()}
    (design,) = summarise(lines({"none": erm, "full": full}))
    row = design.tables["test"].row("muse", "full")
    assert row.minus_erm.mean == pytest.approx(0.02)
    assert not row.by_holdout["b"][0].defined


def test_holm_is_over_arms_and_backbones_of_a_table(lines):
    muse = lines({"none": ERM, "full": FULL, "dfd": {0: 0.80, 1: 0.83, 2: 0.81}})
    concat = lines({"none": ERM, "full": {0: 0.85, 1: 0.86, 2: 0.87}}, backbone="concat")
    (design,) = summarise(muse + concat)
    gaps = [row.minus_erm for row in design.tables["test_unbiased"].rows if row.minus_erm is not None]
    assert len(gaps) == 3
    smallest = min(gaps, key=lambda gap: gap.p)
    assert smallest.p_adjusted == pytest.approx(min(1, 3 * smallest.p))


def test_the_guards_choices_are_counted(lines):
    guard = {0: "debiased", 1: "reference", 2: "debiased"}
    (design,) = summarise(lines({"none": ERM, "full": FULL, "full (forced)": FULL}, guard=guard))
    table = design.tables["test_unbiased"]
    assert (table.row("muse", "full").guard.used, table.row("muse", "full").guard.fits) == (2, 3)
    assert table.row("muse", "full (forced)").guard is None


def test_baselines_stand_beside_every_backbone(lines):
    (design,) = summarise(lines({"none": ERM, "boosting": {0: 0.79, 1: 0.79, 2: 0.79}}))
    table = design.tables["test_unbiased"]
    assert table.row("", "boosting").minus_erm is None
    assert table.row("muse", "none").minus_boosting.mean == pytest.approx(0.02)
    assert [row.arm for row in table.rows] == ["none", "boosting"]


def test_one_seed_and_nothing(lines):
    assert summarise([]) == []
    (design,) = summarise(lines({"none": {0: 0.8}, "full": {0: 0.9}}))
    assert design.tables["test_unbiased"].row("muse", "full").minus_erm.verdict == "no interval"


def test_the_shifted_split_can_be_chosen(lines):
    records = lines({"none": ERM}, split="test_flipped") + lines({"full": FULL}, split="later")
    assert summarise(records)[0].shifted == "test_flipped"
    assert summarise(records, shifted="later")[0].shifted == "later"
    assert summarise(lines({"none": ERM}, split="test", alike=0.8))[0].shifted is None
