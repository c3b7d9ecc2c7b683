from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from gdsfd.graph.build import build_graph
from gdsfd.simulation import simulate
from gdsfd.simulation.truth import load_truth


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("meds") / "meds", patients=120, modalities=5, format="meds")


def test_every_file_is_as_meds_says(folder: Path) -> None:
    meds = pytest.importorskip("meds")
    shards = sorted((folder / "data").glob("*.parquet"))
    assert len(shards) == 2
    for path in shards:
        meds.DataSchema.validate(pq.read_table(path))
    meds.LabelSchema.validate(pq.read_table(folder / "labels" / "deterioration.parquet"))
    meds.SubjectSplitSchema.validate(pq.read_table(folder / meds.subject_splits_filepath))
    meds.CodeMetadataSchema.validate(pq.read_table(folder / meds.code_metadata_filepath))
    meds.DatasetMetadataSchema.validate(json.loads((folder / meds.dataset_metadata_filepath).read_text()))


def test_a_person_is_in_one_shard_in_the_order_of_time(folder: Path) -> None:
    shards = [pd.read_parquet(path) for path in sorted((folder / "data").glob("*.parquet"))]
    people = [set(shard["subject_id"]) for shard in shards]
    assert not people[0] & people[1]
    for shard in shards:
        assert shard["subject_id"].is_monotonic_increasing
        times = shard.groupby("subject_id")["time"]
        assert times.apply(lambda own: own.isna().tolist() == sorted(own.isna(), reverse=True)).all()
        assert times.apply(lambda own: own.dropna().is_monotonic_increasing).all()
    codes = set(pd.read_parquet(folder / "metadata" / "codes.parquet")["code"])
    assert codes == set(pd.concat(shards)["code"])
    assert {"MEDS_BIRTH", "GENDER//F", "LAB//sodium", "HISTORY//I50.9", "DEMOGRAPHICS//smoker//never"} <= codes


def test_labels_are_those_of_the_truth(folder: Path) -> None:
    labels = pd.read_parquet(folder / "labels" / "deterioration.parquet")
    truth = load_truth(folder)
    labelled = truth.patients["label"] >= 0
    assert len(labels) == labelled.sum() < len(truth.patients)
    assert labels["boolean_value"].sum() == truth.patients.loc[labelled, "label"].sum()


def test_its_spec_builds(folder: Path) -> None:
    graph = build_graph(folder / "spec.toml", progress=False)
    names = [fields.name for fields in graph.schema.modalities]
    assert names == ["labs", "vitals", "demographics", "history", "demographics_codes"]
    assert set(graph["patient"].split) >= {"train", "tuning", "test", "test_flipped"}
    assert graph.schema.groups == ("sex", "ethnicity")
