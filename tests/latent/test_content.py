from __future__ import annotations

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent import content as module
from gdsfd.latent.content import ContentReader
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(400, seed=1))


@pytest.fixture(scope="module")
def train(graph) -> np.ndarray:
    return np.flatnonzero(np.asarray(graph["patient"].split, dtype=str) == "train")


def test_numbers_are_content_and_flags_counts_codes_and_categories_are_not(graph, train):
    reader = ContentReader.fit(graph, train)
    table, names = flatten(graph)
    chosen = [names[column] for column in reader.columns]
    assert {name.split(".")[0] for name in chosen} == {"chart", "labs", "note", "scan"}
    assert all("=" not in name and "(" not in name and not name.endswith(".count") for name in chosen)
    assert {name for name in chosen if name.startswith("labs")} == {
        f"labs.{item}.mean" for item in ("heart_rate", "lactate", "sodium")
    }
    content = reader(table)
    assert (np.isfinite(content) == np.isfinite(table[:, reader.columns])).all()  # nothing is imputed
    assert np.nanmean(content[train], axis=0) == pytest.approx(np.zeros(len(chosen)), abs=0.1)
    assert np.nanstd(content[train], axis=0) == pytest.approx(np.ones(len(chosen)), abs=0.25)
    assert np.nanmax(np.abs(content)) <= 4


def test_it_is_what_training_patients_made_it(graph, train):
    reader = ContentReader.fit(graph, train)
    table, _ = flatten(graph)
    alone = reader(table[7:8])
    assert np.array_equal(alone, reader(table)[7:8], equal_nan=True)
    again = ContentReader.from_arrays(reader.arrays())
    assert np.array_equal(again(table), reader(table), equal_nan=True)


def test_wide_vectors_become_components_and_wide_tables_lose_the_rarely_measured(graph, train, monkeypatch):
    monkeypatch.setattr(module, "MOST_COLUMNS", 2)
    reader = ContentReader.fit(graph, train)
    table, names = flatten(graph)
    content = reader(table)
    note = np.flatnonzero([names[column].startswith("note.") for column in reader.columns])
    assert len(note) == 4
    own = reader.block == reader.source[note[0]]
    assert own.sum() == 2
    made = content[np.ix_(train, own)]
    made = made[np.isfinite(made).all(1)]
    assert made.T @ made / len(made) == pytest.approx(np.eye(2), abs=1e-6)
    assert (np.bincount(reader.block) <= 2).all()
    assert np.array_equal(np.isnan(content[:, own]).any(1), np.isnan(table[:, reader.columns[note]]).any(1))


def test_without_numbers_there_is_nothing_to_find():
    empty = graph_from_cohort(make_cohort(100, nobody_has=("chart", "labs", "note", "scan")))
    with pytest.raises(InputError, match="none of the modalities chart, labs, diagnosis, note, scan has one"):
        ContentReader.fit(empty, np.arange(100))
