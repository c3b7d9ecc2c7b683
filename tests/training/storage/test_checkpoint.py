"""Checkpoints: whole, exact, and refused with advice when anything about them has changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.training import Debiaser
from gdsfd.training.state import TrainingState
from gdsfd.training.storage.checkpoint import check_resumable, load_checkpoint, save_checkpoint, work_folder
from tests.cohort_factory import make_cohort

SETTINGS: dict[str, Any] = {"model": {"seed": 3, "config": {"channels": 8}}, "graph": {"labels": "aa", "ids": "bb"}}


def write(folder: Path, epoch: int = 4, settings: dict[str, Any] = SETTINGS) -> Path:
    weights = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor(1)}
    state = TrainingState(epoch, 2, -0.1, {"a": torch.ones(2, 3)}, {}, [{"epoch": 1, "train_loss": float("inf")}])
    save_checkpoint(folder, weights, {"network": {"state": {0: torch.rand(3)}}, "critics": {}}, state, settings)
    return folder / f"epoch-{epoch:05d}"


def test_there_and_back_and_the_older_one_goes(tmp_path: Path) -> None:
    write(tmp_path, 3)
    newest = write(tmp_path, 4)
    assert [entry.name for entry in tmp_path.iterdir()] == [newest.name]
    assert {entry.suffix for entry in newest.iterdir()} == {".safetensors", ".json"}
    loaded = load_checkpoint(tmp_path, SETTINGS)
    assert loaded is not None
    weights, optimizer, state = loaded
    assert torch.equal(weights["a"], torch.arange(6.0).view(2, 3))
    assert list(optimizer["network"]["state"]) == [0]
    assert (state.epoch, state.best_epoch, state.best_value, state.history[0]["train_loss"]) == (
        4,
        2,
        -0.1,
        float("inf"),
    )
    assert load_checkpoint(tmp_path / "nowhere", SETTINGS) is None


def test_a_full_disk_is_told_and_leaves_the_one_before(tmp_path: Path) -> None:
    before = write(tmp_path, 3)
    code = (
        "import resource\nfrom pathlib import Path\nfrom gdsfd.errors import InputError\n"
        "from tests.training.storage.test_checkpoint import write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
        f"try:\n    write(Path({str(tmp_path)!r}), 4)\nexcept InputError as error:\n    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "cannot be written: File too large; free space there" in run.stdout, run.stderr
    assert before.is_dir()
    assert load_checkpoint(tmp_path, SETTINGS) is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"graph": {"labels": "cc", "ids": "bb"}}, r"started on another graph: labels differ.*same graph.*remove"),
        ({"graph": {"labels": "aa"}}, "started on another graph: ids differ"),
        ({"graph": {**SETTINGS["graph"], "modality 'x'": "dd"}}, "another graph: modality 'x' differ"),
        ({"model": {"seed": 4, "config": {"channels": 8}}}, r"started with other settings \(seed was 3, is 4\)"),
        ({"model": {"seed": 3, "config": {"channels": 9}}}, "config.channels was 8, is 9"),
        ({"model": {"seed": 3, "config": {}}}, "config.channels was 8, is None"),
    ],
)
def test_another_start_is_refused_by_what_differs(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    write(tmp_path / "reference")
    for check in (check_resumable, lambda folder, settings: load_checkpoint(folder / "reference", settings)):
        with pytest.raises(InputError, match=message):
            check(tmp_path, {**SETTINGS, **change})


DAMAGES = ("gone", "cut off", "empty", "other bytes", "of another checkpoint")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("part", ["weights", "best", "average", "optimizer", "state"])
def test_a_damaged_part_is_refused_with_advice(part: str, damage: str, tmp_path: Path) -> None:
    file = next(write(tmp_path / "run").glob(f"{part}.*"))
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    elif damage == "of another checkpoint":
        other = write(tmp_path / "other", settings={"model": {"seed": 1}})
        for each in other.glob("*.safetensors"):  # other content in every part
            each.write_bytes(each.read_bytes() + b"x")
        shutil.copy(other / file.name, file)
    else:
        changed = {"cut off": content[: len(content) // 2], "empty": b"", "other bytes": content[:-2] + b"}}"}
        file.write_bytes(changed[damage])
    for check in (load_checkpoint, check_resumable):
        with pytest.raises(InputError, match=r"damaged .*remove .* and train anew, without --resume"):
            check(tmp_path / "run", SETTINGS)


def keys_of(nest: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(nest, dict):
        return [each for key, value in nest.items() for each in ((*path, key), *keys_of(value, (*path, key)))]
    return []


def test_every_changed_entry_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path) / "state.json"
    stored = json.loads(file.read_text())
    for path in keys_of(stored):
        for change in ("delete", "mutate"):
            damaged = json.loads(json.dumps(stored))
            place = damaged
            for key in path[:-1]:
                place = place[key]
            if change == "delete":
                del place[path[-1]]
            else:
                place[path[-1]] = {"of": "another kind"}
            file.write_text(json.dumps(damaged))
            with pytest.raises(InputError, match="remove"):
                check_resumable(tmp_path, SETTINGS)


def test_a_checkpoint_of_the_past_is_refused_with_advice(tmp_path: Path) -> None:
    checkpoint = write(tmp_path / ".run.training")
    stored = json.loads((checkpoint / "state.json").read_text())
    old = {"state": stored["state"], "settings": stored["settings"]}  # with optimizer.pt beside it
    (checkpoint / "state.json").write_text(json.dumps(old))
    with pytest.raises(
        InputError, match=r"written by another version of gdsfd; .* remove \S*\.run\.training to start anew"
    ):
        load_checkpoint(tmp_path / ".run.training", SETTINGS)


class Stopped(Exception):
    pass


def stop(row: dict[str, Any]) -> None:
    raise Stopped


def flip_labels(graph: Any) -> None:
    graph["patient"].y = 1 - graph["patient"].y


def move_a_value(graph: Any) -> None:
    graph["patient", "note", "modality"].vector[0, 0] += 1


def swap_ids(graph: Any) -> None:
    ids = graph["patient"].id
    ids[0], ids[1] = ids[1], ids[0]


@pytest.mark.parametrize(
    ("change", "what"), [(flip_labels, "labels"), (move_a_value, "modality 'note'"), (swap_ids, "ids")]
)
@pytest.mark.parametrize("debias", ["none", "strata"])
def test_resuming_on_another_graph_is_refused(change: Any, what: str, debias: str, tmp_path: Path) -> None:
    def model(mode: str = debias) -> Debiaser:
        return Debiaser("concat", mode, max_epochs=2, channels=4, members=1, guard_folds=0)

    graph = graph_from_cohort(make_cohort(80))
    with pytest.raises(Stopped):
        model().fit(graph, out=tmp_path / "run", on_epoch=stop)
    kept = sorted(entry for entry in work_folder(tmp_path / "run").rglob("*"))
    other = graph_from_cohort(make_cohort(80))
    change(other)
    with pytest.raises(InputError, match=f"started on another graph: {what} differ"):
        model().fit(other, out=tmp_path / "run", resume=True)
    with pytest.raises(InputError, match="started with other settings"):
        model("none" if debias != "none" else "strata").fit(graph, out=tmp_path / "run", resume=True)
    assert sorted(entry for entry in work_folder(tmp_path / "run").rglob("*")) == kept
    model().fit(graph, out=tmp_path / "run", resume=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]


def test_one_folder_has_one_work_folder_by_whatever_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    expected = work_folder(tmp_path / "real" / "run")
    assert expected == tmp_path / "real" / ".run.training"
    monkeypatch.chdir(tmp_path / "real")
    for name in ("run", "./run", "../real/run", "../link/run", str(tmp_path / "link" / "run")):
        assert work_folder(Path(name)) == expected
    assert work_folder(Path()) == tmp_path / ".real.training"
