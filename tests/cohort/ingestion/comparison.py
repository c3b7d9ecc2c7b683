"""A graph beside what the oracle expects of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch_geometric.data import HeteroData

from tests.cohort.ingestion.oracle import Expected
from tests.cohort.ingestion.oracle_kinds import Observed

__all__ = ["assert_as_expected"]


def assert_as_expected(graph: HeteroData, expected: Expected) -> None:
    """Patients, labels, splits, edges, values, vocabularies and the receipt are the recount's."""
    patient = graph["patient"]
    assert patient.id == expected.id
    assert patient.subject == expected.subject
    assert patient.environment == expected.environment
    assert list(patient.groups.values()) == [expected.sex]
    assert patient.split == expected.split
    np.testing.assert_array_equal(patient.y.numpy(), expected.y)
    _assert_account(graph.receipt.cohort, expected.read, len(expected.id))
    train = np.array([name == "train" for name in expected.split])
    for fields, own, observed in zip(
        graph.schema.modalities, graph.receipt.modalities, expected.modalities, strict=True
    ):
        _assert_account(own, observed.read, observed.kept)
        drops = {drop.reason.split(" of ")[0]: drop.rows for drop in own.drops}
        assert drops.get("id not in the cohort", 0) == observed.foreign
        assert drops.get("outside the window", 0) == observed.outside
        assert own.patients == len(observed.patients)
        store = graph["patient", fields.name, "modality"]
        assert store.edge_index[0].tolist() == observed.patients
        arrays = {key: value.numpy() for key, value in store.items()}
        {"table": _table, "events": _events, "codes": _codes, "embedding": _embedding}[fields.kind](
            fields, arrays, observed, train
        )


def _assert_account(receipt: Any, read: int, kept: int) -> None:
    assert (receipt.rows_read, receipt.rows_kept) == (read, kept), receipt
    assert receipt.rows_read == receipt.rows_kept + sum(drop.rows for drop in receipt.drops), receipt


def _table(fields: Any, arrays: dict[str, Any], observed: Observed, train: Any) -> None:
    assert list(fields.numeric) == observed.fitted["numeric"]
    assert {name: set(levels) for name, levels in zip(fields.categorical, fields.levels)} == observed.fitted["levels"]
    numbers = np.array([observed.found[patient][0] for patient in observed.patients], np.float64)
    np.testing.assert_array_equal(arrays["numeric"], numbers.astype(np.float32).reshape(arrays["numeric"].shape))
    words = [["[missing]", "[unseen]", *levels] for levels in fields.levels]
    found = [[words[k][code] for k, code in enumerate(row)] for row in arrays["categorical"].tolist()]
    assert found == [observed.found[patient][1] for patient in observed.patients]
    if fields.numeric:
        _assert_scales(fields.scales, numbers[train[observed.patients]].astype(np.float32))


def _events(fields: Any, arrays: dict[str, Any], observed: Observed, train: Any) -> None:
    assert list(fields.items) == observed.fitted["items"]
    assert fields.steps == observed.fitted["steps"]
    for edge, patient in enumerate(observed.patients):
        cells, summary = observed.found[patient]
        own = slice(*arrays["run_ptr"][edge : edge + 2])
        places = list(zip(arrays["step"][own].tolist(), arrays["item"][own].tolist()))
        assert places == sorted(cells)
        np.testing.assert_allclose(arrays["value"][own], np.float32([cells[place] for place in places]), rtol=1e-6)
        own = slice(*arrays["summary_ptr"][edge : edge + 2])
        assert arrays["summary_item"][own].tolist() == sorted(summary)
        rows = np.array([summary[item] for item in sorted(summary)])
        np.testing.assert_array_equal(np.delete(arrays["summary"][own], 1, 1), np.delete(rows, 1, 1).astype(np.float32))
        np.testing.assert_allclose(arrays["summary"][own][:, 1], np.float32(rows[:, 1]), rtol=1e-6)
    in_train = [observed.found[patient][0] for patient in observed.patients if train[patient]]
    for item, scale in enumerate(fields.scales):
        values = [value for cells in in_train for (_, own), value in cells.items() if own == item]
        assert scale.count == len(values)


def _codes(fields: Any, arrays: dict[str, Any], observed: Observed, train: Any) -> None:
    assert list(fields.codes) == observed.fitted["codes"]
    assert list(fields.code_counts) == observed.fitted["counts"]
    words = ["[rare]", "[blank]", *fields.codes]
    for edge, patient in enumerate(observed.patients):
        own = arrays["code"][slice(*arrays["run_ptr"][edge : edge + 2])].tolist()
        assert own == sorted(set(own))
        assert {words[code] for code in own} == observed.found[patient]


def _embedding(fields: Any, arrays: dict[str, Any], observed: Observed, train: Any) -> None:
    assert fields.width == observed.fitted["width"]
    vectors = np.array([observed.found[patient] for patient in observed.patients]).astype(np.float32)
    np.testing.assert_array_equal(arrays["vector"], vectors)
    _assert_scales(fields.scales, vectors[train[observed.patients]])


def _assert_scales(scales: Any, values: Any) -> None:
    """Of the training patients alone: their number and, where it is not rounded for privacy, their mean."""
    for column, scale in enumerate(scales):
        measured = values[:, column][~np.isnan(values[:, column])].astype(np.float64)
        assert scale.count == len(measured)
        if len(measured) >= 5:
            np.testing.assert_allclose(scale.mean, measured.mean(), rtol=1e-6)
