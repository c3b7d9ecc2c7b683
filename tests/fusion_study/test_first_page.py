"""Every figure of the four answers, ends of intervals included, by hand from what is on disk.

``test_study.py`` does so for values of questions 1 to 3 on another cohort. Here loops over pairs of patients stand in
for the sorted sums of the package, and scipy's t distribution for its intervals.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import kendalltau, t
from sklearn.metrics import roc_auc_score

from gdsfd.fusion_study.study import study

SPEC = """
[cohort]
source = "patients.csv"
id = "id"
groups = ["sex", "language"]

[outcome]
name = "ill"
column = "ill"
positive = 1
negative = 0

[split]
kind = "subject"
fractions = [0.5, 0.15, 0.35]
seed = 0

[[modality]]
name = "labs"
kind = "table"
source = "patients.csv"
id = "id"
columns = ["lactate", "sodium"]

[[modality]]
name = "imaging"
kind = "table"
source = "patients.csv"
id = "id"
columns = ["lesion"]

[[modality]]
name = "notes"
kind = "table"
source = "patients.csv"
id = "id"
columns = ["length"]
"""
NAMES = ("labs", "imaging", "notes")
ASKED = {
    "learners": ["late:fusion=sum", "concat", "boosting", "logistic"],
    "seeds": 1,
    "questions": (1, 2, 3, 4),
    "details": False,
    "members": 1,
    "channels": 8,
    "max_epochs": 8,
    "learning_rate": 5e-3,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of patients of whom the severe are imaged; one sex is scored worse, and few speak another language."""
    folder, random, n = tmp_path_factory.mktemp("study"), np.random.default_rng(5), 900
    lactate, sodium, lesion, noise = random.normal(size=(4, n))
    sex = np.where(np.arange(n) % 2, "female", "male")
    ill = random.random(n) < expit(np.where(sex == "male", 4.0, 0.0) * lactate + 1.5 * lesion - 0.3)
    lesion[random.random(n) > expit(0.5 + 1.5 * lactate + noise / 2)] = np.nan
    table = pd.DataFrame(
        {"id": [f"P{row:03d}" for row in range(n)], "lactate": lactate, "sodium": sodium, "length": noise}
    )
    table = table.assign(
        lesion=lesion, sex=sex, language=np.where(np.arange(n) < 30, "other", "own"), ill=ill.astype(int)
    )
    table.to_csv(folder / "patients.csv", index=False)
    (folder / "spec.toml").write_text(SPEC)
    study(folder / "spec.toml", folder / "out", **ASKED)
    return folder / "out"


@pytest.fixture(scope="module")
def told(folder):
    """Question -> what its answer says."""
    answers = json.loads((folder / "answers.json").read_text())["answers"]
    return {each["question"]: each["sentences"] for each in answers}


def everything(folder):
    return pd.concat([pd.read_parquet(file) for file in (folder / "predictions").iterdir()])


@pytest.fixture(scope="module")
def probabilities(folder):
    """Test patients down, learners across; y among them."""
    table = everything(folder)
    table = table[table["condition"] == "natural"]
    wide = table.pivot(index="id", columns="learner", values="p")
    return wide.assign(y=table.drop_duplicates("id").set_index("id")["y"])


def gain_by_hand(wide, learner: str, reference: str) -> tuple[float, float, float]:
    """Difference of two AUROCs and its interval by placements: each patient's share of pairs put right."""
    ill, well = wide[wide["y"] == 1], wide[wide["y"] == 0]

    def won(name):
        right = [[(a > b) + (a == b) / 2 for b in well[name]] for a in ill[name]]
        return np.array(right, dtype=float)

    gap = won(learner) - won(reference)
    variance = np.var(gap.mean(1)) / len(ill) + np.var(gap.mean(0)) / len(well)
    error = np.sqrt(variance * len(wide) / (len(wide) - 1))
    reach = t.ppf(0.975, min(len(ill), len(well)) - 1) * error
    return gap.mean(), gap.mean() - reach, gap.mean() + reach


def written(*values: float) -> str:
    value, low, high = (f"{each:+.3f}".replace("0.", ".", 1) for each in values)
    return f"{value} [{low}, {high}]"


def permuted_by_hand(group, y, random):
    group = group.copy()
    for label in (0, 1):
        group[y == label] = random.permutation(group[y == label])
    return group


def numbers_of(text: str) -> list[float]:
    return [float(each) for each in re.findall(r"[-+]?\d*\.\d+", text)]


def test_what_fusion_adds(told, probabilities):
    said = told["When does fusion help?"]
    area = {name: roc_auc_score(probabilities["y"], probabilities[name]) for name in probabilities.columns.drop("y")}
    best = max(NAMES, key=lambda name: area[f"boosting, only {name}"])
    single = f"boosting, only {best}"
    first = gain_by_hand(probabilities, "boosting", single)
    assert (
        f"all modalities together have {written(*first)} AUROC over the best single one ({best}, {area[single]:.3f})"
        in said[0]
    )
    assert ("Fusion helps here" in said[0]) == (first[1] > 0 and first[0] >= 0.01)
    inter = gain_by_hand(probabilities, "concat", "late:fusion=sum")
    assert f"interaction between modalities is worth {written(*inter)}" in said[1]
    added = {}
    for name in NAMES:
        value, low, _ = gain_by_hand(probabilities, "boosting", f"boosting, without {name}")
        added[name] = low > 0 and value >= 0.01
    named = " and ".join(name for name, own in added.items() if own)
    assert (f"Beside all others {named} still add" if named else "No modality adds 0.01 or more") in said[1]


def test_had_everyone_been_measured(told, folder, probabilities):
    facts = pd.read_parquet(folder / "patients.parquet").set_index("id").loc[probabilities.index]
    imaged = probabilities[facts["has:imaging"]]
    weight = 1 / facts.loc[imaged.index, "chance:imaging"]
    weight = weight.clip(upper=np.percentile(weight, 99))

    def gain(weights):
        first, second = (
            roc_auc_score(imaged["y"], imaged[name], sample_weight=weights)
            for name in ("boosting", "boosting, without imaging")
        )
        return first - second

    sentence = next(each for each in told["When does fusion help?"] if each.startswith("On those who have imaging"))
    looks, measured = sentence.split("; had everyone been measured, ")
    assert numbers_of(looks)[0] == pytest.approx(gain(None), abs=6e-4)
    assert numbers_of(measured)[0] == pytest.approx(gain(weight), abs=6e-4)
    # Ends: percentiles of draws of patients, of another generator; they move by about a tenth of their width.
    random, drawn = np.random.default_rng(0), []
    for _ in range(1000):
        rows = random.integers(0, len(imaged), len(imaged))
        own = imaged.iloc[rows]
        if own["y"].nunique() == 2:
            drawn.append(
                np.subtract(
                    *(
                        roc_auc_score(own["y"], own[name], sample_weight=weight.to_numpy()[rows])
                        for name in ("boosting", "boosting, without imaging")
                    )
                )
            )
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert numbers_of(measured)[1:3] == pytest.approx([low, high], abs=0.2 * (high - low))
    assert ("about as much" in measured) == (abs(gain(None) - gain(weight)) < 0.01)


def test_which_fusion(told, probabilities):
    said = told["Which fusion?"]
    learners = ASKED["learners"]
    area = {name: roc_auc_score(probabilities["y"], probabilities[name]) for name in learners}
    best = max(learners, key=lambda name: area[name])
    assert said[0].startswith(f"{best} has the highest AUROC ({area[best]:.3f})")
    if best != "concat":
        assert f", {written(*gain_by_hand(probabilities, best, 'concat'))} against concatenation" in said[0]
    for reference, words in (("concat", "concatenation by the plan's rule"), ("boosting", "gradient boosting")):
        found = {name: gain_by_hand(probabilities, name, reference) for name in learners[:2] if name != reference}
        better = [name for name, (value, low, _) in found.items() if low > 0 and value >= 0.01]
        verb = "is none of the networks" if not better else f"{'is' if len(better) == 1 else 'are'} {', '.join(better)}"
        assert f"etter than {words} {verb}" in said[1]


def test_how_robust(told, folder):
    said = told["How robust against missing modalities?"]
    wide = everything(folder).pivot_table(index="id", columns=["learner", "condition"], values="p")
    y = everything(folder).drop_duplicates("id").set_index("id")["y"].loc[wide.index].to_numpy()
    learners = ASKED["learners"]

    def areas(condition, rows):
        return [roc_auc_score(y[rows], wide[name, condition].to_numpy()[rows]) for name in learners]

    all_rows = np.arange(len(y))
    hidden = dict(zip(learners, areas("random 0.5", all_rows)))
    natural = dict(zip(learners, areas("natural", all_rows)))
    best = max(learners, key=lambda name: hidden[name])
    loss = natural[best] - hidden[best]
    assert f"{best} ranks best ({hidden[best]:.3f}, {loss:.3f} less than with all that is there)" in said[0]
    regret = {
        (part, name): roc_auc_score(y, wide[f"boosting, without {part}", "natural"])
        - roc_auc_score(y, wide[name, f"without {part}"])
        for part in NAMES
        for name in learners
    }
    worst = max(regret, key=lambda key: regret[key])
    assert f"the absence of {worst[0]} costs {worst[1]} " in said[0]
    assert f"({regret[worst]:+.3f} against boosting retrained without it)" in said[0]
    reasons = {"in those with the outcome": "hidden in ill 0.5", "by risk": "by risk 0.5"}

    def tau(condition, rows):
        return kendalltau(areas("random 0.5", rows), areas(condition, rows)).statistic

    words, condition = min(reasons.items(), key=lambda each: tau(each[1], all_rows))
    value, low, high = map(float, re.findall(r"agrees to (-?[\d.]+) \[(-?[\d.]+), (-?[\d.]+)\]", said[1])[0])
    assert f"where modalities are missing {words}, the least of 2 mechanisms" in said[1]
    assert value == pytest.approx(tau(condition, all_rows), abs=6e-3)
    random = np.random.default_rng(1)
    drawn = [tau(condition, random.integers(0, len(y), len(y))) for _ in range(200)]
    step = 1 / 3  # of four learners
    assert [low, high] == pytest.approx(list(np.percentile(drawn, [2.5, 97.5])), abs=step + 0.01)
    swing = dict(
        zip(learners, np.subtract(areas("hidden in well 0.5", all_rows), areas("hidden in ill 0.5", all_rows)))
    )
    most = max(learners, key=lambda name: abs(swing[name]))
    ends = (wide[most, f"hidden in {word} 0.5"] for word in ("ill", "well"))
    ill, well = (roc_auc_score(y, each) for each in ends)
    assert f"{most} swings most, from {ill:.3f} with modalities missing in those with the outcome" in said[1]
    assert f"alone to {well:.3f} with them missing in the others" in said[1]


def test_gaps_between_groups(told, folder, probabilities):
    said = told["How fair?"]
    facts = pd.read_parquet(folder / "patients.parquet").set_index("id").loc[probabilities.index]
    fits = [json.loads(line) for line in (folder / "fits.jsonl").read_text().splitlines()]
    threshold = {fit["learner"]: fit["thresholds"]["ill"] for fit in fits}
    area = {name: roc_auc_score(probabilities["y"], probabilities[name]) for name in probabilities.columns.drop("y")}
    best = max(("late:fusion=sum", "concat"), key=lambda name: area[name])
    y = probabilities["y"].to_numpy()

    def gaps(learner, sex):
        p = probabilities[learner].to_numpy()
        rows = []
        for name in np.unique(sex):
            own = sex == name
            flagged = p[own] >= threshold[learner]
            rows.append([roc_auc_score(y[own], p[own]), flagged[y[own] == 1].mean(), flagged[y[own] == 0].mean()])
        return np.ptp(rows, axis=0)

    sex = facts["group:sex"].to_numpy(dtype=str)
    observed = gaps(best, sex)
    null = np.array([gaps(best, permuted_by_hand(sex, y, np.random.default_rng(draw))) for draw in range(400)])
    p = np.array([(1 + (null[:, figure] >= observed[figure]).sum()) / 401 for figure in range(3)])
    alarms = int(sum(p[np.argsort(p)][: k + 1].max() * (3 - k) < 0.05 for k in range(3)))
    assert alarms > 0  # the cohort was made so
    assert said[0].startswith(f"{alarms} of 3 gaps of {best} go beyond what chance makes of equal groups")
    value, ceiling = re.findall(r"differs by (\d\.\d+).*up to (\d\.\d+) in 95", said[0])[0]
    figure = int(np.argmin(abs(observed - float(value))))
    assert float(value) == pytest.approx(observed[figure], abs=6e-4)
    assert float(ceiling) == pytest.approx(np.quantile(null[:, figure], 0.95), rel=0.15)
    single = max(NAMES, key=lambda name: area[f"boosting, only {name}"])
    change = observed[1] - gaps(f"boosting, only {single}", sex)[1]
    assert f"by sex by {change:+.3f}".replace("0.", ".", 1) in said[1]
    few = int((facts["group:language"] == "other").sum())
    assert f"Too few patients to compare: language: other ({few})." in said
