"""The same cohort as exports, as MEDS and as OMOP is the same graph."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from gdsfd.cohort.spec import CohortSpec, load_spec
from gdsfd.graph.build import build_graph
from gdsfd.simulation.as_omop import FIRST_ANCESTOR
from tests.cohort.formats.written import NAMES, write_three


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_three(tmp_path_factory.mktemp("three"))


def of_exports(folder: Path) -> CohortSpec:
    """The exports' spec, without what only they have: a record without a code, and an order of the signs of its own."""
    spec = load_spec(folder / "spec.toml")
    by_name = {modality.name: modality for modality in spec.modality}
    by_name["history"].where = "code IS NOT NULL"
    by_name["vitals"].values.sort()
    return spec


def assert_same(one, other) -> None:
    assert one["patient"].y.tolist() == other["patient"].y.tolist()
    assert one["patient"].split == other["patient"].split
    assert list(one.edge_types) == list(other.edge_types) == [("patient", name, "modality") for name in NAMES]
    for kind in one.edge_types:
        first, second = dict(one[kind].items()), dict(other[kind].items())
        assert first.keys() == second.keys()
        for name, tensor in first.items():
            assert torch.equal(tensor, second[name]), (kind, name)
    for ours, theirs in zip(one.schema.modalities, other.schema.modalities):
        assert (ours.steps, ours.scales, ours.code_counts) == (theirs.steps, theirs.scales, theirs.code_counts)


@pytest.mark.parametrize("standard", ["meds", "omop"])
def test_a_standard_gives_the_graph_of_the_exports(folders, standard) -> None:
    exports = build_graph(of_exports(folders["csv"]), progress=False)
    graph = build_graph(folders[standard] / "spec.toml", progress=False)
    assert len(exports["patient"].id) > 200
    assert_same(exports, graph)
    patients = pd.read_csv(folders["csv"] / "patients.csv", dtype=str, keep_default_na=False)
    number = patients["subject_id"].str[1:].astype(int).astype(str)
    assert graph["patient"].subject == number.tolist()
    moment = pd.to_datetime(patients["admitted"]) + pd.Timedelta(days=1)
    assert graph["patient"].id == (number + "@" + moment.dt.strftime("%Y-%m-%d %H:%M:%S")).tolist()


def test_groups_below_a_concept_give_the_graph_of_the_exports(folders, tmp_path) -> None:
    """OMOP's ``concept_ancestor`` and MEDS's ``parent_codes`` say what belongs to a modality, in place of places."""
    exports = build_graph(of_exports(folders["csv"]), progress=False)
    for standard in ("meds", "omop"):
        shutil.copytree(folders[standard], tmp_path / standard)
    above = {name: FIRST_ANCESTOR + position for position, name in enumerate(NAMES)}
    file = tmp_path / "meds" / "metadata" / "codes.parquet"
    codes = pq.read_table(file)["code"].to_pylist()
    prefix = {"LAB": "labs", "VITAL": "vitals", "HISTORY": "history", "MEDICATIONS": "medications"}
    name_of = [prefix.get(code.split("//")[0]) for code in codes]
    parents = pa.array([None if name is None else [f"X/{name}"] for name in name_of], pa.list_(pa.string()))
    pq.write_table(pa.table({"code": codes, "parent_codes": parents}), file)
    table_of = dict(zip(NAMES, ("measurement", "measurement", "condition_occurrence", "drug_exposure")))
    groups = {
        "omop": {name: f'{{table = "{table_of[name]}", ancestor = {above[name]}}}' for name in NAMES},
        "meds": {name: f'{{parent = "X/{name}"}}' for name in NAMES},
    }
    for standard, named in groups.items():
        path = tmp_path / standard / "spec.toml"
        before, _, after = path.read_text().partition("[cohort.vocabulary]\n")
        rest = after[after.index("[[modality]]") :] if "[[modality]]" in after else ""
        lines = [f"{name} = {group}" for name, group in named.items()]
        path.write_text("\n".join([before, "[cohort.vocabulary]", *lines, "", rest]))
        graph = build_graph(path, progress=False)
        assert_same(exports, graph)
        if standard == "omop":
            notes = [note for receipt in graph.receipt.modalities for note in receipt.notes]
            assert sum(note.startswith("ancestor 21000") for note in notes) == len(NAMES)


@pytest.mark.parametrize("form", ["parquet", "folders", "duckdb"])
def test_the_form_of_omop_tables_does_not_matter(folders, form, tmp_path) -> None:
    omop, spec = folders["omop"], (folders["omop"] / "spec.toml").read_text()
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as connection:
        for path in omop.glob("*.csv"):
            connection.execute(f"CREATE TABLE {path.stem} AS FROM read_csv('{path}', header = true)")
            if form != "duckdb" and path.stem not in ("labels", "splits"):
                inside = tmp_path / path.stem if form == "folders" else tmp_path
                inside.mkdir(exist_ok=True)
                connection.execute(f"COPY {path.stem} TO '{inside / f'{path.stem}.parquet'}'")
    for name in ("labels.csv", "splits.csv"):
        (tmp_path / name).write_bytes((omop / name).read_bytes())
    source = "cdm.duckdb" if form == "duckdb" else "."
    (tmp_path / "spec.toml").write_text(spec.replace('source = "."', f'source = "{source}"'))
    assert_same(build_graph(omop / "spec.toml", progress=False), build_graph(tmp_path / "spec.toml", progress=False))
