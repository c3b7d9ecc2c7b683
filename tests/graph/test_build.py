"""From a spec to a graph and its receipt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gdsfd.cohort.spec import load_spec
from gdsfd.errors import InputError
from gdsfd.graph.build import audit, build_graph
from gdsfd.graph.serialization import load_graph, save_graph

SPEC = """
[cohort]
source = "patients.csv"
id = "id"
[outcome]
name = "mortality"
column = "status"
positive = "dead"
negative = "alive"
[split]
kind = "column"
column = "split"
[[modality]]
name = "ward"
kind = "codes"
source = "wards.csv"
id = "id"
code = "ward"
min_count = 1
"""


@pytest.fixture
def spec(tmp_path) -> Path:
    rows = [f"{row:03d},{'dead' if row % 3 == 0 else 'alive'},{('train', 'test')[row % 2]}" for row in range(40)]
    (tmp_path / "patients.csv").write_text("id,status,split\n" + "\n".join(rows) + "\n")
    wards = [f"{row:03d},{'ABC'[row % 3]}" for row in range(0, 40, 2)]
    (tmp_path / "wards.csv").write_text("id,ward\n" + "\n".join([*wards, "999,A"]) + "\n")
    (tmp_path / "cohort.toml").write_text(SPEC)
    return tmp_path / "cohort.toml"


def test_a_path_and_a_spec_give_the_same_graph(spec):
    graph = build_graph(spec)
    again = build_graph(load_spec(spec))
    assert graph["patient"].id[:2] == ["000", "001"]
    assert graph["patient", "ward", "modality"].edge_index[0].tolist() == list(range(0, 40, 2))
    assert torch.equal(graph["patient"].y, again["patient"].y)
    assert graph.schema == again.schema


def test_like_a_graph_or_its_schema_keeps_the_vocabulary(spec):
    graph = build_graph(spec)
    codes = graph.schema.modalities[0].codes
    (spec.parent / "wards.csv").write_text("id,ward\n000,A\n002,new\n")
    for like in (graph, graph.schema):
        further = build_graph(spec, like=like)
        assert further.schema.modalities[0].codes == codes
        assert further["patient", "ward", "modality"].code.tolist() == [codes.index("A") + 2, 0]


def test_audit_of_a_spec_and_of_a_graph(spec):
    graph = build_graph(spec)
    receipt = audit(spec)
    assert audit(graph) == graph.receipt == receipt
    assert [drop.rows for drop in receipt.modalities[0].drops] == [1]
    assert receipt.subjects["overlap"] == 0


def test_a_built_graph_comes_back_from_its_folder(spec, tmp_path):
    graph = build_graph(spec)
    save_graph(graph, tmp_path / "graph")
    again = load_graph(tmp_path / "graph")
    assert again.receipt == graph.receipt
    assert again.schema == graph.schema
    assert again.spec == graph.spec


def test_a_missing_spec_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.toml"):
        build_graph(tmp_path / "nowhere.toml")


@pytest.mark.data
def test_leaky_columns_of_a_real_cohort_are_found(data_dir, tmp_path):
    """In SUPPORT2 the time of follow-up ends with death; the study's plain columns are honest."""
    (tmp_path / "cohort.toml").write_text(f"""
[cohort]
source = "{data_dir}/support2/support2.csv.gz"
id = "sno"
[outcome]
name = "dead"
column = "hospdead"
positive = 1
negative = 0
[[modality]]
name = "chart"
kind = "table"
source = "{data_dir}/support2/support2.csv.gz"
id = "sno"
columns = ["age", "meanbp", "crea", "hrt", "d.time", "sex", "scoma"]
""")
    found = [finding for finding in audit(tmp_path / "cohort.toml").findings if finding.kind == "leakage"]
    assert [finding.where for finding in found] == ["chart.d.time"]
    assert found[0].value == pytest.approx(0.028, abs=0.01)
