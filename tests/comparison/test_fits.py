from __future__ import annotations

import pytest

from gdsfd.comparison import fits
from gdsfd.comparison.fits import Plan, fit_all
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training.arm import Arm
from gdsfd.training.config import TrainConfig
from gdsfd.training.model_selection.guard import Guard

CONFIG = TrainConfig(max_epochs=1, members=1, channels=16, accelerator="cpu", guard_folds=2)


def plan(*arms: str, **other: object) -> Plan:
    return Plan({name: PRESETS[name] for name in arms}, ("concat",), config=CONFIG, **other)  # type: ignore[arg-type]


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is fitted: the mode, and "part" where environments are left out."""
    seen: list[str] = []
    fit = Arm.fit

    def counted(self: Arm, graph, rows=None, *rest, **named):  # type: ignore[no-untyped-def]
        wide = "wide " if self.config.channels != CONFIG.channels else ""
        seen.append(wide + ("erm" if self.streams is None else "debiased") + (" part" if rows else ""))
        return fit(self, graph, rows, *rest, **named)

    monkeypatch.setattr(Arm, "fit", counted)
    return seen


def test_the_reference_is_fitted_once_for_all_arms(graph, fitted):
    lines = [line for records in fit_all(graph, 0, plan("none", "strata", "streams", baselines=())) for line in records]
    assert [line["arm"] for line in lines] == [
        "none",
        "none (matched)",
        "strata",
        "strata (forced)",
        "streams",
        "streams (forced)",
    ]
    assert fitted.count("erm") == 1
    assert fitted.count("wide erm") == 1
    assert fitted.count("debiased") == 2
    assert fitted.count("erm part") <= 2  # as many as groups of environments, whatever the number of arms
    sizes = {line["arm"]: line["parameters"] for line in lines}
    assert sizes["none (matched)"] == pytest.approx(sizes["streams"], rel=0.05)


@pytest.mark.parametrize("choice", ["reference", "debiased"])
def test_a_delivered_arm_is_what_the_guard_chose(graph, monkeypatch, choice):
    monkeypatch.setattr(fits, "select_model", lambda *given, **named: Guard(choice, "because"))
    lines = [line for records in fit_all(graph, 0, plan("streams", baselines=(), matched=False)) for line in records]
    found = {line["arm"]: line for line in lines}
    other = "none" if choice == "reference" else "streams (forced)"
    assert found["streams"]["splits"] == found[other]["splits"]
    assert found["none"]["splits"] != found["streams (forced)"]["splits"]
    assert found["streams"]["guard"]["choice"] == choice


def test_the_guard_of_dfd_leaves_no_environment_out_unless_asked(graph, monkeypatch):
    asked = []

    def judged(graph, reference, debiased, pair, folds, **named):  # type: ignore[no-untyped-def]
        asked.append(folds)
        return Guard("reference", "")

    monkeypatch.setattr(fits, "select_model", judged)
    list(fit_all(graph, 0, plan("dfd", "streams", baselines=(), matched=False)))
    assert asked == [0, 2]


def test_what_is_done_is_not_fitted_again(graph, fitted):
    asked = plan("none", "dfd", baselines=("logistic",), matched=False)
    done = set(asked.rows()) - {("concat", "dfd (forced)")}
    lines = [line for records in fit_all(graph, 0, asked, done) for line in records]
    assert [line["arm"] for line in lines] == ["dfd", "dfd (forced)"]
    assert fitted == ["erm", "debiased"]
    assert list(fit_all(graph, 0, asked, asked.rows())) == []


def test_baselines_and_oracle_have_no_backbone(graph):
    import numpy as np

    asked = Plan({"none": None}, (), ("logistic",), config=CONFIG)
    lines = [
        line for records in fit_all(graph, 0, asked, (), np.full(len(graph["patient"].id), 0.4)) for line in records
    ]
    assert [(line["backbone"], line["arm"]) for line in lines] == [("", "oracle"), ("", "logistic")]
    assert lines[0]["splits"]["test"]["auroc"] == 0.5


def test_a_baseline_beside_a_margin_gets_that_of_the_plans_suspects(graph):
    from gdsfd.baselines.logistic_margin import LogisticMargin
    from gdsfd.comparison.scores import scores_by_split
    from gdsfd.training.suspects.suspect_facts import suspect_facts

    found = {}
    for suspects in (("environment",), ("pattern", "environment")):
        asked = Plan({"none": None}, (), ("logistic_margin",), suspects, config=CONFIG)
        (records,) = fit_all(graph, 0, asked)
        found[suspects] = records[0]["splits"]["test"]
        own = LogisticMargin().fit(graph, suspect_facts(graph, suspects))
        expected = scores_by_split(graph, {"test": own.predict_proba(graph, split="test")}, "own")["test"]
        assert found[suspects] == expected
    assert found["environment",] != found["pattern", "environment"]
