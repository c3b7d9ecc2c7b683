"""Parts of one's own: options checked, trained, saved, read again, and missed when they are not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.encoders.encoder import ENCODERS, Encoder
from gdsfd.nn.streams import StreamConfig
from gdsfd.nn.used_parts import used_parts
from gdsfd.registry import REGISTRIES
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort
from tests.plugin_parts import declared

QUICK: dict[str, Any] = {"members": 1, "channels": 4, "max_epochs": 2, "guard_folds": 0, "guard": "debiased"}
OWN = {
    "head": "causal",
    "mask": "by-modality",
    "mask_options": {"sharpness": 2.0},
    "weight": "hard-for-bias",
    "weight_options": {"scale": 0.5},
    "information": "rv",
    "information_options": {"ridge": 1e-4},
    "adjustment": "moments",
    "adjustment_options": {"draws": 3},
    "stage_one": 0.0,
}
PARTS = {
    "backbone": ("attention-pool", "attention_backbone"),
    "mask": ("by-modality", "presence_mask"),
    "adjustment": ("moments", "moment_adjustment"),
    "loss weight": ("hard-for-bias", "hard_loss_weight"),
}


@pytest.fixture(autouse=True)
def _declared() -> Iterator[None]:
    modules = [module for _, module in PARTS.values()]
    with declared(*modules, "rv_dependence", "waveform_encoder"):
        yield


@pytest.fixture
def vector_encoder(monkeypatch: pytest.MonkeyPatch) -> type[Encoder]:
    """The plug-in's encoder of signals, in place of the one of precomputed vectors."""

    class VectorEncoder(ENCODERS.find("waveform")):  # type: ignore[misc]
        key = "vector"

    monkeypatch.setitem(ENCODERS._parts, "embedding", VectorEncoder)
    return VectorEncoder


def test_all_at_once_from_fit_to_a_patient_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vector_encoder: type[Encoder]
) -> None:
    graph = graph_from_cohort(make_cohort(90))
    settings = {**QUICK, "backbone_options": {"temperature": 2.0}, "encoder_options": {"embedding": {"kernel": 5}}}
    model = Debiaser("attention-pool", OWN, **settings).fit(graph, baselines=False)
    member = model.networks["debiased"].members[0]
    assert type(member.streams.masker).__name__ == "ModalityMask"
    assert member.streams.masker.sharpness == 2.0
    assert member.adjustment.noise.shape == (3, 4)
    assert bool((member.adjustment.spread > 0).all()), "it was not fitted"
    convolutions = [encoder for encoder in member.encoders if isinstance(encoder, vector_encoder)]
    assert [encoder.network[0].kernel_size for encoder in convolutions] == [(5,), (5,)]
    together = model.predict_proba(graph)
    model.save(tmp_path / "run")

    needs = json.loads((tmp_path / "run" / "model.json").read_text())["plugins"]
    assert {need["part"]: need["name"] for need in needs} == {what: name for what, (name, _) in PARTS.items()}
    assert all(need["module"].startswith("tests.plugin_parts.") for need in needs)
    again = Debiaser.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict_proba(graph), together)
    alone = again.predict_proba(graph, ids=[graph["patient"].id[5]])
    np.testing.assert_allclose(alone[0], together[5], atol=1e-5)

    for what, (name, module) in PARTS.items():
        with monkeypatch.context() as without:
            without.delitem(REGISTRIES[what]._parts, name)
            with pytest.raises(
                InputError, match=f"needs the {what} '{name}', which 'tests.plugin_parts.{module}' declares"
            ):
                Debiaser.load(tmp_path / "run")
    with monkeypatch.context() as without:  # only training needs it
        without.delitem(REGISTRIES["dependence measure"]._parts, "rv")
        np.testing.assert_array_equal(Debiaser.load(tmp_path / "run").predict_proba(graph), together)


@pytest.mark.parametrize("weight", ["hard-for-bias", "uniform"])
def test_each_beside_the_parts_of_the_package(weight: str) -> None:
    graph = graph_from_cohort(make_cohort(60))
    model = Debiaser("muse", {"head": "causal", "weight": weight, "mask": "by-modality"}, **QUICK)
    assert np.isfinite(model.fit(graph, baselines=False).predict_proba(graph)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mask_options": {"sharp": 1}}, "unknown option of the mask 'by-modality': 'sharp'.*'sharpness'"),
        ({"mask_options": {"sharpness": 0}}, "'sharpness': expected a number above 0"),
        ({"weight_options": {"scale": -1}}, "option of the loss weight 'hard-for-bias': 'scale': expected"),
        ({"information_options": {"ridge": 2}}, "option of the dependence measure 'rv': 'ridge': expected"),
        ({"adjustment_options": {"draws": 0}}, "option of the adjustment 'moments': 'draws': expected"),
        ({"adjustment": "moment"}, "unknown adjustment 'moment'. Did you mean 'moments'"),
        ({"head": "joint"}, "need head='causal'"),
        ({"streams": False}, "need streams=True"),
    ],
)
def test_options_are_held_to_what_the_part_takes(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Debiaser("concat", {**OWN, **settings})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ecg": {}}, "unknown encoder 'ecg'"),
        ({"waveform": {"kernels": 3}}, "unknown option of the encoder 'waveform': 'kernels'"),
        ({"waveform": {"kernel": 0}}, "'kernel': expected a whole number from 1 to 99"),
        ({"table": {"sequence": "gru"}}, "unknown option of the encoder 'table'"),
        ({"table": 3}, "'table': expected a mapping"),
    ],
)
def test_options_of_encoders(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Debiaser("concat", encoder_options=options)


@pytest.mark.usefixtures("vector_encoder")
def test_an_encoder_with_weights_has_no_single_values() -> None:
    graph = graph_from_cohort(make_cohort(60))
    with pytest.raises(InputError, match="the encoder of modality 'note' has no single values"):
        Debiaser("grape", **QUICK).fit(graph, baselines=False)


def test_a_kind_without_an_encoder_is_no_other_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    ENCODERS.names()
    monkeypatch.delitem(ENCODERS._parts, "embedding")
    with pytest.raises(InputError, match="modality 'note': unknown encoder 'embedding'"):
        Debiaser("concat", **QUICK).fit(graph_from_cohort(make_cohort(60)), baselines=False)


def test_what_a_model_uses() -> None:
    schema = make_cohort(5).schema
    plain = used_parts("muse", None, schema)
    assert ("backbone", "muse") in plain
    assert {name for what, name in plain if what == "encoder"} == {"table", "events", "codes", "embedding"}
    full, streams = (StreamConfig.read(name) for name in ("full", "streams"))
    assert full is not None
    assert streams is not None
    assert used_parts("muse", full, schema)[len(plain) :] == [("loss weight", "uniform")]
    assert used_parts("muse", streams, schema)[len(plain) :] == [("loss weight", "uniform"), ("mask", "learned")]
    assert used_parts("muse", streams, schema, training=True)[-1] == ("dependence measure", "xcov")
    assert ("adjustment", "prototypes") in used_parts("muse", StreamConfig.read("prototypes"), schema)
