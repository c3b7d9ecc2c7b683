"""A kind of one's own with an encoder of one's own, weights from its first layer on: built, trained, saved, read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.build import build_graph
from gdsfd.nn.predictor import Predictor
from gdsfd.training import Debiaser
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from tests.cohort.small_exports import labs, patients, spec
from tests.plugin_parts import declared


def signals(samples: int = 8) -> pd.DataFrame:
    """A signal per patient, in a column per sample; some patients have none."""
    ids = patients().pid.tolist()
    values = np.random.default_rng(0).normal(size=(len(ids), samples)).round(3)
    return pd.DataFrame(values, columns=[f"s_{k}" for k in range(samples)]).assign(pid=ids)[:-5]


def entries() -> list[dict[str, object]]:
    return [
        {"name": "labs", "kind": "table", "source": labs(), "id": "pid", "missing": [-1]},
        {"name": "ecg", "kind": "waveform", "source": signals(), "id": "pid", "columns": "s_*"},
    ]


@pytest.fixture
def _both() -> Iterator[None]:
    with declared("waveform_kind", "waveform_encoder"):
        yield


@pytest.mark.usefixtures("_both")
def test_signals_reach_the_convolution_as_they_are(tmp_path: Path) -> None:
    graph = build_graph(spec(entries()), progress=False)
    config = TrainConfig(members=1, channels=4, encoder_options={"waveform": {"kernel": 5}}).resolved(40)
    network = build_network(graph.schema, "muse", None, config, 0)
    (member,) = network.members
    assert isinstance(member, Predictor)
    assert member.encoders[1].network[0].kernel_size == (5,)  # type: ignore[union-attr,index]
    settings = {"members": 1, "channels": 4, "max_epochs": 2, "encoder_options": {"waveform": {"kernel": 5}}}
    model = Debiaser("muse", **settings).fit(graph, baselines=False)  # type: ignore[arg-type]
    together = model.predict_proba(graph)
    model.save(tmp_path / "run")
    needs = json.loads((tmp_path / "run" / "model.json").read_text())["plugins"]
    assert [(need["part"], need["name"]) for need in needs] == [("modality kind", "waveform"), ("encoder", "waveform")]
    again = Debiaser.load(tmp_path / "run")
    np.testing.assert_array_equal(again.predict_proba(graph), together)
    alone = again.predict_proba(graph, ids=[graph["patient"].id[3]])
    np.testing.assert_allclose(alone[0], together[3], atol=1e-5)
    weights = [name for name in again.network.state_dict() if "encoders.1.network" in name]  # type: ignore[union-attr]
    assert weights
    assert all(bool(torch.isfinite(again.network.state_dict()[name]).all()) for name in weights)  # type: ignore[union-attr]


def test_without_its_encoder_a_kind_is_no_other_kind() -> None:
    with declared("waveform_kind"):
        graph = build_graph(spec(entries()), progress=False)
        with pytest.raises(InputError, match="modality 'ecg': unknown encoder 'waveform'"):
            Debiaser("muse", members=1, channels=4, max_epochs=1).fit(graph, baselines=False)
