from __future__ import annotations

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from gdsfd.comparison.fit_log import FitLog, key_of, read_fits

ONE = {
    "design": "ward",
    "holdout": None,
    "seed": 0,
    "backbone": "muse",
    "arm": "none",
    "splits": {"test": {"auroc": 0.8}},
}


def test_lines_come_back_with_their_head(tmp_path):
    log = FitLog(tmp_path / "new" / "fits.jsonl", {"commit": "abc"})
    assert log.done() == set()
    log.append([ONE, {**ONE, "arm": "full"}])
    assert [record["arm"] for record in read_fits(log.file)] == ["none", "full"]
    assert read_fits(log.file)[0]["commit"] == "abc"
    assert log.done() == {("ward", None, 0, "muse", "none"), ("ward", None, 0, "muse", "full")}


def test_a_torn_line_is_no_fit_and_spoils_no_other(tmp_path):
    file = tmp_path / "fits.jsonl"
    FitLog(file).append([ONE])
    with file.open("a") as out:
        out.write(json.dumps({**ONE, "arm": "dfd"})[:40])  # killed while writing
    assert len(read_fits(file)) == 1
    FitLog(file).append([{**ONE, "arm": "full"}])
    assert [record["arm"] for record in read_fits(file)] == ["none", "full"]


def test_a_full_disk_is_told_and_leaves_no_part_of_a_record(tmp_path):
    log = FitLog(tmp_path / "fits.jsonl")
    log.append([ONE])
    before = log.file.read_bytes()
    code = (
        "import resource\nfrom gdsfd.errors import InputError\nfrom gdsfd.comparison.fit_log import FitLog\n"
        "from tests.comparison.test_fit_log import ONE\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 40}, {len(before) + 40}))\n"
        f"try:\n    FitLog({str(log.file)!r}).append([ONE])\nexcept InputError as error:\n    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "fits.jsonl cannot be written: File too large; free space there" in run.stdout, run.stderr
    assert log.file.read_bytes() == before


def test_the_newest_line_of_a_fit_counts(tmp_path):
    file = tmp_path / "fits.jsonl"
    FitLog(file).append([ONE])
    FitLog(file).append([{**ONE, "seconds": 3}])
    (record,) = read_fits(file)
    assert record["seconds"] == 3


def test_lines_that_are_no_fits_are_left_out(tmp_path):
    file = tmp_path / "fits.jsonl"
    FitLog(file).append([{"run": "1", "command": "python x.py"}])
    assert read_fits(file) == []


def test_undefined_figures_are_null(tmp_path):
    file = tmp_path / "fits.jsonl"
    FitLog(file).append(
        [{**ONE, "splits": {"test": {"auroc": math.nan, "loss": 0.123456789}}, "told": (0.1, math.inf)}]
    )
    assert "NaN" not in file.read_text()
    record = read_fits(file)[0]
    assert record["splits"]["test"] == {"auroc": None, "loss": 0.123457}
    assert record["told"] == [0.1, None]


def test_many_writers_at_once(tmp_path):
    file = tmp_path / "fits.jsonl"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: FitLog(file).append([{**ONE, "seed": seed, "pad": "x" * 5000}]), range(40)))
    assert {key_of(record)[2] for record in read_fits(file)} == set(range(40))
