"""Strata on the page and in ``metrics.json``, for every kind of strata and outcome."""

from __future__ import annotations

import json
import re
from copy import copy

import pytest

from gdsfd.evaluation.evaluation import evaluate
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.report.sections.strata.fitting import fitted


def test_the_page_and_the_file(model, graph, tmp_path):
    report = evaluate(
        copy(model).use("debiased"),
        graph,
        split=["test", "tuning"],
        baselines=False,
        resamples=30,
        probes=False,
        progress=False,
    )
    page = (report.save(tmp_path / "report") / "report.html").read_text(encoding="utf-8")
    section = page[page.index("What predictions are averaged over") : page.index("The cohort: what was read")]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", section))
    for words in (
        "The strata",
        "How far predictions move",
        "Split by split",
        "without scan",
        "site 0",
        "Averaging takes",
    ):
        assert words in text
    assert "nan" not in text
    assert "which averages over nothing" not in text
    stored = json.loads((tmp_path / "report" / "metrics.json").read_text())["strata"]
    assert stored["settings"]["strata"] == ["pattern"]
    assert set(stored["splits"]) == {"test", "tuning"}
    (table,) = stored["tables"]
    assert sum(one["splits"]["test"]["patients"] for one in table["strata"]) == stored["splits"]["test"]["patients"]
    assert stored["splits"]["test"]["targets"]["mortality"]["crowds"]
    other = evaluate(copy(model).use("reference"), graph, baselines=False, resamples=0, probes=False, progress=False)
    assert "which averages over nothing" in other.html()


@pytest.mark.parametrize(
    ("cohort", "prototypes"),
    [
        ({}, {"strata": ("pattern", "environment", "cluster")}),
        ({"environments": None}, {"strata": ("pattern", "environment")}),
        ({}, {"fit": "backdoor", "estimator": "sampled", "draws": 2}),
        ({"outcomes": "multilabel"}, {}),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (
                ({}, {"strata": ("environment",)}),
                ({}, {"strata": ("cluster",), "clusters": 3}),
                ({}, {"placebo": "shuffled"}),
                ({}, {"fit": "backdoor"}),
                ({"outcomes": "multiclass"}, {}),
            )
        ),
    ],
)
def test_every_kind_of_strata_and_outcome(cohort, prototypes):
    graph = graph_from_cohort(make_cohort(300, **cohort))
    model = fitted(graph, members=2, **prototypes)
    report = evaluate(model, graph, baselines=False, resamples=20, min_patients=5, probes=False, progress=False)
    found = report.strata
    assert found.fitted
    for table in found.tables:
        assert sum(one.patients for one in table.strata) == found.train
        assert len({one.name for one in table.strata}) == len(table.strata)
    assert sorted(member for table in found.tables for member in table.members) == [0, 1]
    targets = {"multiclass": 3, "multilabel": 2}.get(cohort.get("outcomes"), 1)
    assert len(found.splits[0].movements) == targets
    page = report.html()
    section = page[page.index("What predictions are averaged over") : page.index("The cohort: what was read")]
    assert section.count("<h3>The strata") == targets
    assert "nan" not in re.sub(r"<[^>]*>", " ", section)
    assert ("placebo" in section) == ("placebo" in prototypes)
    crossed = cohort.get("environments", 3) and "environment" in prototypes.get("strata", ())
    assert any("site" in one.name for table in found.tables for one in table.strata) == bool(crossed)
