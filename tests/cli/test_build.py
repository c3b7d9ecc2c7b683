"""``gdsfd build``: the graph and the receipt; wrong input is code 2, one message, and nothing written."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gdsfd
from gdsfd.cli import main

SPEC = """\
[cohort]
source = "stays.csv"
id = "stay"
subject = "person"

[outcome]
name = "death"
column = "status"
positive = "Expired"
negative = "Alive"

[split]
kind = "subject"
fractions = [0.6, 0.2, 0.2]

[[modality]]
name = "chart"
kind = "table"
source = "chart.csv"
id = "stay"
columns = ["wbc", "sodium"]

[[modality]]
name = "labs"
kind = "events"
source = "labs.csv.gz"
id = "stay"
time = "minute"
window = [0, 1440]
item = "test"
value = "result"

[[modality]]
name = "note"
kind = "embedding"
source = "note.parquet"
id = "stay"
columns = "vector"
"""


@dataclass
class Exports:
    """Exports that build, to be spoiled one at a time."""

    folder: Path
    spec: str = SPEC
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        stay = [f"{number:04d}" for number in range(120)]
        status = np.where(rng.random(120) < 0.4, "Expired", "Alive")
        person = [f"p{number // 2}" for number in range(120)]
        split = np.repeat(["train", "tuning", "test"], [72, 24, 24])
        self.tables["stays.csv"] = pd.DataFrame({"stay": stay, "person": person, "status": status, "split": split})
        values = {"stay": stay, "wbc": rng.normal(8, 2, 120).round(2), "sodium": rng.normal(140, 3, 120).round(1)}
        self.tables["chart.csv"] = pd.DataFrame(values)
        rows = {"stay": np.repeat(stay, 4), "minute": rng.integers(0, 1440, 480), "test": ["lactate", "ph"] * 240}
        self.tables["labs.csv.gz"] = pd.DataFrame({**rows, "result": rng.normal(size=480).round(3)})
        vectors = list(rng.normal(size=(120, 3)))
        self.tables["note.parquet"] = pd.DataFrame({"stay": stay, "vector": vectors})

    def write(self) -> Path:
        for name, table in self.tables.items():
            if name.endswith(".parquet"):
                table.to_parquet(self.folder / name)
            else:
                table.to_csv(self.folder / name, index=False)
        (self.folder / "spec.toml").write_text(self.spec)
        return self.folder / "spec.toml"


@pytest.fixture
def exports(tmp_path) -> Exports:
    (tmp_path / "exports").mkdir()
    return Exports(tmp_path / "exports")


def test_the_graph_and_the_receipt(exports, tmp_path, capsys):
    out = tmp_path / "graph"
    assert main(["build", str(exports.write()), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "120" in printed.out
    assert "labs" in printed.out
    graph = gdsfd.load_graph(out)
    assert graph["patient"].id[:2] == ["0000", "0001"]
    receipt = json.loads((out / "receipt.json").read_text())
    assert receipt["cohort"]["rows_kept"] == 120
    assert receipt["subjects"]["overlap"] == 0


def test_quiet_prints_nothing_and_force_replaces(exports, tmp_path, capsys):
    spec, out = str(exports.write()), str(tmp_path / "graph")
    assert main(["build", spec, "--out", out, "--quiet"]) == 0
    assert main(["build", spec, "--out", out, "--quiet"]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["build", spec, "--out", out, "--quiet", "--force"]) == 0
    assert capsys.readouterr().out == ""


def test_like_an_earlier_graph(exports, tmp_path, capsys):
    assert main(["build", str(exports.write()), "--out", str(tmp_path / "old"), "--quiet"]) == 0
    exports.tables["chart.csv"]["wbc"] += 100
    new = str(exports.write())
    assert main(["build", new, "--like", str(tmp_path / "old"), "--out", str(tmp_path / "new"), "--quiet"]) == 0
    schemas = [gdsfd.load_graph(tmp_path / name).schema for name in ("old", "new")]
    assert schemas[0].modalities == schemas[1].modalities
    assert main(["build", new, "--like", str(tmp_path / "none"), "--out", str(tmp_path / "x")]) == 2
    assert "none" in capsys.readouterr().err


def change(name: str, column: str, rows: object, value: object) -> Callable[[Exports], None]:
    def spoil(exports: Exports) -> None:
        table = exports.tables[name]
        table[column] = table[column].astype(object)
        table.loc[rows, column] = value

    return spoil


def repeat_row(name: str) -> Callable[[Exports], None]:
    def spoil(exports: Exports) -> None:
        exports.tables[name] = pd.concat([exports.tables[name], exports.tables[name].iloc[[7]]])

    return spoil


def replace(old: str, new: str) -> Callable[[Exports], None]:
    def spoil(exports: Exports) -> None:
        assert old in exports.spec
        exports.spec = exports.spec.replace(old, new)

    return spoil


def both(*spoils: Callable[[Exports], None]) -> Callable[[Exports], None]:
    def spoil(exports: Exports) -> None:
        for one in spoils:
            one(exports)

    return spoil


def float_ids(exports: Exports) -> None:
    table = exports.tables["stays.csv"]
    table["stay"] = [str(1000 + number) for number in range(120)]
    for name in ("chart.csv", "labs.csv.gz"):
        other = exports.tables[name]
        other["stay"] = [f"{1000 + int(stay)}.0" for stay in other["stay"]]
    exports.tables["note.parquet"]["stay"] = table["stay"]


def ragged(exports: Exports) -> None:
    exports.tables["note.parquet"].at[5, "vector"] = np.zeros(2)


def with_nan(exports: Exports) -> None:
    exports.tables["note.parquet"].at[5, "vector"] = np.array([0.0, np.nan, 0.0])


def truncate(exports: Exports) -> None:
    whole = gzip.compress(exports.tables.pop("labs.csv.gz").to_csv(index=False).encode())
    (exports.folder / "labs.csv.gz").write_bytes(whole[: len(whole) // 2])


def not_utf8(exports: Exports) -> None:
    text = exports.tables.pop("chart.csv").to_csv(index=False).replace("0005,", "0005é,")
    (exports.folder / "chart.csv").write_bytes(text.encode("latin-1"))


COLUMN_SPLIT = replace('kind = "subject"\nfractions = [0.6, 0.2, 0.2]', 'kind = "column"\ncolumn = "split"')

#: What is wrong -> how to make it so, and what the message must name.
WRONG: dict[str, tuple[Callable[[Exports], None], tuple[str, ...]]] = {
    "missing file": (replace('"chart.csv"', '"charts.csv"'), ("charts.csv",)),
    "missing column": (replace('"wbc"', '"wcb"'), ("wcb", "chart.csv", "Did you mean 'wbc'")),
    "duplicate patient id": (repeat_row("stays.csv"), ("stays.csv", "stay", "0007")),
    "two rows per patient in a table": (repeat_row("chart.csv"), ("chart", "0007")),
    "text in a numeric column": (change("chart.csv", "sodium", [3, 4], "> 160"), ("sodium", "chart.csv", "> 160")),
    "unparsable time": (change("labs.csv.gz", "minute", [3], "noonish"), ("minute", "labs.csv.gz", "noonish")),
    "empty modality after filtering": (replace("[0, 1440]", "[90000, 91440]"), ("labs", "window")),
    "outcome with one class": (change("stays.csv", "status", slice(None), "Alive"), ("death", "Alive")),
    "unknown key in the spec": (replace("window =", "windoww ="), ("windoww", "window")),
    "a subject in two splits": (both(COLUMN_SPLIT, change("stays.csv", "split", [0], "test")), ("split", "p0")),
    "ids float in one file and text in another": (float_ids, ("chart.csv", "stays.csv", ".0")),
    "ragged embeddings": (ragged, ("note", "0005")),
    "NaN in an embedding": (with_nan, ("note", "0005")),
    "a truncated .gz": (truncate, ("labs.csv.gz",)),
    "not UTF-8": (not_utf8, ("chart.csv", "UTF-8")),
    "zero patients after where": (replace('id = "stay"\nsubject', 'id = "stay"\nwhere = "1 = 2"\nsubject'), ("1 = 2",)),
    "no such spec": (lambda exports: None, ("spec.toml",)),
    "a spec that is not TOML": (replace("[outcome]", "[outcome"), ("spec.toml", "TOML")),
    "SQL that cannot be read": (
        replace('id = "stay"\nsubject', 'id = "stay"\nwhere = "agee > 3"\nsubject'),
        ("agee > 3",),
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_input_is_code_2_and_nothing_is_written(exports, tmp_path, capsys, wrong):
    spoil, named = WRONG[wrong]
    spoil(exports)
    spec = exports.write()
    if wrong == "no such spec":
        spec.unlink()
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    code = main(["build", str(spec), "--out", str(tmp_path / "deep" / "graph")])
    printed = capsys.readouterr()
    assert code == 2, printed.err
    assert printed.out == ""
    assert printed.err.startswith("gdsfd build: error: ")
    assert "Traceback" not in printed.err
    for word in named:
        assert word in printed.err
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


def test_killed_build_leaves_no_graph(exports, tmp_path, capsys):
    arguments = ["build", str(exports.write()), "--out", str(tmp_path / "graph"), "--quiet"]
    # The harshest moment: one file of the graph is on the disk, the others are not.
    code = (
        "import os, signal, gdsfd.graph.serialization as files\n"
        "write = files.write_tensors\n"
        "def write_and_die(*given):\n    write(*given)\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write_tensors = write_and_die\n"
        f"from gdsfd.cli import main\nmain({arguments!r})\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("tensors.safetensors")), "the kill came before anything was written"
    assert not (tmp_path / "graph").exists()
    assert main(["train", str(tmp_path / "graph"), "--out", str(tmp_path / "run")]) == 2
    assert "no such folder" in capsys.readouterr().err
    assert main(arguments) == 0  # what was left does not stand in the way
    gdsfd.load_graph(tmp_path / "graph")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exports", "graph"]


def test_engines_of_the_command_are_those_that_there_are():
    from gdsfd.cli import build
    from gdsfd.cohort.sources import engines

    assert build.ENGINES == engines.ENGINES
