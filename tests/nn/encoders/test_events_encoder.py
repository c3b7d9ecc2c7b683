"""Events: summaries in their items' places."""

from __future__ import annotations

import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders import build_encoder
from tests.cohort_factory import make_cohort


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
