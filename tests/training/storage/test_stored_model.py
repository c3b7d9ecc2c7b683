"""A model's folder that is damaged, exchanged or of another version is refused by file and entry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch_geometric.data import HeteroData

from gdsfd.cli import main
from gdsfd.errors import InputError
from gdsfd.file_digest import digest_of_file, digest_of_json
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.serialization import save_graph
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

SMALL: dict[str, Any] = {"max_epochs": 2, "channels": 4, "members": 1, "guard_folds": 0}


@pytest.fixture(scope="module")
def graph() -> HeteroData:
    return graph_from_cohort(make_cohort(80))


@pytest.fixture(scope="module")
def runs(graph: HeteroData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one shape without debiasing, one with it."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        Debiaser("concat", seed=seed, **SMALL).fit(graph, out=folder / f"none-{seed}")
    Debiaser("muse", "strata", suspects=["environment"], **SMALL).fit(graph, out=folder / "strata")
    return folder


@pytest.fixture(params=["none-0", "strata"])
def run(request: pytest.FixtureRequest, runs: Path, tmp_path: Path) -> Path:
    """A copy of a run that may be damaged."""
    shutil.copytree(runs / request.param, tmp_path / "run")
    return tmp_path / "run"


def read(run: Path) -> dict[str, Any]:
    return json.loads((run / "model.json").read_text())


def write(run: Path, stored: dict[str, Any], sealed: bool = False) -> None:
    """Writes a changed model.json; sealed: with the digest of what it says, as if gdsfd had written it so."""
    if sealed:
        stored["digest"] = digest_of_json({key: value for key, value in stored.items() if key != "digest"})
    (run / "model.json").write_text(json.dumps(stored))


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


@pytest.mark.parametrize("mutation", list(MUTATIONS))
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


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"format": "gdsfd model"}', "[" * 100_000, "\\x00\\xff"])
def test_other_contents_are_refused(text: str, run: Path) -> None:
    (run / "model.json").write_bytes(text.encode().replace(b"\\x00\\xff", b"\x00\xff"))
    with pytest.raises(InputError, match=r"model\.json"):
        Debiaser.load(run)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_cut_off_files_are_refused(share: float, run: Path) -> None:
    for file in [*run.glob("*.safetensors"), run / "model.json"]:
        content = file.read_bytes()
        file.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=file.name):
            Debiaser.load(run)
        file.unlink()
        with pytest.raises(InputError, match=file.name):
            Debiaser.load(run)
        file.write_bytes(content)
    Debiaser.load(run)


def test_files_of_two_runs_do_not_mix(runs: Path, tmp_path: Path) -> None:
    for name in ("model.safetensors", "model.json"):
        shutil.copytree(runs / "none-0", tmp_path / name)
        shutil.copy(runs / "none-1" / name, tmp_path / name / name)  # of the same shape
        with pytest.raises(InputError, match=r"\.safetensors: damaged .*it does not fit model\.json"):
            Debiaser.load(tmp_path / name)
    shutil.copytree(runs / "strata", tmp_path / "both")
    shutil.copy(runs / "none-0" / "model.safetensors", tmp_path / "both" / "debiased.safetensors")
    with pytest.raises(InputError, match=r"debiased\.safetensors: damaged"):
        Debiaser.load(tmp_path / "both")


def lose_one(weights: dict[str, torch.Tensor]) -> None:
    del weights[sorted(weights)[0]]


def add_one(weights: dict[str, torch.Tensor]) -> None:
    weights["stranger"] = torch.zeros(1)


def reshape_one(weights: dict[str, torch.Tensor]) -> None:
    weights[sorted(weights)[0]] = torch.zeros(3, 3, 3)


def break_one(weights: dict[str, torch.Tensor]) -> None:
    name = next(name for name, value in weights.items() if value.is_floating_point() and value.numel())
    weights[name].view(-1)[0] = float("nan")


@pytest.mark.parametrize("change", [lose_one, add_one, reshape_one, break_one])
def test_weights_of_another_network_are_refused(change: Callable[..., None], run: Path) -> None:
    file = run / "model.safetensors"
    weights = load_file(file)
    change(weights)
    save_file(weights, file)
    stored = read(run)
    stored["files"][file.name] = digest_of_file(file)
    write(run, stored, sealed=True)
    with pytest.raises(InputError, match=r"model.safetensors: (does not fit model.json|damaged .*not finite)"):
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


@pytest.mark.parametrize("what", [3, None, ["run"]])
def test_a_folder_is_a_path(what: object) -> None:
    with pytest.raises(InputError, match="expected the path"):
        Debiaser.load(what)  # type: ignore[arg-type]
