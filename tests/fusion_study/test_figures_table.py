"""Figures from predictions, by scikit-learn; facts of patients and of fits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from gdsfd.fusion_study.contenders import read_contender
from gdsfd.fusion_study.figures_table import mean_over_targets, patients_of, read_facts, read_predictions
from gdsfd.fusion_study.fits import file_of
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.fusion_study.material import material


def test_every_figure_is_scikit_learns() -> None:
    made = material({("concat", "natural"): 1.0, ("boosting", "natural"): 0.5})
    for row in made.figures.to_dict("records"):
        own = made.predictions
        own = own[(own["learner"] == row["learner"]) & (own["seed"] == row["seed"])]
        y, p = own["y"], own["p"]
        assert row["auroc"] == pytest.approx(roc_auc_score(y, p))
        assert row["auprc"] == pytest.approx(average_precision_score(y, p))
        assert row["brier"] == pytest.approx(brier_score_loss(y, p))
        assert row["log_loss"] == pytest.approx(log_loss(y, p))
        assert (row["n"], row["events"]) == (len(y), y.sum())
    assert made.by_seed("concat") == [
        made.figures.query("learner == 'concat' and seed == @seed")["auroc"].iloc[0] for seed in made.plan.seeds
    ]
    assert np.isnan(made.by_seed("muse")).all()
    assert made.sizes == (800, 400)


def test_targets_are_averaged_where_everybody_has_a_figure() -> None:
    rows = [("a", 0, "x", 0.6), ("a", 0, "y", 0.8), ("b", 0, "x", 0.7), ("b", 0, "y", np.nan), ("a", 1, "y", 0.9)]
    figures = pd.DataFrame(
        [
            {"learner": learner, "seed": seed, "condition": "natural", "target": target, "auroc": area}
            for learner, seed, target, area in rows
        ]
    ).assign(auprc=0.5, brier=0.1, log_loss=0.3)
    found = mean_over_targets(figures).set_index(["learner", "seed"])["auroc"]
    assert found.to_dict() == {("a", 0): 0.6, ("b", 0): 0.7, ("a", 1): 0.9}


def test_facts_of_patients_and_of_fits(tmp_path) -> None:
    graph = graph_from_cohort(make_cohort(60))
    facts = patients_of(graph)
    assert list(facts["id"]) == list(graph["patient"].id)
    names = list(graph.schema.names)
    assert [name for name in facts if name.startswith("has:")] == [f"has:{name}" for name in names]
    row = facts.iloc[7]
    assert row["pattern"] == "".join("01"[int(row[f"has:{name}"])] for name in names)
    assert [name for name in facts if name.startswith("group:")] == [f"group:{one}" for one in graph["patient"].groups]
    file = tmp_path / "fits.jsonl"
    assert read_facts(file) == []
    file.write_text('{"learner": "a", "seed": 0, "n": 1}\n{"learner": "a", "seed": 0, "n": 2}\n{"learner": "a", "se')
    assert read_facts(file) == [{"learner": "a", "seed": 0, "n": 2}]


def test_what_is_done_is_read(tmp_path) -> None:
    made, concat = material({("concat", "natural"): 1.0}), read_contender("concat")
    for seed in (0, 2):
        file = file_of(tmp_path, concat, seed)
        file.parent.mkdir(exist_ok=True)
        made.predictions[made.predictions["seed"] == seed].to_parquet(file)
    found = read_predictions(tmp_path, [concat], [0, 1, 2])
    assert sorted(found["seed"].unique()) == [0, 2]
