"""Mode ``prototypes`` through the estimator: what is fitted on whom, files, resuming, what predictions depend on."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gdsfd.comparison import compare
from gdsfd.errors import InputError
from gdsfd.file_digest import digest_of_file, digest_of_json
from gdsfd.graph.availability import presence_of
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.modality_ablation import drop_modalities, keep_modalities
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.nn.streams import StreamConfig
from gdsfd.training import Debiaser, loop
from gdsfd.training.arm import Arm, FittedArm
from gdsfd.training.config import TrainConfig
from gdsfd.training.suspects.strata import groups_of
from tests.cohort_factory import make_cohort

PARTS = {"head": "causal", "margin": True, "information": "xcov", "conditional": True, "stage_one": 0.3}
CROSSED = {"strata": ("pattern", "cluster"), "least": 8, "clusters": 3, "refit_every": 1}
QUICK = {"members": 1, "channels": 8, "learning_rate": 3e-3, "batch_size": 32, "max_epochs": 4, "guard_folds": 0}


def parts(prototypes: dict[str, Any] | None = None, **given: Any) -> StreamConfig:
    config = StreamConfig.read({**PARTS, "prototypes": {**CROSSED, **(prototypes or {})}, **given})
    assert config is not None
    return config


def fit(graph: Any, config: StreamConfig, backbone: str = "concat", **settings: Any) -> FittedArm:
    resolved = TrainConfig(**{**QUICK, **settings}).resolved(100)
    return Arm(backbone, config, resolved, 0, ("pattern", "environment")).fit(graph)


def member_of(fitted: FittedArm) -> StreamPredictor:
    member = fitted.network.members[0]
    assert isinstance(member, StreamPredictor)
    return member


def strata_of(fitted: FittedArm, graph: Any, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Groups and strata of some patients."""
    member, group = member_of(fitted), groups_of(member_of(fitted), graph, rows_of(graph, "train"))[rows]
    assert member.deconfounder is not None
    with torch.no_grad():
        source = member(PatientStore(graph).batch(rows)).source
    return group, member.deconfounder.strata(source, group)


def equal(first: FittedArm, second: FittedArm) -> bool:
    pairs = zip(first.network.state_dict().items(), second.network.state_dict().items(), strict=True)
    return all(name == other and torch.equal(value, same) for (name, value), (other, same) in pairs)


@pytest.fixture(scope="module")
def graph() -> Any:
    return graph_from_cohort(make_cohort(150))


@pytest.mark.parametrize("backbone", ["concat", "muse", "grape"])
def test_alone_or_in_a_batch_and_after_loading(graph: Any, backbone: str, tmp_path: Any) -> None:
    config = parts(intervention=0.5)
    model = Debiaser(backbone, config, guard="debiased", **QUICK).fit(graph, baselines=False)
    network = model.network
    assert network is not None
    assert all(member.deconfounder.prototypes.num_strata > 2 for member in network.members)
    together = model.predict_proba(graph)
    ids = graph["patient"].id[:12]  # with patients who have nothing
    alone = np.concatenate([model.predict_proba(graph, ids=[name]) for name in ids])
    np.testing.assert_allclose(alone, together[:12], atol=1e-5)
    model.save(tmp_path / "run")
    loaded = Debiaser.load(tmp_path / "run")
    assert loaded.streams == config
    np.testing.assert_array_equal(loaded.predict_proba(graph), together)


def test_a_model_whose_biased_code_predicts_suspects_is_loaded(graph: Any, tmp_path: Any) -> None:
    """Only the suspects that strata are not crossed from have a head, which the file must say."""
    config = parts({"strata": ("environment", "cluster")}, suspect_weight=0.5)
    model = Debiaser("concat", config, ("environment", "groups"), guard="debiased", **QUICK).fit(graph, baselines=False)
    assert model.training["suspects_found"] == ["environment", "group:sex"]
    assert len(model.training["suspect_codes"]) == 1
    model.save(tmp_path / "run")
    loaded = Debiaser.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict_proba(graph), model.predict_proba(graph))


@pytest.mark.parametrize("stop", [1, 3])  # before and after the strata are first fitted
def test_killed_and_resumed_is_the_same_bit_for_bit(graph: Any, tmp_path: Any, stop: int) -> None:
    config = parts({"refit_every": 2}, intervention=0.5)
    arm = Arm("muse", config, TrainConfig(**QUICK, averaging=0.9).resolved(100), 0, ("pattern",))  # type: ignore[arg-type]
    settings = {"arm": "one"}
    whole = arm.fit(graph, settings=settings)

    class Killed(Exception):
        pass

    def kill(row: dict[str, Any]) -> None:
        if row["epoch"] == stop:
            raise Killed

    with pytest.raises(Killed):
        arm.fit(graph, folder=tmp_path, settings=settings, on_epoch=kill)
    assert equal(whole, arm.fit(graph, folder=tmp_path, resume=True, settings=settings))


def test_masses_sum_to_one_and_every_training_patient_is_in_one_stratum_of_the_own_group(graph: Any) -> None:
    fitted, train = fit(graph, parts()), rows_of(graph, "train")
    table = member_of(fitted).deconfounder.prototypes  # type: ignore[union-attr]
    assert torch.isclose(table.mass.sum(), torch.ones(()))
    labelled = train[~torch.isnan(graph["patient"].y[train, 0])]
    assert table.count.sum() == table.patients == labelled.numel()
    group, stratum = strata_of(fitted, graph, train)
    assert stratum.min() >= 0
    assert stratum.max() < table.num_strata
    assert torch.equal(table.group[stratum], group)


def changed(graph: Any, what: str) -> Any:
    """A copy of the graph with other test patients."""
    other, test = copy.copy(graph), rows_of(graph, "test")
    if what == "values":
        edges = other[edge_type("chart")]
        mine = torch.isin(edges.edge_index[0], test)
        edges.numeric = torch.where(mine.unsqueeze(1), edges.numeric + 100, edges.numeric)
    elif what == "presence":
        other = drop_modalities(graph, ["labs", "chart"], test)
    elif what == "environment":
        words = list(other["patient"].environment)
        for row in test.tolist():
            words[row] = "a new place"
        other["patient"].environment = words
    else:
        y = other["patient"].y.clone()
        y[test] = 1 - y[test]
        other["patient"].y = y
    return other


@pytest.mark.parametrize("what", ["values", "presence", "environment", "labels"])
def test_other_test_patients_change_nothing_that_is_fitted(graph: Any, what: str) -> None:
    config = parts({"strata": ("pattern", "environment", "cluster")}, intervention=0.5)
    assert equal(fit(graph, config), fit(changed(graph, what), config))


def test_labels_never_enter_strata(graph: Any) -> None:
    """Without clusters nothing that is learned enters either: the strata are the same to the bit."""
    other, train = copy.copy(graph), rows_of(graph, "train")
    y = graph["patient"].y.clone()
    train = train[~torch.isnan(y[train, 0])]  # the same patients are labelled
    y[train] = y[train[torch.randperm(train.numel(), generator=torch.Generator().manual_seed(0))]]
    other["patient"].y = y
    config = parts({"strata": ("pattern", "environment")})
    first, second = fit(graph, config), fit(other, config)
    everyone = torch.arange(150)
    for own, same in zip(strata_of(first, graph, everyone), strata_of(second, other, everyone), strict=True):
        assert torch.equal(own, same)
    tables = [member_of(each).deconfounder.prototypes for each in (first, second)]  # type: ignore[union-attr]
    assert torch.equal(tables[0].count, tables[1].count)
    assert not equal(first, second)


def test_patterns_and_environments_that_no_training_patient_has(graph: Any) -> None:
    fitted = fit(graph, parts({"strata": ("pattern", "environment", "cluster")}))
    seen = {tuple(row) for row in presence_of(graph)[rows_of(graph, "train")].tolist()}
    alone = keep_modalities(graph, ["note", "scan"])
    assert any(tuple(row) not in seen for row in presence_of(alone).tolist())
    alone["patient"].environment = ["a new place"] * 150
    group, stratum = strata_of(fitted, alone, torch.arange(150))
    table = member_of(fitted).deconfounder.prototypes  # type: ignore[union-attr]
    assert torch.equal(table.group[stratum], group)
    with torch.no_grad():
        assert member_of(fitted)(PatientStore(alone).batch(torch.arange(150))).logits.isfinite().all()


@pytest.mark.parametrize("estimator", ["exact", "sampled"])
def test_one_stratum_is_plain_conditioning_on_its_centre(graph: Any, estimator: str) -> None:
    fitted = fit(graph, parts({"strata": ("pattern",), "least": 1000, "estimator": estimator}))
    member = member_of(fitted)
    head = member.deconfounder
    assert head is not None
    assert head.prototypes.num_strata == 1
    rows = rows_of(graph, "test")
    with torch.no_grad():
        prediction = member(PatientStore(graph).batch(rows))
        given = head.own(prediction.causal, torch.zeros_like(rows))
    torch.testing.assert_close(prediction.logits, given, atol=1e-5, rtol=1e-5)


def test_predictions_follow_the_masses_of_a_target(graph: Any) -> None:
    fitted = fit(graph, parts(), max_epochs=6)
    member = member_of(fitted)
    head = member.deconfounder
    assert head is not None
    batch = PatientStore(graph).batch(rows_of(graph, "test"))
    with torch.no_grad():
        before = member(batch)
        under = head.fusion(before.causal, head.prototypes.center).sigmoid()  # [B, S, 1]
        mean = (under.squeeze(-1) @ head.prototypes.mass).unsqueeze(1)
        torch.testing.assert_close(before.logits.sigmoid(), mean, atol=1e-5, rtol=1e-5)
        head.prototypes.target(torch.eye(head.prototypes.num_strata)[-1])
        torch.testing.assert_close(member(batch).logits.sigmoid(), under[:, -1], atol=1e-5, rtol=1e-5)
        head.prototypes.target(None)
        assert torch.equal(member(batch).logits, before.logits)


def test_epochs_before_the_strata_are_fitted_are_not_chosen(graph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss grows from epoch to epoch; the first three have no strata to average over."""
    losses = iter(range(1, 100))
    figures = {"tuning_auprc": 0.5, "tuning_auroc": 0.5}
    monkeypatch.setattr(loop, "tuning_figures", lambda *given: {"tuning_loss": float(next(losses)), **figures})
    fitted = fit(graph, parts(stage_one=0.5), max_epochs=6, patience=2, monitor="loss")
    assert fitted.state.best_epoch == 4
    assert fitted.state.epoch == 6
    assert member_of(fitted).deconfounder.prototypes.num_strata > 1  # type: ignore[union-attr]
    plain = fit(graph, replace(parts(), prototypes=None), max_epochs=6, patience=2, monitor="loss")
    assert (plain.state.best_epoch, plain.state.epoch) == (1, 3)


def test_the_first_stage_ends_when_it_no_longer_gets_better(graph: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Best in its second epoch of six: two worse ones later, stage 2 begins with the weights of the second."""
    losses = iter([2.0, 1.0, 3.0, 4.0, *range(5, 100)])
    figures = {"tuning_auprc": 0.5, "tuning_auroc": 0.5}
    seen: list[tuple[int, int | None, dict[str, Any]]] = []
    end = loop.end_stage_one

    def watched_end(state: Any, network: Any, *given: Any) -> None:
        end(state, network, *given)
        seen.append((state.epoch, state.second, {name: each.clone() for name, each in network.state_dict().items()}))

    monkeypatch.setattr(loop, "tuning_figures", lambda *given: {"tuning_loss": float(next(losses)), **figures})
    monkeypatch.setattr(loop, "end_stage_one", watched_end)
    fitted = fit(graph, parts(stage_one=0.5), max_epochs=12, patience=2, monitor="loss")
    assert [second for _, second, _ in seen[:5]] == [None, None, None, None, 4]
    assert (fitted.state.second, fitted.state.best_epoch, fitted.state.epoch) == (4, 5, 7)
    after_two, at_four = seen[2][2], seen[4][2]  # before the third and the fifth epoch
    weights = [name for name in after_two if name.endswith("weight")]
    assert weights
    assert all(torch.equal(after_two[name], at_four[name]) for name in weights)
    assert not all(torch.equal(after_two[name], seen[3][2][name]) for name in weights)


def test_models_of_earlier_versions_are_read_or_say_why_not(graph: Any, tmp_path: Any) -> None:
    """Their weights have other names, and their settings were more."""
    model = Debiaser("concat", parts(), guard="debiased", **QUICK).fit(graph, baselines=False)
    model.save(tmp_path / "run")
    file = tmp_path / "run" / "debiased.safetensors"
    weights = {name.replace(".adjustment.", ".deconfounder."): each for name, each in load_file(file).items()}
    assert any(".deconfounder." in name for name in weights)
    for name in [name for name in weights if name.endswith("prototypes.center")]:
        for beside in ("total", "spread"):
            weights[name.replace("center", beside)] = torch.zeros_like(weights[name])
    save_file(weights, file)
    stored = json.loads((tmp_path / "run" / "model.json").read_text())
    for name in ("mask", "mask_options", "weight_options", "adjustment", "adjustment_options"):
        del stored["arguments"]["streams"][name]
    stored["arguments"]["streams"]["prototypes"] |= {"source": "biased", "fusion": "concat", "update": "refit"}
    stored["arguments"]["streams"]["prototypes"] |= {"decay": 0.99, "jitter": 0.0, "mass": "train"}
    del stored["plugins"], stored["digest"]

    def written(content: dict[str, Any]) -> Any:
        files = {**content["files"], file.name: digest_of_file(file)}
        content = {**content, "files": files}
        text = json.dumps({**content, "digest": digest_of_json(content)})
        (tmp_path / "run" / "model.json").write_text(text)
        return tmp_path / "run"

    loaded = Debiaser.load(written(stored))
    np.testing.assert_array_equal(loaded.predict_proba(graph), model.predict_proba(graph))
    other = copy.deepcopy(stored)
    other["arguments"]["streams"]["prototypes"]["fusion"] = "film"
    with pytest.raises(InputError, match=r"model.json: arguments.streams: .*'film' was an experiment .* that wrote it"):
        Debiaser.load(written(other))
    stored["arguments"]["streams"]["weight"] = "relative_difficulty"
    with pytest.raises(InputError, match=r"'relative_difficulty' was taken out: .* with the gdsfd that wrote it"):
        Debiaser.load(written(stored))


def test_a_model_saved_before_there_were_prototypes(graph: Any, tmp_path: Any) -> None:
    model = Debiaser("concat", "full", guard="debiased", **QUICK).fit(graph, baselines=False)
    model.save(tmp_path / "run")
    stored = json.loads((tmp_path / "run" / "model.json").read_text())
    for name in ("prototypes", "intervention", "consistency"):
        del stored["arguments"]["streams"][name]
    stored["version"], stored["arguments"] = 1, {**stored["arguments"], **stored.pop("resolved")}
    del stored["digest"], stored["files"]  # as it was written then
    (tmp_path / "run" / "model.json").write_text(json.dumps(stored))
    loaded = Debiaser.load(tmp_path / "run")
    assert loaded.streams is not None
    assert loaded.streams.prototypes is None
    np.testing.assert_array_equal(loaded.predict_proba(graph), model.predict_proba(graph))


def test_compared_with_no_debiasing(graph: Any, tmp_path: Any) -> None:
    found = compare(graph, ["none", "prototypes"], ["concat"], 1, baselines=(), out=tmp_path, **QUICK)
    assert {"none", "prototypes"} <= set(found.to_frame()["arm"])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums of several threads may differ in the last bit, which tests of equality would take for a difference."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_replaced_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="head='causal'"):
        replace(parts(), head="joint")
