"""The summary is of the first split's patients, whoever stands beside them."""

from __future__ import annotations

from types import SimpleNamespace

from gdsfd.evaluation.report.sections.summary import section as module
from gdsfd.evaluation.report.sections.summary.section import Summary


def test_it_is_made_from_the_figures_and_the_first_population(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "plain_summary", lambda *given: asked.append(given) or ["words"])
    first, second = SimpleNamespace(kind="new"), SimpleNamespace(kind="training")
    context = SimpleNamespace(results=("a", "b"), labels={"model": "m"}, populations=(first, second))
    found = Summary().judge(context)
    assert Summary().paragraphs(found, "schema", "rules") == ["words"]
    assert asked == [(["a", "b"], {"model": "m"}, "schema", "rules", first)]
    context.populations = ()
    assert Summary().judge(context).population is None
