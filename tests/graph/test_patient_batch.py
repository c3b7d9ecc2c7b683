"""A batch knows how many patients it has, and takes all its tensors along when it moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from tests.cohort_factory import make_cohort


@pytest.fixture
def batch() -> PatientBatch:
    return PatientStore(graph_from_cohort(make_cohort(20))).batch(torch.tensor([7, 2, 3]))


def tensors(batch: PatientBatch) -> Iterator[tuple[str, Tensor]]:
    yield "rows", batch.rows
    assert batch.y is not None
    yield "y", batch.y
    for key in ("patient", "modality", "modality_ptr"):
        yield key, getattr(batch.layout, key)
    for name, held in batch.observations.items():
        for key, tensor in held.items():
            yield f"{name}.{key}", tensor


def test_the_length_counts_patients_with_nothing_too(batch: PatientBatch) -> None:
    assert len(batch) == batch.layout.num_patients == 3  # row 3 has no modality


def test_every_tensor_moves_and_nothing_else_changes(batch: PatientBatch) -> None:
    moved = batch.to("meta")
    before, after = dict(tensors(batch)), dict(tensors(moved))
    assert before.keys() == after.keys()
    for key, tensor in after.items():
        assert tensor.is_meta, key
        assert (tensor.shape, tensor.dtype) == (before[key].shape, before[key].dtype), key
    assert (moved.layout.num_patients, moved.layout.num_modalities) == (3, 5)
    assert not batch.rows.is_meta  # the batch itself stays


def test_labels_may_be_absent(batch: PatientBatch) -> None:
    without = PatientBatch(batch.rows, batch.layout, batch.observations)
    assert without.to("meta").y is None
