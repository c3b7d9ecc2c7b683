"""Exit codes, and one clear message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings

import pytest

import gdsfd.cli.bench
import gdsfd.cli.versions
import gdsfd.plugins
from gdsfd import __version__
from gdsfd.cli import main
from gdsfd.cli.entry import make_parser
from gdsfd.errors import GdsfdError, InputError

COMMANDS = ("build", "train", "predict", "evaluate", "simulate", "demo", "versions")


def raising(error: BaseException):
    def run(arguments):
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("labs.csv: no column 'wbc'"), 2, "gdsfd versions: error: labs.csv: no column 'wbc'\n"),
        (GdsfdError("it broke"), 1, "gdsfd versions: error: it broke\n(--traceback"),
        (KeyError("oops"), 1, "gdsfd versions: error: KeyError: 'oops'\n(--traceback"),
        (KeyboardInterrupt(), 130, "gdsfd versions: interrupted\n"),
    ],
)
def test_errors_become_codes_and_one_message(monkeypatch, capsys, error, code, message):
    monkeypatch.setattr(gdsfd.cli.versions, "run", raising(error))
    assert main(["versions"]) == code
    printed = capsys.readouterr()
    assert printed.err.startswith(message)
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_threads_wait_asleep_unless_the_user_says_otherwise_or_something_is_timed(monkeypatch, capsys):
    found = []
    for module in (gdsfd.cli.versions, gdsfd.cli.bench):
        monkeypatch.setattr(module, "run", lambda arguments: found.append(os.environ.get("OMP_WAIT_POLICY")))
    for before, argv in ((None, ["versions"]), (None, ["bench", "ingest"]), ("ACTIVE", ["versions"])):
        if before is None:
            monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        else:
            monkeypatch.setenv("OMP_WAIT_POLICY", before)
        assert main(argv) == 0
    assert found == ["PASSIVE", None, "ACTIVE"]


@pytest.mark.parametrize("argv", [["--traceback", "versions"], ["versions", "--traceback"]])
def test_the_traceback_on_demand(monkeypatch, capsys, argv):
    monkeypatch.setattr(gdsfd.cli.versions, "run", raising(ZeroDivisionError("by zero")))
    assert main(argv) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_plugins_are_imported_first_wherever_they_are_named(monkeypatch, capsys, tmp_path):
    for name in ("plugin_one", "plugin_two"):
        (tmp_path / f"{name}.py").write_text(f"print('{name} is here')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gdsfd.plugins, "_loaded", {})
    assert main(["--plugin", "plugin_one", "versions", "--plugin", "plugin_two.py"]) == 0
    assert capsys.readouterr().out.startswith("plugin_one is here\nplugin_two is here\n")
    assert main(["versions", "--plugin", "no_such_plugin"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "error: --plugin no_such_plugin: it cannot be imported: ModuleNotFoundError" in told.err
    for name in ("plugin_one", "plugin_two"):
        del sys.modules[name]


@pytest.mark.parametrize(
    "argv", [[], ["bild"], ["build"], ["build", "spec.toml"], ["train", "g", "--out", "r", "--sed", "1"]]
)
def test_wrong_arguments_are_code_2(capsys, argv):
    assert main(argv) == 2
    assert "error:" in capsys.readouterr().err


def test_help_and_version_are_code_0(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"gdsfd {__version__}\n"
    for argv in (["--help"], *([command, "--help"] for command in COMMANDS)):
        assert main(argv) == 0
    assert set(COMMANDS) <= set(capsys.readouterr().out.split())


class Both(UserWarning, DeprecationWarning):
    """As pyparsing's deprecations are."""


def test_warnings_are_one_line_each(monkeypatch, capsys):
    def run(arguments):
        warnings.warn("a level was never seen", UserWarning, stacklevel=1)
        warnings.warn("for developers", FutureWarning, stacklevel=1)
        warnings.warn("for another library's developers", Both, stacklevel=1)

    monkeypatch.setattr(gdsfd.cli.versions, "run", run)
    before = warnings.showwarning
    assert main(["versions"]) == 0
    assert capsys.readouterr().err == "warning: a level was never seen\n"
    assert warnings.showwarning is before


def test_the_parser_needs_nothing_heavy():
    code = "import sys, gdsfd.cli.entry as entry; entry.make_parser(); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("torch", "pandas", "numpy", "ibis", "sklearn"):
        assert f"'{name}'" not in loaded
    assert make_parser().prog == "gdsfd"


def test_as_a_module(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "gdsfd", "predict", "no-run", "no-graph", "--split", "test", "--out", "p.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "no-run" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_130(tmp_path):
    code = (
        "import signal, sys, time, gdsfd.cli.versions as v\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job's children ignore it
        "def run(arguments):\n    print('started', flush=True)\n    time.sleep(60)\n"
        "v.run = run\n"
        "from gdsfd.cli import main\n"
        "sys.exit(main(['versions']))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr == "gdsfd versions: interrupted\n"
