"""What holds for every encoder: rows do not depend on each other; kinds and options by name."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders import build_encoder
from gdsfd.nn.encoders.encoder import check_encoder_options
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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"event": {}}, "unknown encoder 'event'. Did you mean 'events'"),
        ({"table": 3}, "'encoder_options': 'table': expected a mapping of options to values, got 3"),
        ({"table": {"dropout": 0.1}}, "unknown option of the encoder 'table': 'dropout'"),
        ({"events": {"sequence": "gru"}}, "unknown option of the encoder 'events': 'sequence'"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_encoder_options(options)
