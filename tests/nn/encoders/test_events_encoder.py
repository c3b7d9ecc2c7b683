"""Events: summaries in their items' places."""

from __future__ import annotations

import numpy as np
import torch

from gdsfd.cohort.schema import QUANTILE_LEVELS, SUMMARY_COLUMNS, ModalityFields, NumericScale
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders import EventsEncoder, build_encoder
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


def test_the_trend_is_the_last_value_above_the_first() -> None:
    scale = NumericScale(100, 0.0, 1.0, tuple(float(level) for level in np.linspace(-2, 2, len(QUANTILE_LEVELS))))
    fields = ModalityFields("e", "events", items=("hr",), scales=(scale,), steps=4)
    encoder = EventsEncoder(fields, 8)
    row = {"count": 3.0, "mean": 0.4, "min": -0.5, "max": 1.0, "first": -0.5, "last": 1.0}
    summary = torch.tensor([[row[name] for name in SUMMARY_COLUMNS]])
    found = encoder.features(
        {"summary_ptr": torch.tensor([0, 1]), "summary_item": torch.tensor([0]), "summary": summary}
    )
    first, last = (encoder.transform.squash(torch.tensor([row[name]]), torch.tensor([0])) for name in ("first", "last"))
    assert last > first
    torch.testing.assert_close(found[0, 16], (last - first)[0])  # z and hinges of five summaries, the rank, the trend
