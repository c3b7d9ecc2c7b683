"""A section of one's own stands on the page and in ``metrics.json`` without an edit of the package."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.section import PAGE, SECTIONS, Paragraph, Section, sections_of_page
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.scores import Fixed


class NetBenefit(Section[dict[str, float]]):
    """What flagging is worth where a missed patient is nine times as bad as a false alarm."""

    name = "net benefit"
    title = "Is it of use?"

    def judge(self, context):
        if context.schema.multiclass:
            return None
        found = {}
        for split in context.results:
            scored = split.model.targets[0]
            share = scored.prevalence
            found[split.split] = scored["tpr"].value * share - scored["fpr"].value * (1 - share) / 9
        return found

    def paragraphs(self, data, schema, config):
        return [Paragraph(f"On {split}", f"Net benefit {value:.3f} <per patient>.") for split, value in data.items()]

    def to_dict(self, data):
        return {"net_benefit": data}


@pytest.fixture
def declared(monkeypatch):
    SECTIONS.names()
    monkeypatch.setattr(SECTIONS, "_parts", dict(SECTIONS._parts))
    monkeypatch.setattr(SECTIONS, "_modules", dict(SECTIONS._modules))
    SECTIONS.register("net benefit")(NetBenefit)


def report_of(outcomes, columns):
    graph = graph_from_cohort(make_cohort(300, outcomes=outcomes))
    answer = np.random.default_rng(0).dirichlet(np.ones(columns), 300)
    return evaluate(Fixed(graph, answer), graph, baselines=False, resamples=20, progress=False)


def test_a_section_of_ones_own_is_on_the_page_and_in_the_file(declared, tmp_path):
    report = report_of("binary", 2)
    report.save(tmp_path / "report")
    value = json.loads((tmp_path / "report" / "metrics.json").read_text())["net_benefit"]["test"]
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<h2>Is it of use?</h2>") == 1
    assert f"<dt>On test</dt><dd>Net benefit {value:.3f} &lt;per patient&gt;.</dd>" in page
    assert page.index("<h2>Figures") < page.index("Is it of use?") < page.index("<h2>How the figures were made")


def test_one_with_nothing_to_say_is_left_out(declared):
    report = report_of("multiclass", 3)
    assert "net benefit" not in report.sections
    assert "Is it of use?" not in report.html()


def test_nothing_is_lost_to_a_name_that_is_taken(declared, monkeypatch):
    monkeypatch.setattr(NetBenefit, "to_dict", lambda self, data: {"prevalence": data})
    with pytest.raises(InputError, match=r"report section 'net benefit': metrics\.json has another 'prevalence'"):
        report_of("binary", 2)


def headings(page):
    return [re.sub(": .*", "", one) for one in re.findall("<h[12]>(.*?)</h[12]>", page)]


def test_the_page_is_its_sections_from_top_to_bottom(declared):
    assert headings(report_of("binary", 2).html()) == [
        "Predicting mortality",
        "Whose patients these are, and what was fixed where",
        "In plain words",
        "Figures",
        "Is it of use?",
        "The cohort",
        "How the models were trained",
        "How the figures were made",
    ]


@pytest.mark.parametrize(
    ("after", "above"), [("summary", "Figures"), ("cohort", "How the models were trained"), ("method", None)]
)
def test_it_names_the_section_that_it_follows(declared, monkeypatch, after, above):
    monkeypatch.setattr(NetBenefit, "after", after)
    shown = headings(report_of("binary", 2).html())
    at = shown.index("Is it of use?")
    assert shown[at + 1 : at + 2] == ([above] if above else [])


def test_followers_of_followers_and_several_of_one(declared):
    for name, after in (("d", "c"), ("a", "figures"), ("c", "figures"), ("b", "a")):
        SECTIONS.register(name)(type(name, (NetBenefit,), {"after": after}))
    names = list(sections_of_page())
    at = names.index("figures")
    assert names[at : at + 5] == ["figures", "a", "b", "c", "d"]
    assert [name for name in names if name in PAGE] == list(PAGE)


def test_a_place_that_does_not_exist_is_refused_before_anything_is_worked_out(declared, monkeypatch):
    monkeypatch.setattr(NetBenefit, "after", "figure")
    wrong = r"report section 'net benefit': it stands after 'figure', which is no section\. Did you mean 'figures'\?"
    with pytest.raises(InputError, match=wrong):
        report_of("binary", 2)
    monkeypatch.setattr(NetBenefit, "judge", None)
    monkeypatch.setattr(NetBenefit, "after", "net benefit")
    with pytest.raises(InputError, match="report sections follow one another in a circle: 'net benefit'"):
        report_of("binary", 2)


def test_every_built_in_section_is_declared_by_the_module_of_its_name():
    for name, module in PAGE.items():
        assert SECTIONS.find(name).__module__ == f"gdsfd.evaluation.report.sections.{module}"
        assert SECTIONS.find(name).name == name


def test_a_notebook_shows_the_page(declared):
    shown = report_of("binary", 2)._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert "Is it of use?" in shown
