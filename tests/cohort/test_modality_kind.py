from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import arrays_of
from gdsfd.cohort.modality_kind import MODALITY_KINDS, Values, packed_runs
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.spec import CohortSpec, load_spec
from gdsfd.errors import InputError, SchemaError, SpecError
from gdsfd.graph.build import build_graph
from gdsfd.graph.flatten import flat_width, flatten
from gdsfd.graph.patient_store import PatientStore
from gdsfd.graph.serialization import load_graph, save_graph
from gdsfd.graph.summary import summary
from gdsfd.training.suspects.suspect_codes import suspect_codes
from tests.cohort.small_exports import labs, patients, spec
from tests.cohort_factory import make_cohort
from tests.plugin_parts import declared

SAMPLES = 8


@pytest.fixture
def waveform():
    with declared("waveform_kind"):
        yield


def signals(count: int = 30) -> pd.DataFrame:
    """A signal per patient, in a column per sample; the last ten patients have none."""
    values = np.random.default_rng(0).normal(size=(count, SAMPLES)).round(3)
    frame = pd.DataFrame(values, columns=[f"s_{k}" for k in range(SAMPLES)])
    return frame.assign(pid=[f"{k:03d}" for k in range(count)])


def entry(source: object, columns: object = "s_*") -> dict[str, object]:
    return {"name": "ecg", "kind": "waveform", "source": source, "id": "pid", "columns": columns}


def table() -> dict[str, object]:
    return {"name": "labs", "kind": "table", "source": labs(), "id": "pid", "missing": [-1]}


def test_an_own_kind_is_built_saved_loaded_flattened_and_summarised(waveform, tmp_path):
    graph = build_graph(spec([table(), entry(signals())]))
    assert graph.schema.modalities[1].kind == "waveform"
    assert graph.schema.modalities[1].width == SAMPLES
    save_graph(graph, tmp_path / "graph")
    loaded = load_graph(tmp_path / "graph")
    stored = loaded["patient", "ecg", "modality"]
    expected = signals().drop(columns="pid").to_numpy(np.float32)
    assert np.array_equal(stored.signal.numpy(), expected)
    x, names = flatten(loaded)
    assert x.shape == (40, flat_width(loaded.schema))
    flat = x[:, [names.index("ecg.mean"), names.index("ecg.std")]]
    assert np.allclose(flat[:30], np.stack([expected.mean(1), expected.std(1)], axis=1))
    assert np.isnan(flat[30:]).all()
    assert "signals of 8 samples" in summary(loaded)
    batch = PatientStore(loaded).batch(torch.tensor([5, 35, 2]))
    assert np.array_equal(batch.observations["ecg"]["signal"].numpy(), expected[[5, 2]])


def test_its_entry_is_read_from_toml_and_from_lists(waveform, tmp_path):
    lists = pd.DataFrame({"pid": signals().pid, "wave": signals().drop(columns="pid").to_numpy().tolist()})
    lists.to_parquet(tmp_path / "waves.parquet")
    patients().to_csv(tmp_path / "patients.csv", index=False)
    (tmp_path / "spec.toml").write_text(
        '[cohort]\nsource = "patients.csv"\nid = "pid"\n[outcome]\nname = "died"\ncolumn = "died"\npositive = "yes"\n'
        '[[modality]]\nname = "ecg"\nkind = "waveform"\nsource = "waves.parquet"\nid = "pid"\ncolumns = "wave"\n'
    )
    read = load_spec(tmp_path / "spec.toml")
    assert read.to_dict()["modality"][0]["columns"] == "wave"
    cohort = build_cohort(read)
    assert np.array_equal(
        arrays_of(cohort.observations["ecg"])["signal"], signals().drop(columns="pid").to_numpy(np.float32)
    )
    like = build_cohort(read, like=cohort.schema)
    assert like.schema == cohort.schema


def test_its_content_can_be_suspected_but_has_no_columns(waveform):
    graph = build_graph(spec([table(), entry(signals())]))
    codes = suspect_codes(graph, ("modality:ecg",), torch.arange(40))
    assert codes.names == ("modality:ecg",)
    assert (codes.codes[30:, 0] == 0).all()
    assert (codes.codes[:30, 0] > 0).all()
    with pytest.raises(InputError, match="kind 'waveform' have no columns to suspect"):
        suspect_codes(graph, ("column:ecg.mean",), torch.arange(40))


def test_its_flat_columns_are_searched_for_leaks(waveform):
    frame = signals(40)
    died = (patients().died == "yes").to_numpy()
    frame[[f"s_{k}" for k in range(SAMPLES)]] += 100.0 * died[:, None]
    cohort = build_cohort(spec([entry(frame)]))
    assert any(finding.where == "ecg.mean" for finding in cohort.receipt.findings)


def test_part_of_a_graph_keeps_its_values(waveform):
    graph = build_graph(spec([entry(signals())]))
    part = graph.subgraph({"patient": torch.tensor([4, 1])})
    expected = signals().drop(columns="pid").to_numpy(np.float32)
    owner = part["patient", "ecg", "modality"].edge_index[0]
    assert torch.equal(part["patient", "ecg", "modality"].signal, torch.tensor(expected)[torch.tensor([4, 1])[owner]])


def test_a_wrong_shape_is_refused(waveform):
    graph = build_graph(spec([entry(signals())]))
    graph["patient", "ecg", "modality"].signal = torch.zeros(30, SAMPLES + 1)
    with pytest.raises(InputError, match=r"'ecg': expected signal as floats \[30, 8\]"):
        PatientStore(graph)


def test_without_its_module_the_kind_is_unknown_everywhere(tmp_path):
    with declared("waveform_kind"):
        save_graph(build_graph(spec([entry(signals())])), tmp_path / "graph")
    with pytest.raises(SpecError, match=r"modality\[0\] \('ecg'\).kind: expected one of .*got 'waveform'"):
        spec([entry(signals())])
    with pytest.raises(SchemaError, match=r"expected a kind among .*, got 'waveform'"):
        ModalityFields("ecg", "waveform")
    with pytest.raises(InputError, match=r"needs the modality kind 'waveform', which 'tests\.plugin_parts\.waveform_k"):
        load_graph(tmp_path / "graph")


def test_the_command_line_reads_it_with_plugin(tmp_path):
    with declared("waveform_kind"):
        save_graph(build_graph(spec([entry(signals())])), tmp_path / "graph")
    code = (
        "import sys, gdsfd; from gdsfd.plugins import load_plugins; load_plugins(sys.argv[2:]);"
        "print(gdsfd.load_graph(sys.argv[1])['patient', 'ecg', 'modality'].signal.shape)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "graph"), "tests.plugin_parts.waveform_kind"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "torch.Size([30, 8])", done.stderr


def test_unknown_fields_of_its_entry_are_refused_with_near_names(waveform):
    with pytest.raises(SpecError, match=r"modality\[0\] \('ecg'\)\.colums: unknown key\. Did you mean 'columns'\?"):
        spec([{**entry(signals()), "colums": "x"}])


def test_two_kinds_may_not_lay_out_a_key_in_two_ways(waveform):
    kind = MODALITY_KINDS.find("waveform")
    MODALITY_KINDS.register("other wave")(replace(kind, name="other wave", rows={"code": Values()}))
    with pytest.raises(InputError, match="lay out 'code' in two ways"):
        packed_runs()


def test_the_layout_of_built_in_kinds_is_what_cohorts_hold():
    cohort = make_cohort(10)
    for fields in cohort.schema.modalities:
        kind = MODALITY_KINDS.find(fields.kind)
        assert set(arrays_of(cohort.observations[fields.name])) == set(kind.keys)


def test_an_entry_may_be_the_model_itself_and_survives_a_copy(waveform):
    model = MODALITY_KINDS.find("waveform").spec_model(**entry(signals()))
    made = spec([model])
    assert isinstance(made, CohortSpec)
    assert made.modality[0].columns == "s_*"
    assert made.model_copy().to_dict()["modality"][0]["kind"] == "waveform"
