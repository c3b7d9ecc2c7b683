"""A model's folder: written whole, read back as it was, and refused by file when a file is damaged or exchanged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.file_digest import digest_of_file
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training import Debiaser
from gdsfd.training.storage.model_folder import check_free, is_model, read_model, read_weights, write_model
from tests.training.storage.model_json import read, write


def test_what_is_written_is_read(run: Path, tmp_path: Path) -> None:
    stored, out = read_model(run), tmp_path / "again"
    network = Ensemble([nn.Linear(2, 1)], False)  # type: ignore[list-item]  # what is kept is its state
    schema = CohortSchema.from_dict(stored["schema"])
    keys = ("format", "version", "gdsfd", "record", "history", "files", "digest")
    board = tmp_path / "events"
    board.mkdir()
    (board / "file").write_text("x")
    described = {key: value for key, value in stored.items() if key not in keys}
    write_model(out, {"reference": network}, described, stored["history"], board)
    assert is_model(out)
    assert {each.name for each in out.iterdir()} == {"history.csv", "model.json", "model.safetensors", "tensorboard"}
    again = read_model(out)
    for key in stored.keys() - {"files", "digest", "record"}:
        assert again[key] == stored[key]
    assert again["files"] == {"model.safetensors": digest_of_file(out / "model.safetensors")}
    fresh = Ensemble([nn.Linear(2, 1)], False).train()  # type: ignore[list-item]
    assert not read_weights(out, "reference", fresh, again, schema).training
    assert torch.equal(next(fresh.parameters()), next(network.parameters()))
    with pytest.raises(InputError, match=r"debiased\.safetensors: does not fit model\.json \(written by gdsfd"):
        read_weights(out, "debiased", fresh, again, schema)


def test_a_folder_of_something_else_is_kept(tmp_path: Path) -> None:
    check_free(tmp_path / "nothing yet")
    (tmp_path / "notes.txt").write_text("mine")
    for attempt in (lambda: check_free(tmp_path), lambda: write_model(tmp_path, {}, {}, [])):
        with pytest.raises(InputError, match=str(tmp_path)):
            attempt()
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]


def test_no_model_and_one_that_is_not_finished(tmp_path: Path) -> None:
    assert not is_model(tmp_path)
    with pytest.raises(InputError, match=r"no model here \(expected model\.json and model\.safetensors\)\.$"):
        read_model(tmp_path / "run")
    (tmp_path / ".run.training").mkdir()
    with pytest.raises(InputError, match=r"Its training has not finished: go on with .* --resume"):
        read_model(tmp_path / "run")


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


@pytest.mark.parametrize("what", [3, None, ["run"]])
def test_a_folder_is_a_path(what: object) -> None:
    with pytest.raises(InputError, match="expected the path"):
        Debiaser.load(what)  # type: ignore[arg-type]
