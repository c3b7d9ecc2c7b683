"""Suspects: their forms, and what they name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch_geometric.data import HeteroData

from gdsfd.cohort.cohort import EmbeddingObservations
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from gdsfd.training.suspects.declared_suspects import check_suspects, read_suspects
from tests.cohort_factory import make_cohort


def test_one_word_or_several() -> None:
    assert read_suspects("environment") == ("environment",)
    assert read_suspects(["modality:labs", "column:labs.a.b"]) == ("modality:labs", "column:labs.a.b")


def test_found_strata_need_something_to_be_tied_to_and_a_margin_to_take_the_place_of() -> None:
    assert Debiaser(debias="margin", suspects=("environment", "found")).streams.found_strata == "evidence"
    assert Debiaser(debias="margin", suspects="environment").streams.found_strata == "no"
    assert Debiaser(debias="none", suspects=("environment", "found")).streams is None
    with pytest.raises(InputError, match=r"declare one of these, too: \['groups', 'found', 'pattern'\]"):
        Debiaser(debias="margin", suspects=("groups", "found"))
    for mode in ("strata", "prototypes", "group_dro"):
        with pytest.raises(InputError, match="take debias='margin' or 'full'"):
            Debiaser(debias=mode, suspects=("pattern", "found"))


@pytest.mark.parametrize("word", ["patterns", "modality:", "column:labs", "site:x", ""])
def test_other_forms_are_refused(word: str) -> None:
    with pytest.raises(InputError, match="suspects: expected 'pattern', 'environment'"):
        Debiaser(suspects=("environment", word))


def test_names_are_looked_up() -> None:
    graph = graph_from_cohort(make_cohort(30))
    check_suspects(["pattern", "environment", "groups", "modality:labs", "column:labs.lactate"], graph)
    with pytest.raises(InputError, match=r"no modality 'lab'. Did you mean 'labs'"):
        check_suspects(["modality:lab"], graph)
    with pytest.raises(InputError, match=r"'labs' has no column 'lactat'. Did you mean 'lactate'"):
        check_suspects(["column:labs.lactat"], graph)


@pytest.mark.parametrize("suspects", [3, {"pattern": 1}, ["pattern", 3], b"pattern", {"pattern"}, [None]])
def test_other_types_are_refused(suspects: object) -> None:
    with pytest.raises(InputError, match="suspects: expected"):
        Debiaser(suspects=suspects)  # type: ignore[arg-type]


def of_one_pattern(num_patients: int = 60, **more: object) -> HeteroData:
    """A graph whose patients all have the one modality there is."""
    cohort = make_cohort(num_patients, **more)  # type: ignore[arg-type]
    note = cohort.observations["note"]
    vector = np.random.default_rng(0).normal(size=(num_patients, note.vector.shape[1])).astype(np.float32)
    everyone = EmbeddingObservations(np.arange(num_patients), vector)
    schema = replace(cohort.schema, modalities=tuple(each for each in cohort.schema.modalities if each.name == "note"))
    return graph_from_cohort(replace(cohort, observations={"note": everyone}, schema=schema))


def without_groups(graph: HeteroData) -> HeteroData:
    graph["patient"].groups = {}
    return graph


#: Suspects that a graph does not have -> what the message says.
ABSENT = {
    "no environment": (lambda: graph_from_cohort(make_cohort(60, environments=None)), "environment", "no environment"),
    "one environment": (lambda: graph_from_cohort(make_cohort(60, environments=1)), "environment", "of one environ"),
    "no groups": (lambda: without_groups(graph_from_cohort(make_cohort(60))), "groups", "graph has no groups"),
    "one pattern": (of_one_pattern, "pattern", "all [0-9]+ training patients have the same modalities"),
    "nobody has it": (
        lambda: graph_from_cohort(make_cohort(60, nobody_has=("note",))),
        "modality:note",
        "are without the modality 'note'",
    ),
}


@pytest.mark.parametrize("kind", list(ABSENT))
@pytest.mark.parametrize("debias", ["none", "strata", "full"])
def test_suspects_that_are_not_there_are_refused(kind: str, debias: str, tmp_path: Path) -> None:
    make, word, message = ABSENT[kind]
    with pytest.raises(InputError, match=f"suspect '{word}': .*{message}"):
        Debiaser("concat", debias, suspects=word, max_epochs=1).fit(make(), out=tmp_path / "run", baselines=False)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("debias", ["strata", "full", "prototypes"])
@pytest.mark.parametrize("kind", ["no environment", "one environment", "one pattern"])
def test_suspects_that_were_not_given_are_those_the_graph_has(kind: str, debias: str, tmp_path: Path) -> None:
    graph = ABSENT[kind][0]()
    model = Debiaser("concat", debias, max_epochs=1, channels=4, members=1, guard_folds=0).fit(graph, baselines=False)
    assert model.suspects == ("pattern", "environment")
    assert model.suspects_ == (("pattern",) if kind == "no environment" else ("pattern", "environment"))
    model.save(tmp_path / "run")
    loaded = Debiaser.load(tmp_path / "run")
    assert loaded.suspects_ == model.suspects_
    elsewhere = Debiaser("concat", debias, suspects=["pattern", "environment"], max_epochs=1, guard_folds=0)
    if kind == "no environment":
        loaded.fit(graph)  # still those that the graph has
        with pytest.raises(InputError, match="suspect 'environment'"):
            elsewhere.fit(graph)


def test_given_suspects_are_kept_in_a_saved_model(tmp_path: Path) -> None:
    given = ("environment", "groups")
    model = Debiaser("concat", "strata", suspects=given, max_epochs=1, channels=4, members=1, guard_folds=0)
    model.fit(graph_from_cohort(make_cohort(60)), out=tmp_path / "run")
    loaded = Debiaser.load(tmp_path / "run")
    assert loaded.suspects == loaded.suspects_ == given
    with pytest.raises(InputError, match="suspect 'environment'"):
        loaded.fit(graph_from_cohort(make_cohort(60, environments=None)))
