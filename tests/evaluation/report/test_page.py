"""The page: self-contained, well-formed, and with the figures of ``metrics.json``."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from gdsfd.cohort.receipt.receipt import Drop, Finding
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.numbers import number
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed

VOID = {"meta", "img", "br", "col", "line", "circle", "path", "polyline", "link", "input"}


class Checker(HTMLParser):
    """Collects attributes and checks that tags close in order."""

    def __init__(self):
        super().__init__()
        self.open, self.attributes, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def report():
    cohort = make_cohort(900)
    cohort.receipt.modalities[0].drops.append(Drop("id not in the cohort", 17, ["<x>", "p2"]))
    cohort.receipt.findings.append(Finding("leakage", "chart.age", "ranks the outcome too well & early"))
    graph = graph_from_cohort(cohort)
    rng = np.random.default_rng(0)
    y = np.nan_to_num(graph["patient"].y.numpy()[:, 0])
    models = []
    for noise in (1.0, 3.0):
        p = 1 / (1 + np.exp(-(2 * y - 1 + noise * rng.normal(size=len(y)))))
        models.append(Fixed(graph, np.column_stack([1 - p, p])))
    return evaluate(models[0], graph, baselines={"a <simple> model": models[1]}, resamples=60, progress=False)


@pytest.fixture(scope="module")
def page(report):
    return report.html()


@pytest.fixture(scope="module")
def parsed(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


def test_nothing_is_fetched_from_anywhere(page, parsed):
    assert "http" not in page.replace("http-equiv", "")
    assert "@import" not in page
    assert "url(" not in page
    tags = {tag for tag, _, _ in parsed.attributes}
    assert not tags & {"script", "link", "iframe", "object"}
    for _, name, value in parsed.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith("data:")


def test_the_figures_are_those_of_the_metrics(report, parsed):
    text = re.sub(r"\s+", " ", " ".join(parsed.text))
    for model in report.metrics["splits"]["test"]["models"].values():
        for figure in ("auroc", "auprc", "brier", "log_loss"):
            found = model["metrics"][figure]
            assert f"{number(found['value'])} {number(found['low'])} to {number(found['high'])}" in text
    for difference in report.metrics["splits"]["test"]["differences"].values():
        assert number(difference["auroc"]["value"], signed=True) in text


def test_every_section_is_there(parsed):
    text = " ".join(parsed.text)
    for words in (
        "In plain words",
        "What may not be concluded",
        "Figures",
        "By environment",
        "By missingness pattern",
        "With and without each modality",
        "By sex",
        "The cohort: what was read",
        "17: id not in the cohort",
        "ranks the outcome too well & early",
        "Who has what",
        "How the models were trained",
        "How the figures were made",
    ):
        assert words in text


def test_names_from_data_are_escaped(page):
    assert "<simple>" not in page
    assert "&lt;simple&gt;" in page
    assert "&lt;x&gt;" in page


def test_absent_slices_are_listed_with_their_reason(parsed):
    text = re.sub(r"\s+", " ", " ".join(parsed.text))
    assert re.search(r"with scan 0 no labelled patient", text)


def test_a_graph_without_receipt_or_environment_still_has_a_page():
    graph = graph_from_cohort(make_cohort(200, environments=None))
    graph.receipt = None
    p = np.random.default_rng(0).random(200)
    page = evaluate(
        Fixed(graph, np.column_stack([1 - p, p])), graph, baselines=False, resamples=0, progress=False
    ).html()
    assert "By environment" not in page
    assert "The cohort: what was read" not in page
