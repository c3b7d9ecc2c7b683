"""The plain version is the formula, and it is what the package's layers are compared with."""

from __future__ import annotations

import pytest
import torch

from gdsfd.bench.message_passing import encoder_check
from gdsfd.bench.opponents.plain_encoder import PlainConv, PlainEncoder
from gdsfd.bench.options import Options
from gdsfd.bench.problem import Shape
from gdsfd.graph.edge_layout import EdgeLayout


def mean_or_zero(rows: list[torch.Tensor], width: int) -> torch.Tensor:
    return torch.stack(rows).mean(0) if rows else torch.zeros(width, dtype=torch.float64)


def by_the_formula(conv: PlainConv, patient, modality, edge, layout: EdgeLayout):
    """Node by node and edge by edge."""
    ends = list(zip(layout.patient.tolist(), layout.modality.tolist()))
    width = edge.size(1)

    def message(node, row):
        return torch.relu(conv.message_linear(torch.cat([node, edge[row]])))

    def updated(mean, node):
        return torch.relu(conv.update_linear(torch.cat([mean, node])))

    new_patient = torch.stack(
        [
            updated(mean_or_zero([message(modality[k], e) for e, (i, k) in enumerate(ends) if i == node], width), old)
            for node, old in enumerate(patient)
        ]
    )
    new_modality = torch.stack(
        [
            updated(mean_or_zero([message(patient[i], e) for e, (i, k) in enumerate(ends) if k == node], width), old)
            for node, old in enumerate(modality)
        ]
    )
    if conv.edge_linear is None:
        return new_patient, new_modality, edge
    both = [torch.cat([new_patient[i], new_modality[k], edge[e]]) for e, (i, k) in enumerate(ends)]
    return new_patient, new_modality, edge + torch.relu(conv.edge_linear(torch.stack(both)))


@pytest.mark.parametrize("update_edges", [True, False])
def test_a_layer_is_the_formula(update_edges):
    torch.manual_seed(0)
    # Patient 3 has nothing, nobody has modality 1.
    layout = EdgeLayout.from_lists([torch.tensor([0, 1, 2]), torch.tensor([], dtype=torch.long), torch.tensor([1])], 4)
    conv = PlainConv(6, update_edges).double()
    patient, modality, edge = (torch.randn(rows, 6, dtype=torch.float64) for rows in (4, 3, 4))
    found = conv(patient, modality, edge, PlainEncoder.edge_index(layout))
    for one, other in zip(found, by_the_formula(conv, patient, modality, edge, layout), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("patients", "modalities", "density"), [(40, 5, 0.6), (1, 3, 1.0), (30, 12, 0.05)])
def test_the_packages_layers_agree_in_value_and_gradient(layers, patients, modalities, density):
    shape = Shape(patients, modalities, density, channels=8, layers=layers)
    found = encoder_check(shape, ["auto", "reference"], Options())
    for name in ("auto", "reference"):
        assert found[name]["float64_outputs_differ"] < 1e-12
        assert found[name]["float64_gradients_differ"] < 1e-10
