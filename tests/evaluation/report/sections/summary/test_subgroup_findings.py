"""Sites where a model does worse, or whose risks are off, are named; others are not."""

from __future__ import annotations

import numpy as np

from gdsfd.evaluation.report.sections.summary.subgroup_findings import _slice_word
from gdsfd.evaluation.subgroups.slices import Slice
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.report.sections.summary.test_narrative import scores, words


def test_a_bad_site_is_named_and_a_good_model_has_none():
    own = graph_from_cohort(make_cohort(2500))
    model = scores(own, 0, 0.6)
    text = words(own, model)["Where it does worse"]
    assert "environment site 1" not in text
    rng = np.random.default_rng(0)
    for patient, site in zip(own["patient"].id, own["patient"].environment):
        if site == "site 1":
            p = rng.random()
            model.rows[patient] = np.array([1 - p, p])
    assert "environment site 1, AUROC 0." in words(own, model)["Where it does worse"]


def test_a_site_whose_risks_are_off_is_named_with_the_direction():
    graph = graph_from_cohort(make_cohort(1500, unlabelled=0.1))
    model = scores(graph, 0, 0.6)
    for patient, site in zip(graph["patient"].id, graph["patient"].environment):
        if site == "site 2":
            p = model.rows[patient][1] * 0.5
            model.rows[patient] = np.array([1 - p, p])
    text = words(graph, model)["Where it does worse"]
    assert "Predicted risks are lower than observed ones in: environment site 2, by 1" in text
    assert "higher than observed" not in text


def test_a_pattern_is_told_from_all_who_lack_a_modality():
    nobody = np.zeros(3, dtype=bool)

    def word(kind: str, name: str) -> str:
        return _slice_word(Slice(kind, name, nobody))

    assert word("pattern", "without labs") == "patients who lack only labs"
    assert word("modality", "without labs") == "patients without labs"
    assert word("pattern", "only labs") == "patients with only labs"
