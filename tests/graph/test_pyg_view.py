from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch_geometric import typing as installed
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.loader import NeighborLoader
from torch_geometric.loader.utils import filter_hetero_data
from torch_geometric.nn import HeteroConv, SAGEConv, to_hetero

import gdsfd.graph
from gdsfd.errors import InputError
from gdsfd.graph import drop_modalities, graph_from_cohort, to_pyg_view
from gdsfd.graph.flatten import flat_width, flatten
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(60))


@pytest.fixture(scope="module")
def view(graph):
    return to_pyg_view(graph)


class Net(nn.Module):
    """Two stock convolutions and a head on patients."""

    def __init__(self, edge_types: list[tuple[str, str, str]]) -> None:
        super().__init__()
        self.first, self.second = (
            HeteroConv({edge: SAGEConv((-1, -1), 16) for edge in edge_types}, aggr="sum") for _ in range(2)
        )
        self.head = nn.Linear(16, 1)

    def forward(self, x_dict: dict[str, Tensor], edge_index_dict: dict[tuple[str, str, str], Tensor]) -> Tensor:
        hidden = {node: x.relu() for node, x in self.first(x_dict, edge_index_dict).items()}
        return self.head(self.second(hidden, edge_index_dict)["patient"])[:, 0]


def test_it_validates_and_says_what_the_graph_says(graph, view):
    assert view.validate()
    table, columns = flatten(graph)
    assert view["patient"].x.shape == (60, flat_width(graph.schema))
    assert view.columns == columns
    assert not view["patient"].x.isnan().any()
    back = view["patient"].x.numpy() * view.spread.numpy() + view.centre.numpy()
    measured = ~np.isnan(table)
    assert np.allclose(back[measured], table[measured], rtol=1e-4, atol=1e-3)
    train = view["patient"].train_mask.numpy()
    assert train.sum() == graph["patient"].split.count("train")
    for column in range(table.shape[1]):
        held = table[train & measured[:, column], column]
        if held.size:
            assert view.centre[column] == pytest.approx(held.mean(), rel=1e-4, abs=1e-5)
    for name in graph.schema.names:
        edges, reverse = view["patient", name, "modality"], view["modality", f"rev_{name}", "patient"]
        assert torch.equal(edges.edge_index, graph["patient", name, "modality"].edge_index)
        assert torch.equal(reverse.edge_index, edges.edge_index.flip(0))
        named = [place for place, column in enumerate(columns) if column.startswith(name)][1:]
        assert torch.equal(edges.edge_attr, view["patient"].x[edges.edge_index[0]][:, named])


def test_a_stock_hetero_model_learns_on_it(view):
    torch.manual_seed(0)
    model = Net(view.edge_types)
    model(view.x_dict, view.edge_index_dict)  # lazy sizes
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    known = view["patient"].train_mask & ~view["patient"].y[:, 0].isnan()
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        out = model(view.x_dict, view.edge_index_dict)
        loss = nn.functional.binary_cross_entropy_with_logits(out[known], view["patient"].y[known, 0])
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0]


def test_a_model_of_one_graph_turns_hetero_on_it(view):
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = SAGEConv((-1, -1), 4)

        def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
            return self.conv(x, edge_index)

    out = to_hetero(Plain(), view.metadata())(view.x_dict, view.edge_index_dict)
    assert out["patient"].shape == (60, 4)
    assert out["modality"].shape == (len(view["modality"].x), 4)


def test_parts_keep_their_rows(view):
    rows = torch.tensor([7, 3, 41])
    part = view.subgraph({"patient": rows})
    assert part["patient"].row.tolist() == rows.tolist()
    assert torch.equal(part["patient"].x, view["patient"].x[rows])
    for edge in part.edge_types:
        own = part[edge].edge_index[0 if edge[0] == "patient" else 1]
        assert torch.equal(part[edge].edge_attr.isnan(), torch.zeros_like(part[edge].edge_attr, dtype=torch.bool))
        before = view[edge].edge_index[0 if edge[0] == "patient" else 1].tolist()
        places = [before.index(int(rows[one])) for one in own]
        assert torch.equal(part[edge].edge_attr, view[edge].edge_attr[places])
    first = view.edge_types[0]
    fewer = view.edge_subgraph({first: torch.tensor([2, 0])})
    assert torch.equal(fewer[first].edge_attr, view[first].edge_attr[[2, 0]])


def test_the_slicing_step_of_neighbour_loaders(view):
    """NeighborLoader's own sampling needs pyg-lib or torch-sparse; what it does with a sample does not."""
    rows = torch.tensor([5, 9])
    nodes = {"patient": rows, "modality": torch.arange(len(view["modality"].x))}
    sources, targets, kept = {}, {}, {}
    for edge in view.edge_types:
        index = view[edge].edge_index
        mine = torch.isin(index[0 if edge[0] == "patient" else 1], rows).nonzero()[:, 0]
        local = {5: 0, 9: 1}
        patient = torch.tensor([local[int(one)] for one in index[0 if edge[0] == "patient" else 1][mine]]).long()
        other = index[1 if edge[0] == "patient" else 0][mine]
        sources[edge], targets[edge] = (patient, other) if edge[0] == "patient" else (other, patient)
        kept[edge] = mine
    part = filter_hetero_data(view, nodes, sources, targets, kept)
    assert part["patient"].row.tolist() == [5, 9]
    for edge in view.edge_types:
        assert torch.equal(part[edge].edge_attr, view[edge].edge_attr[kept[edge]])
    assert Net(view.edge_types)(part.x_dict, part.edge_index_dict).shape == (2,)


@pytest.mark.skipif(
    not (installed.WITH_PYG_LIB or installed.WITH_TORCH_SPARSE), reason="NeighborLoader needs pyg-lib or torch-sparse"
)
def test_neighbour_loader(view):
    loader = NeighborLoader(view, [-1, -1], input_nodes=("patient", view["patient"].train_mask), batch_size=8)
    seen = torch.cat([batch["patient"].row[: batch["patient"].batch_size] for batch in loader])
    assert sorted(seen.tolist()) == view["patient"].train_mask.nonzero()[:, 0].tolist()


def test_an_explainer_runs_on_it(view):
    torch.manual_seed(0)
    model = Net(view.edge_types)
    model(view.x_dict, view.edge_index_dict)
    explainer = Explainer(
        model,
        algorithm=GNNExplainer(epochs=3),
        explanation_type="model",
        node_mask_type="attributes",
        edge_mask_type="object",
        model_config={"mode": "binary_classification", "task_level": "node", "return_type": "raw"},
    )
    explanation = explainer(view.x_dict, view.edge_index_dict, index=3)
    assert explanation["patient"].node_mask.shape == view["patient"].x.shape
    assert explanation[view.edge_types[0]].edge_mask.shape == (view[view.edge_types[0]].num_edges,)


def test_new_patients_are_scaled_as_in_training(graph, view):
    shorter = drop_modalities(graph, graph.schema.names[0], [0, 1, 2])
    shorter["patient"].split = ["new"] * 60
    with pytest.raises(InputError, match="no training patient; give like="):
        to_pyg_view(shorter)
    new = to_pyg_view(shorter, like=view)
    assert torch.equal(new["patient"].x[3:], view["patient"].x[3:])
    other = to_pyg_view(graph)
    other.columns = ["else"]
    with pytest.raises(InputError, match="like has other columns"):
        to_pyg_view(graph, like=other)


def test_a_modality_that_nobody_has(graph):
    view = to_pyg_view(drop_modalities(graph, graph.schema.names[1]))
    assert view["patient", graph.schema.names[1], "modality"].num_edges == 0
    assert Net(view.edge_types)(view.x_dict, view.edge_index_dict).isfinite().all()


def test_public_names_of_the_folder_are_there():
    assert all(getattr(gdsfd.graph, name) is not None for name in gdsfd.graph.__all__)
    assert set(gdsfd.graph.__all__) <= set(dir(gdsfd.graph))
    with pytest.raises(AttributeError):
        _ = gdsfd.graph.nothing
