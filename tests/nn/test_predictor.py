"""The predictor: the head on the backbone's vectors, the same for a patient alone, and inputs that must be numbers."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Predictor
from tests.cohort_factory import make_cohort


@pytest.fixture
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(40))


def fitted(graph: HeteroData, backbone: str, **options: object) -> Predictor:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = Predictor(graph.schema, backbone, 4, 0.1, **options)  # type: ignore[arg-type]
        store, rows = PatientStore(graph), rows_of(graph, "train")
        network = Ensemble([made], False)
        network.fit_inputs(lambda: [store.batch(rows)], 1.0)
        network.eval().fit_memory(lambda: [store.batch(rows)])
    return made


@pytest.mark.parametrize("backbone", ["concat", "muse", "grape"])
def test_a_patient_alone_gets_the_same_scores(graph: HeteroData, backbone: str) -> None:
    made, store = fitted(graph, backbone), PatientStore(graph)
    together = made(store.batch(torch.arange(40)))
    assert together.logits.shape == (40, 1)
    torch.testing.assert_close(together.logits, made.out(together.embeddings.pooled))
    for row in (0, 3, 39):  # row 3 has nothing at all
        alone = made(store.batch(torch.tensor([row])))
        torch.testing.assert_close(alone.logits[0], together.logits[row], atol=1e-5, rtol=0)


@pytest.mark.parametrize("backbone", ["concat", "grape"])
def test_inputs_worked_out_once_give_the_same_scores(graph: HeteroData, backbone: str) -> None:
    made, store, prepared = fitted(graph, backbone), PatientStore(graph), PatientStore(graph)
    made.prepare(prepared)
    rows = torch.tensor([5, 3, 7, 7])
    torch.testing.assert_close(made(prepared.batch(rows)).logits, made(store.batch(rows)).logits)


def test_options_reach_the_encoder_and_the_backbone(graph: HeteroData) -> None:
    made = Predictor(graph.schema, "muse", 4, options={"layers": 3})
    assert len(made.backbone.layers) == 3
    assert made.num_outputs == 1
    with pytest.raises(InputError, match="backbone 'muse' does not take these options"):
        Predictor(graph.schema, "muse", 4, options={"layer": 3})


def test_an_input_that_is_no_number_is_named(graph: HeteroData) -> None:
    vectors = graph[edge_type("note")]
    owner = vectors.edge_index[0]
    place = int(torch.isin(owner, rows_of(graph, "train")).nonzero()[0])
    vectors.vector = vectors.vector.clone()
    vectors.vector[place, 1] = float("inf")
    with pytest.raises(InputError, match=r"modality 'note': input 1 of \d+ is NaN or infinite in a training patient"):
        fitted(graph, "concat")
