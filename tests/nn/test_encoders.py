"""Encoders: packed inputs against slow oracles, and rows that do not depend on each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.cohort.schema import CODE_RARE, CODE_UNNAMED, ModalityFields
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders import CodesEncoder, build_encoder
from gdsfd.nn.encoders.step_sequence import dense_steps
from tests.cohort_factory import make_cohort


@pytest.mark.parametrize("sequence", ["gru", "none"])
@pytest.mark.parametrize("kind", ["table", "events", "codes", "embedding"])
def test_a_row_does_not_depend_on_the_others(kind: str, sequence: str) -> None:
    graph = graph_from_cohort(make_cohort(80))
    store = PatientStore(graph)
    modality = next(fields for fields in graph.schema.modalities if fields.kind == kind)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = build_encoder(modality, 8, 0.3, sequence).eval()
    have = graph["patient", modality.name, "modality"].edge_index[0]
    together = encoder(store.batch(have).observations[modality.name])
    assert together.shape == (have.numel(), 8)
    assert torch.isfinite(together).all()
    alone = torch.cat([encoder(store.batch(row.view(1)).observations[modality.name]) for row in have[:10]])
    torch.testing.assert_close(alone, together[:10], atol=1e-5, rtol=1e-5)


def test_codes_are_the_scaled_sum_of_their_embeddings() -> None:
    fields = ModalityFields("d", "codes", codes=("a", "b", "c"), code_counts=(9, 9, 9))
    encoder = CodesEncoder(fields, 4).eval()
    with torch.no_grad():
        encoder.token.relevance.copy_(torch.tensor([0.1, 0.2, 0.5, 1.0, 0.3, 0.7]))
        encoder.token.spread.copy_(torch.tensor([0.1, 0.3, 0.5, 0.4, 0.3, 0.9]))
        encoder.token.center.copy_(torch.full((6,), 0.4))
    codes = {"run_ptr": torch.tensor([0, 2, 2, 5]), "code": torch.tensor([CODE_RARE, 2, CODE_UNNAMED, 3, 4])}
    bag = []
    for members in ([CODE_RARE, 2], [], [CODE_UNNAMED, 3, 4]):
        count = torch.tensor([[float(len(members))]])
        weight = encoder.token.linear.weight.t()
        scale = encoder.token.relevance / encoder.token.spread.clamp(min=0.2)
        total = sum((weight[member] * scale[member] for member in members), torch.zeros(4))
        scaled = (
            (torch.log1p(count) - encoder.token.center[-1]) / encoder.token.spread[-1] * encoder.token.relevance[-1]
        )
        bag.append(total + scaled[0] * weight[-1] + encoder.token.linear.bias)
    torch.testing.assert_close(encoder(codes), encoder.out(torch.stack(bag)))


def test_codes_features_are_indicators_and_the_log_count() -> None:
    encoder = CodesEncoder(ModalityFields("d", "codes", codes=("a",), code_counts=(9,)), 4)
    features = encoder.features({"run_ptr": torch.tensor([0, 2, 2]), "code": torch.tensor([CODE_RARE, 2])}).to_dense()
    expected = [[1.0, 0.0, 1.0, float(np.log(3))], [0.0] * 4]
    np.testing.assert_allclose(features.numpy(), expected, rtol=1e-6)


def test_steps_carry_the_last_value_forward() -> None:
    # one patient, four steps, two items: item 0 measured at steps 1 and 3, item 1 never
    value, owner = torch.tensor([5.0, 7.0]), torch.tensor([0, 0])
    values, seen = dense_steps(value, owner, torch.tensor([1, 3]), torch.tensor([0, 0]), (1, 4, 2))
    assert values[0, :, 0].tolist() == [0.0, 5.0, 5.0, 7.0]
    assert values[0, :, 1].tolist() == [0.0] * 4
    assert seen[0, :, 0].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_a_first_step_value_is_carried() -> None:
    values, _ = dense_steps(torch.tensor([2.0]), torch.tensor([0]), torch.tensor([0]), torch.tensor([0]), (1, 3, 1))
    assert values[0, :, 0].tolist() == [2.0, 2.0, 2.0]


def test_summary_features_stand_in_their_items_place() -> None:
    graph = graph_from_cohort(make_cohort(40))
    modality = next(fields for fields in graph.schema.modalities if fields.kind == "events")
    encoder = build_encoder(modality, 8)
    observations = PatientStore(graph).batch(torch.arange(40)).observations[modality.name]
    grid = encoder.features(observations).view(-1, len(modality.items), 19)
    present = torch.zeros(grid.shape[:2])
    for observation in range(grid.size(0)):
        start, stop = observations["summary_ptr"][observation : observation + 2].tolist()
        for place in range(start, stop):
            present[observation, int(observations["summary_item"][place])] = 1
    torch.testing.assert_close(grid[..., 18], present)
    assert (grid[present == 0] == 0).all()
