"""What model.json has to hold: every entry that is changed, missing, or of another version is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch_geometric.data import HeteroData

from gdsfd.cli import main
from gdsfd.errors import InputError
from gdsfd.graph.serialization import save_graph
from gdsfd.training import Debiaser
from tests.training.storage.model_json import read, write


def entries(nest: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all entries of dicts, and of the first of each list."""
    keys = list(nest) if isinstance(nest, dict) else [0] if isinstance(nest, list) and nest else []
    return [each for key in keys for each in ((*path, key), *entries(nest[key], (*path, key)))]


def changed(stored: dict[str, Any], path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    copy = json.loads(json.dumps(stored))
    place = copy
    for key in path[:-1]:
        place = place[key]
    change(place, path[-1])
    return copy


def put(value: Any) -> Callable[[Any, Any], None]:
    return lambda place, key: place.__setitem__(key, value)


def delete(place: Any, key: Any) -> None:
    del place[key]


#: What is done to every entry of model.json in turn.
MUTATIONS: dict[str, Callable[[Any, Any], None]] = {
    "deleted": delete,
    "null": put(None),
    "a text": put("x"),
    "a number": put(-7.5),
    "a list": put([[]]),
    "a mapping": put({"x": {}}),
}


@pytest.mark.parametrize(
    "mutation",
    ["deleted", "a text", *(pytest.param(name, marks=pytest.mark.slow) for name in [*MUTATIONS][3:]), "null"],
)
def test_no_entry_can_be_changed_unnoticed(mutation: str, run: Path) -> None:
    stored = read(run)
    for path in entries(stored):
        damaged = changed(stored, path, MUTATIONS[mutation])
        if damaged == stored:
            continue
        write(run, damaged)
        with pytest.raises(InputError, match=r"model\.json"):
            Debiaser.load(run)


@pytest.mark.parametrize(
    "mutation", ["deleted", *(pytest.param(name, marks=pytest.mark.slow) for name in ("a text", "a mapping"))]
)
def test_an_entry_of_another_kind_is_named_or_harmless(mutation: str, run: Path, graph: HeteroData) -> None:
    """Also where the digest agrees: written so by a version with a bug, or by somebody's script."""
    stored, free = read(run), ("evidence", "tuning", "schema", "files", "ended")
    expected = Debiaser.load(run).predict_proba(graph)
    for path in entries(stored):
        if any(part in path for part in free):
            continue
        write(run, changed(stored, path, MUTATIONS[mutation]), sealed=True)
        try:
            found = Debiaser.load(run).predict_proba(graph)
        except InputError:
            continue
        np.testing.assert_array_equal(found, expected)


#: Damage of a whole file or of one entry -> what the message says.
KINDS: dict[str, tuple[tuple[Any, ...], Callable[[Any, Any], None], str]] = {
    "no format": (("format",), delete, "expected a file written by gdsfd"),
    "the future": (
        ("version",),
        put(99),
        r"version: expected 1 or 2, got 99; read the model with the gdsfd that wrote",
    ),
    "no version": (("version",), delete, "version: expected 1 or 2, got None"),
    "a version as text": (("version",), put("2"), "version: expected 1 or 2, got '2'"),
    "no arguments": (("arguments",), delete, "arguments: field required"),
    "no backbone": (("arguments", "backbone"), delete, "arguments.backbone: field required"),
    "an unknown backbone": (("arguments", "backbone"), put("transformer"), "unknown backbone 'transformer'"),
    "a wrong setting": (("arguments", "config", "channels"), put("8"), "arguments.config: setting 'channels'"),
    "a foreign setting": (("resolved", "config", "rank"), put(3), "resolved.config: unknown setting 'rank'"),
    "settings apart": (("resolved", "config", "dropout"), put(0.9), "resolved.config: it does not follow from"),
    "a negative seed": (("arguments", "seed"), put(-1), "arguments.seed: .*, got -1"),
    "suspects of no form": (("arguments", "suspects"), put(["site"]), "arguments.suspects: suspects: expected"),
    "history": (("history", 0, "epoch"), put("one"), "history.0.epoch: .*, got 'one'"),
    "a history of no rows": (("history",), put({"epoch": 1}), "history: .*list"),
    "training": (("training", "train_patients"), delete, "training.train_patients: field required"),
    "a guard": (("guard",), put({"choice": "nobody"}), "guard.choice: .*, got 'nobody'"),
    "a choice": (("choice",), put("best"), "choice: .*, got 'best'"),
    "a schema": (("schema", "modalities", 0, "kind"), put("image"), "schema"),
    "no schema": (("schema",), delete, "schema: field required"),
    "a new entry": (("extra",), put(1), "extra: extra inputs are not permitted"),
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_kinds_of_damage_are_named(kind: str, run: Path) -> None:
    path, change, message = KINDS[kind]
    write(run, changed(read(run), path, change), sealed=True)
    with pytest.raises(InputError, match=f"model.json: .*{message}"):
        Debiaser.load(run)


def as_version_1(run: Path) -> None:
    stored = read(run)
    stored["arguments"] |= stored.pop("resolved")
    stored["version"] = 1
    for name in ("digest", "files"):
        del stored[name]
    del stored["training"]["ended"]
    write(run, stored)


def test_version_1_loads_and_is_held_to_the_same_form(run: Path, graph: HeteroData) -> None:
    expected = Debiaser.load(run).predict_proba(graph)
    as_version_1(run)
    np.testing.assert_array_equal(Debiaser.load(run).predict_proba(graph), expected)
    stored = read(run)
    for path in entries(stored):
        write(run, changed(stored, path, put({"x": []})))
        try:
            found = Debiaser.load(run).predict_proba(graph)
        except InputError:
            continue
        np.testing.assert_array_equal(found, expected)


def test_the_command_line_says_it_in_one_message(run: Path, graph: HeteroData, tmp_path: Path, capsys: Any) -> None:
    save_graph(graph, tmp_path / "graph")
    write(run, changed(read(run), ("training",), put([])))
    for command in (["predict", "--out", "p.csv"], ["evaluate", "--out", "report"]):
        name, option, out = command
        assert main([name, str(run), str(tmp_path / "graph"), option, str(tmp_path / out)]) == 2
        assert "model.json: damaged (training: " in capsys.readouterr().err
        assert not (tmp_path / out).exists()
