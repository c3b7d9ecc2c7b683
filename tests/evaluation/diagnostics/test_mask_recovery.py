"""Columns that a stream reads are told from those it does not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from gdsfd.errors import InputError
from gdsfd.evaluation.diagnostics.mask_recovery import column_shares, recover_masks
from gdsfd.graph.column_ablation import columns_of
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(200))


class Reads(nn.Module):
    """Codes that are the sums over patients' own columns of a vector modality: exact answers are known."""

    def __init__(self, causal: list[float], biased: list[float]) -> None:
        super().__init__()
        self.weights = {"causal": torch.tensor(causal), "biased": torch.tensor(biased)}

    def forward(self, batch):
        return batch

    def codes(self, batch):
        number = list(batch.observations).index("note")
        first, last = batch.layout.modality_ptr[number : number + 2].tolist()
        owner = batch.layout.patient[first:last]
        vector = batch.observations["note"]["vector"]
        return {
            name: torch.zeros(len(batch), 1).index_put((owner,), (vector @ weight).unsqueeze(1))
            for name, weight in self.weights.items()
        }


def fake(causal, biased):
    network = Reads(causal, biased)
    return SimpleNamespace(networks={"debiased": network}, streams=StreamConfig(), debias="custom", biased_=None)


def truth_of(graph, note):
    masks = {fields.name: {} for fields in graph.schema.modalities}
    masks["note"] = {f"e_{place}": role for place, role in enumerate(note)}
    return SimpleNamespace(masks=masks)


def test_a_perfect_split_and_its_opposite(graph):
    truth = truth_of(graph, ["causal", "biased", "causal", "biased"])
    right = recover_masks(fake([1.0, 0.1, 2.0, 0.0], [0.1, 1.0, 0.0, 1.0]), graph, truth, "train")
    assert right.auc == right.average_precision == 1.0
    assert right.prevalence == 0.5
    assert right.causal_share > 0.85
    assert right.biased_share < 0.15
    wrong = recover_masks(fake([0.1, 1.0, 0.0, 1.0], [1.0, 0.1, 2.0, 0.0]), graph, truth, "train")
    assert wrong.auc == 0.0
    assert set(right.columns["role"]) == {"causal", "biased", "noise"}
    assert right.to_dict()["columns"][0]["modality"] == graph.schema.names[0]


def test_shares_do_not_depend_on_the_codes_scales(graph):
    first, second = (
        column_shares(fake([1.0, 1.0, 0.0, 0.0], [0.0, scale, scale, 0.0]), graph, "train") for scale in (1.0, 1000.0)
    )
    np.testing.assert_allclose(first["share"], second["share"], atol=1e-4)
    note = first[first["modality"] == "note"]["share"].to_numpy()
    assert note[0] == 1
    assert 0.3 < note[1] < 0.7
    assert note[2] == 0
    assert note[3] == 0.5  # read by neither
    assert (first[first["modality"] != "note"]["share"] == 0.5).all()


def test_one_role_only_gives_no_figure(graph):
    found = recover_masks(fake([1.0] * 4, [1.0] * 4), graph, truth_of(graph, ["causal"] * 4), "train")
    assert np.isnan(found.auc)
    assert found.prevalence == 1


@pytest.mark.parametrize("debias", ["full", "streams"])
@pytest.mark.parametrize("backbone", ["concat", "grape", "muse"])
def test_every_backbone(backbone, debias, graph):
    model = Debiaser(backbone, debias, max_epochs=1, members=2, channels=8, guard_folds=0).fit(graph, baselines=False)
    shares = column_shares(model, graph, "train", most=50)
    assert len(shares) == len(list(columns_of(graph.schema)))
    assert np.isfinite(shares[["causal", "biased", "share"]]).all().all()
    assert (shares["causal"] > 0).any()
    again = column_shares(model, graph, "train", most=50)
    assert (shares["share"] == again["share"]).all()


def test_a_model_without_streams(graph):
    model = Debiaser("concat", "strata", max_epochs=1, members=1, channels=8, guard_folds=0).fit(graph, baselines=False)
    with pytest.raises(InputError, match=r"no causal and biased stream \(debias='strata'\)"):
        column_shares(model, graph)
