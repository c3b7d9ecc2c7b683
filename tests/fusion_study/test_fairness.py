from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.comparison.statistics import holm
from gdsfd.errors import InputError
from gdsfd.fusion_study.fairness import gap_difference, gaps, judged, shrunken
from gdsfd.fusion_study.paired_auroc import auroc_parts, error_by_subject

Case = tuple[pd.DataFrame, pd.DataFrame, dict[tuple[str, int, str], float]]


def planted(seed: int, noise: float = 0.0, halved: bool = False, patients: int = 1000) -> Case:
    """Two groups of a half each; B has a noisier sensor or half the events. Two learners: the second says less."""
    random = np.random.default_rng(seed)
    group = np.arange(patients) % 2
    y = (random.random(patients) < np.where((group == 1) & halved, 0.15, 0.3)).astype(float)
    score = 1.5 * y + random.normal(size=patients) + noise * group * random.normal(size=patients)
    ids = np.array([f"p{each:05d}" for each in range(patients)])
    base = pd.DataFrame({"id": ids, "subject": ids, "seed": 0, "condition": "natural", "target": "event", "y": y})
    p = {"one": 1 / (1 + np.exp(-score)), "two": 1 / (1 + np.exp(-(score + random.normal(size=patients))))}
    table = pd.concat([base.assign(learner=name, p=own) for name, own in p.items()], ignore_index=True)
    facts = pd.DataFrame({"id": ids, "group:ward": np.where(group == 1, "B", "A")})
    return table, facts, {(name, 0, "event"): 0.75 for name in p}


def only(case: Case, learner: str) -> Case:
    return case[0][case[0]["learner"] == learner], case[1], case[2]


def test_gaps_by_loops():
    table, facts, thresholds = planted(0, noise=1.0)
    facts.loc[:39, "group:ward"] = "C"  # 40 patients: too few
    found = gaps(table, facts, ["ward"], thresholds, permutations=200).set_index(["learner", "figure"])
    wide = table.merge(facts, on="id")
    for learner in ("one", "two"):
        own = wide[wide["learner"] == learner]
        parts = {name: own[own["group:ward"] == name] for name in "AB"}
        areas = {name: roc_auc_score(each["y"], each["p"]) for name, each in parts.items()}
        rates = {
            name: [(each.loc[each["y"] == label, "p"] >= 0.75).mean() for label in (1, 0)]
            for name, each in parts.items()
        }
        row = found.loc[learner, "auroc"]
        assert row["gap"] == pytest.approx(abs(areas["A"] - areas["B"]))
        assert row["highest"] == max(areas, key=areas.get)
        for number, figure in enumerate(("tpr", "fpr")):
            assert found.loc[(learner, figure), "gap"] == pytest.approx(abs(rates["A"][number] - rates["B"][number]))
        assert row["too_few"] == {"C": 40}
        assert found.loc[learner, "p_adjusted"].tolist() == pytest.approx(holm(found.loc[learner, "p"].tolist()))
    assert found.loc["one", "auroc"]["null_median"] < found.loc["one", "auroc"]["null_95"]


def test_the_null_by_permuting_one_at_a_time():
    table, facts, thresholds = only(planted(1, patients=400), "one")
    row = gaps(table, facts, ["ward"], thresholds, permutations=1500).set_index("figure").loc["auroc"]
    random, group, slow = np.random.default_rng(9), facts["group:ward"].to_numpy().copy(), []
    y, p = table["y"].to_numpy(), table["p"].to_numpy()
    for _ in range(400):
        for label in (0, 1):
            group[y == label] = random.permutation(group[y == label])
        a, b = (auroc_parts(y[group == name], p[group == name])[0] for name in "AB")
        slow.append(abs(a - b))
    assert row["null_95"] == pytest.approx(np.quantile(slow, 0.95), rel=0.15)
    assert row["null_median"] == pytest.approx(np.median(slow), rel=0.15)
    assert row["p"] == pytest.approx(np.mean(np.array(slow) >= row["gap"]), abs=0.07)


@pytest.mark.parametrize(("noise", "halved", "least", "most"), [(0.0, True, 0, 1), (1.6, False, 9, 10)])
def test_planted_groups_alarm_when_they_should(noise, halved, least, most):
    alarms = [
        gaps(*(case := only(planted(seed, noise, halved), "one"))[:2], ["ward"], case[2], 200)["alarm"].any()
        for seed in range(10)
    ]
    assert least <= sum(alarms) <= most


def test_groups_too_few_and_missing_thresholds_are_never_zero():
    table, facts, thresholds = only(planted(2), "one")
    facts["group:site"], facts["group:rare"] = "X", np.where(np.arange(1000) < 30, "few", "many")
    found = gaps(table, facts, ["ward", "site", "rare"], {}, 50).set_index(["attribute", "figure"])
    assert math.isfinite(found.loc[("ward", "auroc"), "gap"])
    assert found.loc[("ward", "tpr"), "gap"] != found.loc[("ward", "tpr"), "gap"]
    assert found.loc[("rare", "auroc"), "too_few"] == {"few": 30}
    assert found["gap"].isna().sum() == 8
    assert not found["alarm"][found["gap"].isna()].any()
    assert gaps(table, facts.iloc[:500], ["ward"], thresholds, 50)["groups"].tolist() == [3] * 3  # Unknown is a group
    with pytest.raises(InputError, match="no attribute 'age' in the facts; they have ward, site, rare"):
        gaps(table, facts, ["age"], thresholds)


def test_learners_must_predict_the_same_patients():
    table, facts, thresholds = planted(0)
    with pytest.raises(InputError, match="predict different patients of seed 0"):
        judged(table.iloc[:-1], facts, "event", "ward", thresholds)


def test_seeds_are_averaged_before_the_gap_is_taken():
    first, facts, thresholds = only(planted(3, 1.0), "one")
    second = first.assign(seed=1, p=1 - first["p"]).sample(frac=1, random_state=0)
    both = judged(pd.concat([first, second]), facts, "event", "ward", thresholds | {("one", 1, "event"): 0.5})
    assert both.figures("one")[0, 0] == pytest.approx([0.5, 0.5])
    assert both.errors("one")[0] == pytest.approx(0.5 / np.bincount(both.code, both.y))  # the parts cancel


def test_errors_of_groups():
    table, facts, thresholds = only(planted(4), "one")
    each = judged(table, facts, "event", "ward", thresholds)
    for group in range(2):
        own = each.code == group
        y, p = each.y[own], each.p["one", 0][own]
        found = each.errors("one")[:, group]
        assert found[0] == pytest.approx(error_by_subject(auroc_parts(y, p)[1], each.subject[own]))
        share = (p[y == 1] >= 0.75).mean()
        assert found[1] == pytest.approx(math.sqrt(share * (1 - share) / (y == 1).sum()), rel=0.01)


def test_shrinking_by_hand():
    values, errors = np.array([0.6, 0.7, 0.9]), np.array([0.05, 0.04, 0.06])
    w = 1 / errors**2
    q = (w * (values - (w * values).sum() / w.sum()) ** 2).sum()
    between = (q - 2) / (w.sum() - (w**2).sum() / w.sum())
    w = 1 / (errors**2 + between)
    mean = (w * values).sum() / w.sum()
    expected = [mean + between / (between + e**2) * (v - mean) for v, e in zip(values, errors)]
    assert shrunken(values, errors) == pytest.approx(expected)
    assert np.ptp(shrunken(values, errors * 100)) == 0


def test_the_difference_of_gaps_by_drawing_subjects():
    table, facts, thresholds = planted(5, noise=1.5, patients=600)
    each = judged(table, facts, "event", "ward", thresholds)
    found = gap_difference(each, "one", "two", 800)["auroc"]
    random, slow = np.random.default_rng(1), []

    def gap(name: str, rows: np.ndarray) -> float:
        own = [rows[each.code[rows] == group] for group in (0, 1)]
        a, b = (auroc_parts(each.y[one], each.p[name, 0][one])[0] for one in own)
        return abs(a - b)

    for _ in range(300):
        rows = random.integers(0, 600, 600)
        slow.append(gap("one", rows) - gap("two", rows))
    whole = np.arange(600)
    assert found.value == pytest.approx(gap("one", whole) - gap("two", whole))
    assert (found.low, found.high) == pytest.approx(np.quantile(slow, [0.025, 0.975]), abs=0.02)
    same = gap_difference(each, "one", "one", 50)["tpr"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert (
        "fewer than two groups"
        in gap_difference(
            judged(table, facts.assign(**{"group:ward": "A"}), "event", "ward", thresholds), "one", "two", 20
        )["auroc"].reason
    )
