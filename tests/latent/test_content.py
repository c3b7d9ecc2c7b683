from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

import gdsfd
from gdsfd.errors import InputError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.latent import content as module
from gdsfd.latent.content import ContentReader, content_readers, ranked_reader
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


def y_of(graph, rows):
    return np.nan_to_num(graph["patient"].y.numpy().ravel()[rows]).astype(np.int64)


@pytest.fixture(scope="module")
def coded(tmp_path_factory):
    place = tmp_path_factory.mktemp("content") / "exports"
    gdsfd.simulate(place, patients=1500, preset="coded_practice")
    graph = gdsfd.build_graph(place / "spec.toml", progress=False)
    return graph, np.flatnonzero(np.asarray(graph["patient"].split, dtype=str) == "train")


def test_codes_and_categories_stand_beside_the_same_numbers(coded):
    graph, train = coded
    table, names = flatten(graph)
    numbers, both = content_readers(graph, train, y_of(graph, train))
    assert numbers.numbers.all()
    assert both.numbers.tolist() == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]  # labs, imaging, age and others; three kinds
    assert [names[column] for column in both.presence[3:]] == [
        f"{name} (present)" for name in ("history", "demographics", "medications")
    ]
    own = both.numbers[both.block]
    assert np.array_equal(both(table)[:, own], numbers(table), equal_nan=True)
    components = both(table[train])[:, ~own]
    assert np.nanmean(components, axis=0) == pytest.approx(np.zeros(components.shape[1]), abs=0.1)
    assert np.nanstd(components, axis=0) == pytest.approx(np.ones(components.shape[1]), abs=0.05)
    assert (np.bincount(both.block)[~both.numbers] <= 7).all()


def test_without_the_modality_codes_are_missing_and_without_a_kept_code_they_are_not(coded):
    graph, train = coded
    table, names = flatten(graph)
    _, reader = content_readers(graph, train, y_of(graph, train))
    history = reader.block == 3
    presence = table[:, names.index("history (present)")]
    content = reader(table)[:, history]
    assert np.array_equal(np.isnan(content).any(1), presence == 0)
    assert (presence == 0).any()
    columns = reader.columns[reader.source == 3]
    nothing = table[presence == 1][:1].copy()
    nothing[:, columns] = 0.0
    expected = np.clip(-reader.centre / reader.scale, -4, 4)[reader.source == 3] @ reader.mixing[reader.source == 3]
    assert reader(nothing)[0, history] == pytest.approx(expected[history])
    table[0, names.index("demographics (present)")] = 1.0
    words = reader.columns[reader.source == 4]
    table[0, words] = np.nan
    assert np.isnan(reader(table[:1])[0, reader.block == 4]).all()  # no category measured


def test_a_reader_of_codes_is_stored_and_read_and_one_from_before_reads_numbers(coded):
    graph, train = coded
    table, _ = flatten(graph)
    numbers, both = content_readers(graph, train, y_of(graph, train))
    assert np.array_equal(ContentReader.from_arrays(both.arrays())(table), both(table), equal_nan=True)
    before = {name: each for name, each in numbers.arrays().items() if name != "presence"}
    assert np.array_equal(ContentReader.from_arrays(before)(table), numbers(table), equal_nan=True)


def test_codes_that_have_nothing_in_common_are_no_content(graph, train):
    (numbers,) = content_readers(graph, train, y_of(graph, train))
    alone = ContentReader.fit(graph, train)
    assert all(np.array_equal(each, alone.arrays()[name]) for name, each in numbers.arrays().items())


def test_ranks_are_those_among_training_patients_as_normal_scores(graph, train):
    reader = ranked_reader(graph, train)
    plain = ContentReader.fit(graph, train)
    table, _ = flatten(graph)
    content = reader(table)
    assert set(reader.columns) <= set(plain.columns)
    assert (reader.block == 0).all()
    assert reader.numbers.all()
    for column, place in enumerate(reader.columns):
        values = table[:, place].astype(np.float64)
        known = np.isfinite(values)
        assert (np.isfinite(content[:, column]) == known).all()
        own = values[train][known[train]]
        rank = np.array([(own < value).mean() + 0.5 * (own == value).mean() for value in values[known]])
        expected = norm.ppf(np.clip(rank, 1e-3, 1 - 1e-3))
        middle = (rank > 0.02) & (rank < 0.98)
        assert content[known, column][middle] == pytest.approx(expected[middle], abs=0.12)
        order = np.argsort(values[known], kind="stable")
        assert (np.diff(content[known, column][order]) >= 0).all()
        assert np.abs(content[known, column]).max() < 3.5, "one typing error is no further away than the largest"


def test_ranks_hold_of_any_scale_and_are_stored(graph, train):
    reader = ranked_reader(graph, train)
    table = flatten(graph)[0]
    again = ContentReader.from_arrays(reader.arrays())
    np.testing.assert_array_equal(again(table), reader(table))
    longer = graph.clone()
    for kind in longer.edge_types:
        if "numeric" in longer[kind]:
            longer[kind].numeric = longer[kind].numeric ** 3
    tables = [each.name for each in graph.schema.modalities if each.kind == "table"]
    names = flatten(graph)[1]
    other = ranked_reader(longer, train)(flatten(longer)[0])
    for column, place in enumerate(reader.columns):
        if names[place].split(".")[0] in tables:
            np.testing.assert_allclose(other[:, column], reader(table)[:, column], atol=1e-6)


def test_ranks_of_the_columns_most_often_measured(graph, train, monkeypatch):
    whole = ranked_reader(graph, train)
    monkeypatch.setattr(module, "MOST_COLUMNS", 5)
    some = ranked_reader(graph, train)
    assert len(some.columns) == 5
    measured = np.isfinite(flatten(graph, train)[0]).sum(0)
    left_out = np.setdiff1d(whole.columns, some.columns)
    assert measured[some.columns].min() >= measured[left_out].max(initial=0)
