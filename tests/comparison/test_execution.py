"""Several processes fit what one does, and end with the process that waits for them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

import gdsfd
from gdsfd.baselines.baseline import BASELINES
from gdsfd.comparison import compare
from gdsfd.comparison.fit_log import read_fits
from gdsfd.errors import InputError
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.plugins import load_plugins
from gdsfd.worker_process import fitting_processes

QUICK = {"max_epochs": 1, "members": 1, "channels": 8, "accelerator": "cpu", "guard_folds": 0}
ASKED = {"arms": ["none", "strata"], "backbones": ["concat", "muse"], "baselines": ["logistic"], "seeds": 2}


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="module")
def processes():
    """The process that the others are copies of; its socket stays in the temporary folder as long as this one lasts."""
    fitting_processes("gdsfd.comparison.execution")


def figures(found):
    names = ("design", "holdout", "seed", "backbone", "arm")
    return {tuple(line[name] for name in names): (line["splits"], line.get("guard")) for line in found.records}


def test_processes_find_the_same_figures_and_go_on_from_each_others_lines(
    graph, exports, tmp_path, one_thread, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "graphs"))
    (tmp_path / "graphs").mkdir()
    told = []
    given = {**ASKED, "truth": exports, **QUICK}
    apart = compare(graph, out=tmp_path / "apart", jobs=3, on_fit=told.append, **given)
    together = compare(graph, **given)
    assert figures(apart) == figures(together)
    assert {line["arm"] for line in read_fits(tmp_path / "apart" / "fits.jsonl")} >= {"none", "logistic", "oracle"}
    assert any(re.search(r"; now graph, seed [01]: muse strata: guard$", words) for words in told)
    clock = r"\d+ (s|min)"
    under_way = rf"\d of 10 fits done(, {clock} each)?(, about {clock} left)?; now graph, .+"
    expected = re.compile(rf"{under_way}|10 of 10 fits done, {clock} each")  # the second where a word comes late
    assert [words for words in told if not expected.fullmatch(words)] == []
    assert not list((tmp_path / "graphs").iterdir())

    file = tmp_path / "apart" / "fits.jsonl"
    kept = file.read_text().splitlines(keepends=True)[:5]
    file.write_text("".join(kept))
    again = compare(graph, out=tmp_path / "apart", jobs=2, **given)
    assert figures(again) == figures(together)
    assert file.read_text().startswith("".join(kept))


def test_processes_know_the_plug_ins_of_the_one_that_waits(graph, tmp_path, monkeypatch):
    monkeypatch.setattr("gdsfd.plugins._loaded", {})
    BASELINES.names()
    monkeypatch.setattr(BASELINES, "_parts", dict(BASELINES._parts))
    monkeypatch.setattr(BASELINES, "_modules", dict(BASELINES._modules))
    plugin = tmp_path / "plugin_of_this_test.py"
    plugin.write_text(
        "from gdsfd.baselines.baseline import BASELINES\n"
        "from gdsfd.baselines.logistic import Logistic\n"
        "BASELINES.register('again')(type('Again', (Logistic,), {'key': 'again', '__module__': __name__}))\n"
    )
    load_plugins([str(plugin)])
    found = compare(graph, ["none"], ["concat"], 1, baselines=["logistic", "again"], jobs=2, **QUICK)
    scores = {line["arm"]: line["splits"] for line in found.records}
    assert scores["again"] == scores["logistic"]


def test_an_error_in_one_process_ends_the_others_and_is_raised_as_it_is(graph, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(BACKBONES._parts, "only-here", BACKBONES.find("concat"))  # workers do not know it
    long = QUICK | {"max_epochs": 100_000, "patience": 100_000}
    with pytest.raises(InputError, match="unknown backbone 'only-here'"):
        compare(graph, ["none"], ["concat", "only-here"], 1, baselines=[], jobs=2, **long)
    assert not list(tmp_path.iterdir())


def test_where_nobody_says_how_many_there_are_as_many_as_suit(graph, tmp_path, monkeypatch):
    asked = []

    def suits(*given):
        asked.append(given)
        return 1

    monkeypatch.setattr("gdsfd.comparison.comparison.jobs_that_suit", suits)
    given = {"arms": ["none"], "backbones": ["concat"], "seeds": 2, "baselines": ["logistic"], **QUICK}
    found = compare(graph, out=tmp_path / "out", jobs=None, **given)
    train = list(graph["patient"].split).count("train")
    assert asked == [(4, train, "cpu", torch.get_num_threads())]  # a backbone and the baselines, two seeds
    assert figures(found) == figures(compare(graph, jobs=1, **given))
    compare(graph, out=tmp_path / "out", jobs=None, **given)
    assert len(asked) == 1, "nothing is left to fit"


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, "2", 10**9])
def test_wrong_numbers_of_jobs(graph, jobs):
    with pytest.raises(InputError, match="jobs: expected a whole number from 1 to 256"):
        compare(graph, jobs=jobs)


SCRIPT = """
    import signal, sys, gdsfd
    from gdsfd.comparison import compare
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    if __name__ == "__main__":
        graph = gdsfd.load_graph(sys.argv[1])
        compare(graph, ["none"], ["concat"], 4, baselines=[], out=sys.argv[2], jobs=2, max_epochs=100000,
                patience=100000, on_fit=lambda words: print(words, flush=True), accelerator="cpu")
"""


@pytest.fixture
def comparing(graph, tmp_path):
    """A process that compares in two others, which would take hours."""
    gdsfd.save_graph(graph, tmp_path / "ward")
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    words = [sys.executable, str(script), str(tmp_path / "ward"), str(tmp_path / "out")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert "seed" in process.stdout.readline()
        assert len(children(process.pid)) == 2
        yield process
        process.kill()


@pytest.mark.parametrize(
    "sent", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL], ids=["ctrl-c", "killed"]
)
def test_processes_end_with_the_one_that_waits(comparing, sent):
    workers = children(comparing.pid)
    comparing.send_signal(sent)
    comparing.wait(30)
    end = time.monotonic() + 30
    while workers & running().keys() and time.monotonic() < end:
        time.sleep(0.2)
    assert not workers & running().keys()


def test_a_killed_process_is_an_error_that_says_what_to_do(comparing):
    os.kill(min(children(comparing.pid)), signal.SIGKILL)
    said = comparing.communicate(timeout=30)[1]
    assert comparing.returncode == 1
    assert "a fitting process was killed, most likely for want of memory" in said
    assert not children(comparing.pid)


def children(parent):
    """Process numbers of those that fit: copies of one that the parent has started for that."""
    above = running()
    return {number for number, one in above.items() if above.get(one) == parent and b"forkserver" in arguments(one)}


def running():
    """Process -> the one above it, without those that have ended and are not yet waited for."""
    found = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, above = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            found |= {int(folder.name): int(above)} if state != "Z" else {}
    return found


def arguments(number):
    with suppress(OSError):
        return Path(f"/proc/{number}/cmdline").read_bytes()
    return b""
