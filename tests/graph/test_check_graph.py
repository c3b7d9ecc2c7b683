"""Whatever is changed so that a value would go to another patient, or mean another thing, is refused in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import torch
from torch_geometric.data import Batch, HeteroData

from gdsfd.errors import InputError
from gdsfd.graph.check_graph import check_graph, check_observed, check_values
from gdsfd.graph.from_cohort import edge_type, graph_from_cohort
from tests.cohort_factory import make_cohort


def made(outcomes: str = "binary") -> HeteroData:
    return graph_from_cohort(make_cohort(30, outcomes=outcomes))


def edges(graph: HeteroData, name: str) -> Any:
    return graph[edge_type(name)]


def put(name: str, key: str, change: Callable[[Any], Any]) -> Callable[[HeteroData], None]:
    """A change of one tensor of a modality."""

    def to(graph: HeteroData) -> None:
        edges(graph, name)[key] = change(edges(graph, name)[key].clone())

    return to


def at(place: Any, value: Any) -> Callable[[Any], Any]:
    def to(tensor: Any) -> Any:
        tensor[place] = value
        return tensor

    return to


def texts(key: str, change: Callable[[Any], Any]) -> Callable[[HeteroData], None]:
    """A change of texts of the patients."""

    def to(graph: HeteroData) -> None:
        graph["patient"][key] = change(list(graph["patient"][key]))

    return to


def owner_twice(graph: HeteroData) -> None:
    edges(graph, "note").edge_index[0, 1] = edges(graph, "note").edge_index[0, 0]


def one_id_less(graph: HeteroData) -> None:
    graph["patient"].id = graph["patient"].id[:-1]


def one_group_less(graph: HeteroData) -> None:
    graph["patient"].groups["sex"] = graph["patient"].groups["sex"][:-1]


def other_modalities(graph: HeteroData) -> None:
    graph["modality"].name = list(reversed(graph["modality"].name))


def no_schema(graph: HeteroData) -> None:
    del graph["schema"]


def rows_turned(graph: HeteroData) -> None:
    graph["patient"]._mapping["row"] = torch.arange(30).flip(0)


WRONG: dict[str, tuple[Callable[[HeteroData], None], str]] = {
    "no schema": (no_schema, "has no schema"),
    "an id less": (one_id_less, "has 30 patients but 29 values of id"),
    "a group less": (one_group_less, "has 30 patients but 29 values of group 'sex'"),
    "modalities turned": (other_modalities, "use gdsfd.graph.keep_modalities"),
    "patients turned": (rows_turned, "patients: the graph was sliced by something"),
    "owner twice": (owner_twice, r"modality 'note': patient \d+ has more than one observation"),
    "owner beyond": (put("note", "edge_index", at((0, 0), 30)), "modality 'note' has an edge of patient 30, of 30"),
    "owner negative": (put("note", "edge_index", at((0, 0), -1)), "modality 'note' has an edge of patient -1, of 30"),
    "other hub": (put("note", "edge_index", at((1, 0), 0)), "to another modality's node; expected node 3"),
    "edges of int32": (put("note", "edge_index", lambda index: index.int()), r"expected edge_index as int64 \[2, obs"),
    "a row less": (put("chart", "numeric", lambda numbers: numbers[:-1]), r"'chart': expected numeric as floats .*\["),
    "a column less": (put("chart", "numeric", lambda numbers: numbers[:, 1:]), r"floats .*\[\d+, 3\], got .*2\]"),
    "no split": (texts("split", at(3, None)), "split of the patients: expected texts, got None for patient 3"),
    "ids as numbers": (texts("id", lambda ids: [*range(len(ids))]), "id of the patients: expected texts, got 0 for"),
    "splits as a column": (texts("split", pd.Series), "split of the patients: expected a list of texts, got Series"),
    "halves of values": (put("labs", "value", lambda values: values.half()), r"float64\) .*, got torch.float16 \["),
    "levels as floats": (put("chart", "categorical", lambda levels: levels.float()), "categorical as whole numbers"),
    "a level too many": (put("chart", "categorical", at((0, 1), 4)), "'chart': categorical holds numbers"),
    "a level below 0": (put("chart", "categorical", at((0, 0), -1)), "'chart': categorical holds numbers"),
    "an unknown code": (put("diagnosis", "code", at(0, 7)), "code holds numbers that its schema does not know"),
    "an unknown item": (put("labs", "item", at(0, 3)), "'labs': item holds numbers"),
    "an unknown step": (put("labs", "step", at(0, 6)), "'labs': step holds numbers"),
    "runs from 1": (put("diagnosis", "run_ptr", at(0, 1)), "'diagnosis': run_ptr does not belong to the graph's edges"),
    "runs backwards": (put("labs", "run_ptr", lambda ptr: at(1, int(ptr[2]) + 1)(ptr)), "run_ptr does not belong"),
    "runs too short": (put("labs", "summary_ptr", at(-1, 0)), "'labs': summary_ptr does not belong"),
    "a run less": (put("labs", "run_ptr", lambda ptr: ptr[:-1]), r"'labs': expected run_ptr as whole numbers \[\d+\]"),
    "a cell less": (put("labs", "value", lambda values: values[:-1]), "'labs': run_ptr does not belong"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_would_give_a_patient_another_one_s_values_is_refused(name: str) -> None:
    graph, (change, message) = made(), WRONG[name]
    check_graph(graph)
    change(graph)
    with pytest.raises(InputError, match=message):
        check_graph(graph)


@pytest.mark.parametrize("graph", [None, "graph", {"patient": {}}])
def test_another_thing_is_no_graph(graph: Any) -> None:
    with pytest.raises(InputError, match=r"expected a graph \(gdsfd.build_graph or gdsfd.load_graph\), got"):
        check_graph(graph)


def test_a_batch_and_a_lacking_edge_type_are_refused() -> None:
    with pytest.raises(InputError, match="got a batch of graphs"):
        check_graph(Batch.from_data_list([made(), made()]))
    graph = made()
    del graph[edge_type("labs")]
    with pytest.raises(InputError, match=r"no edge type \('patient', 'labs', 'modality'\), which its schema names"):
        check_graph(graph)


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_right_values_pass(outcomes: str) -> None:
    check_values(made(outcomes))


def labels(place: Any, value: float) -> Callable[[HeteroData], None]:
    def to(graph: HeteroData) -> None:
        graph["patient"].y[place] = value

    return to


def transposed(graph: HeteroData) -> None:
    graph["patient"].y = graph["patient"].y.t()


def as_array(graph: HeteroData) -> None:
    graph["patient"].y = graph["patient"].y.numpy()


def as_floats(graph: HeteroData) -> None:
    graph["patient"].y = graph["patient"].y.float()


def no_labels(graph: HeteroData) -> None:
    del graph["patient"].y


@pytest.mark.parametrize(
    ("outcomes", "change", "message"),
    [
        ("binary", labels(3, 0.5), "labels: 1 are of no class"),
        ("binary", labels(slice(0, 2), -1), "labels: 2 are of no class"),
        ("binary", transposed, r"NaN where nobody knows the outcome, \[30, 1\], got torch.float32 \[1, 30\]"),
        ("binary", no_labels, r"expected a tensor of floats .* \[30, 1\], got NoneType"),
        ("binary", as_array, r"expected a tensor of floats .* \[30, 1\], got ndarray"),
        ("multiclass", as_floats, r"whole numbers \(int64\), -1 where .* \[30\], got torch.float32"),
        ("binary", texts("id", lambda ids: [ids[1], *ids[1:]]), "ids: 1 stand for several patients: '.+'; expect"),
        ("multiclass", labels(3, 3), "labels: 1 are of no class"),
        ("multiclass", labels(3, -2), "labels: 1 are of no class"),
        ("binary", put("chart", "numeric", at((0, 0), torch.inf)), "'chart': numeric holds values that are not finite"),
        ("binary", put("labs", "value", at(0, torch.nan)), "'labs': value holds values that are not finite"),
        ("binary", put("note", "vector", at((0, 0), -torch.inf)), "'note': vector holds values that are not finite"),
    ],
)
def test_labels_of_no_class_and_infinite_values_are_refused(
    outcomes: str, change: Callable[[HeteroData], None], message: str
) -> None:
    graph = made(outcomes)
    change(graph)
    with pytest.raises(InputError, match=message):
        check_values(graph)


def test_labels_are_no_business_of_a_prediction() -> None:
    graph = made()
    labels(3, 0.5)(graph)
    check_observed(graph)
    texts("id", lambda ids: [ids[1], *ids[1:]])(graph)
    with pytest.raises(InputError, match="ids: 1 stand for several patients"):
        check_observed(graph)


def test_values_in_double_precision_are_read_but_not_predicted_from() -> None:
    graph = made()
    put("chart", "numeric", lambda numbers: numbers.double())(graph)
    check_graph(graph)
    check_values(graph)
    with pytest.raises(InputError, match=r"'chart': expected numeric as floats \(float32\), got torch.float64"):
        check_observed(graph, single=True)


def test_numbers_of_a_table_may_be_missing() -> None:
    graph = made()
    put("chart", "numeric", at((0, 0), torch.nan))(graph)
    check_values(graph)
