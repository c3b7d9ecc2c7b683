"""Times to an event through every backbone and every mode that goes with them; the others are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from torch_geometric.data import HeteroData

import gdsfd
from gdsfd.comparison.comparison import compare
from gdsfd.errors import InputError
from gdsfd.nn.backbones import known_backbones
from gdsfd.nn.streams.config import PRESETS
from gdsfd.training.survival_modes import check_survival_mode
from tests.cohort.survival_exports import survival_frames, survival_spec

SMALL: dict[str, Any] = {"max_epochs": 2, "members": 1, "channels": 16}


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    """240 patients, 4 intervals; two thirds of site A's patients die early."""
    cohort, labs, vitals = survival_frames(240)
    early = (cohort["site"] == "A") & (np.arange(240) % 3 > 0)
    cohort.loc[early, "days"], cohort.loc[early, "died"] = cohort["days"] * 0.1, 1
    return gdsfd.build_graph(survival_spec((cohort, labs, vitals), intervals=4))


@pytest.mark.parametrize("backbone", known_backbones())
def test_every_backbone_learns_hazards(graph: HeteroData, backbone: str) -> None:
    model = gdsfd.Debiaser(backbone, **SMALL).fit(graph, baselines=False)
    curves = model.predict_survival(graph, split="test")
    assert curves.shape == (sum(split == "test" for split in graph["patient"].split), 4)
    assert ((curves > 0) & (curves < 1)).all()
    assert (np.diff(curves, axis=1) < 0).all()
    ids = [graph["patient"].id[3], graph["patient"].id[0]]
    together, alone = model.predict_survival(graph), [model.predict_survival(graph, ids=[one])[0] for one in ids]
    np.testing.assert_allclose(together[[3, 0]], alone, atol=1e-6)


@pytest.mark.parametrize("mode", ["margin", "strata", "dfd", "group_dro", "vrex", "irm"])
def test_modes_that_go(graph: HeteroData, mode: str, tmp_path: Any) -> None:
    model = gdsfd.Debiaser("concat", debias=mode, guard_folds=0, **SMALL).fit(graph, baselines=False)
    curves = model.use("debiased").predict_survival(graph, split="test", times=[1.0, 10.0])
    assert np.isfinite(curves).all()
    assert curves.shape[1] == 2
    assert model.guard_.explanation
    model.save(tmp_path / "run")
    again = gdsfd.Debiaser.load(tmp_path / "run").use("debiased")
    np.testing.assert_array_equal(again.predict_survival(graph, split="test", times=[1.0, 10.0]), curves)


def test_the_margin_takes_the_site_out_of_the_hazards() -> None:
    """A column gives the site away, and patients of site A have the event five times as fast."""
    cohort, labs, vitals = survival_frames(800, censoring=0.3, strength=0.3)
    there = cohort["site"] == "A"
    cohort.loc[there, "days"] /= 5
    labs["ward"] = there + np.random.default_rng(0).normal(size=800) * 0.1
    graph = gdsfd.build_graph(survival_spec((cohort, labs, vitals), intervals=4))
    settings: dict[str, Any] = {"max_epochs": 25, "members": 1, "boosted_members": 0, "learning_rate": 3e-3}
    plain = gdsfd.Debiaser("concat", **settings).fit(graph, baselines=False)
    beside = gdsfd.Debiaser("concat", debias="margin", suspects="environment", guard_folds=0, **settings)
    beside = beside.fit(graph, baselines=False).use("debiased")

    def gap(model: gdsfd.Debiaser) -> float:
        free = model.predict_survival(graph, times=[20.0])[:, 0]
        return float(free[~there].mean() - free[there].mean())

    assert gap(plain) > 0.15
    assert abs(gap(beside)) < gap(plain) / 3


@pytest.mark.parametrize("mode", ["full", "latent", "mmd", "prototypes"])
def test_modes_that_look_inside_classes_are_refused(graph: HeteroData, mode: str, tmp_path: Any) -> None:
    with pytest.raises(
        InputError, match=r"'death' is a time to an event, which has no classes\. Modes that go with it"
    ):
        gdsfd.Debiaser("concat", debias=mode, **SMALL).fit(graph, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_found_strata_are_refused_by_suspect_too(graph: HeteroData) -> None:
    with pytest.raises(InputError, match="looks for strata inside classes"):
        gdsfd.Debiaser("concat", debias="margin", suspects=("pattern", "found"), **SMALL).fit(graph)


def test_a_comparison_names_the_arm_and_a_study_says_what_to_do(graph: HeteroData, tmp_path: Any) -> None:
    with pytest.raises(InputError, match="compare: arm 'full': this mode looks for strata"):
        compare(graph, ["none", "full"], ["concat"], seeds=1, out=tmp_path / "compared", **SMALL)
    with pytest.raises(InputError, match="study: the outcome 'death' is a time to an event"):
        gdsfd.study(graph, tmp_path / "study", quick=True)
    assert not list(tmp_path.glob("study/*"))


def test_labels_go_with_every_mode(graph: HeteroData) -> None:
    spec = survival_spec(survival_frames(60))
    labels = gdsfd.CohortSpec(
        cohort=spec.cohort, outcome={"name": "death", "column": "died", "positive": 1}, modality=spec.modality
    )
    made = gdsfd.build_graph(labels)
    for mode in PRESETS.values():
        check_survival_mode(made, mode)


def test_survival_is_asked_of_models_of_times_only(graph: HeteroData) -> None:
    with pytest.raises(gdsfd.NotFittedError):
        gdsfd.Debiaser("concat").predict_survival(graph)
    spec = survival_spec(survival_frames(100))
    labels = gdsfd.build_graph(
        gdsfd.CohortSpec(
            cohort=spec.cohort, outcome={"name": "death", "column": "died", "positive": 1}, modality=spec.modality
        )
    )
    model = gdsfd.Debiaser("concat", **SMALL).fit(labels, baselines=False)
    with pytest.raises(InputError, match="predict_survival: this model predicts 'death', no time to an event"):
        model.predict_survival(labels)


def test_what_asks_for_labels_or_classes_is_refused(graph: HeteroData) -> None:
    model = gdsfd.Debiaser("concat", **SMALL).fit(graph, baselines=False)
    with pytest.raises(InputError, match="sets hold labels, and a time to an event has none"):
        model.predict_sets(graph, split="test")
    with pytest.raises(InputError, match="judges a yes or no; a time to an event has none"):
        gdsfd.meds_predictions(model, graph)
    with pytest.raises(InputError, match="setting 'recalibrate': risks of 'death', a time to an event"):
        gdsfd.Debiaser("concat", **SMALL, recalibrate="auto").fit(graph)
