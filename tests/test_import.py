"""``import gdsfd`` costs next to nothing and leaves no trace; the public names are all there."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import gdsfd

HEAVY = (
    "torch",
    "torch_geometric",
    "pandas",
    "numpy",
    "ibis",
    "duckdb",
    "pydantic",
    "sklearn",
    "matplotlib",
    "lightning_fabric",
)

#: What only some work needs, and PyG and torch do not bring along.
SELDOM = ("sklearn", "scipy.stats", "scipy.optimize", "ibis", "duckdb", "matplotlib", "lightgbm", "gdsfd.evaluation")

PROBE = """
import json, logging, os, sys, warnings
loggers, handlers, filters = set(logging.root.manager.loggerDict), len(logging.root.handlers), list(warnings.filters)
import gdsfd
after = set(logging.root.manager.loggerDict)
print(json.dumps({
    "modules": sorted(name for name in sys.modules if "." not in name),
    "handlers": len(logging.root.handlers) - handlers,
    "own_handlers": sum(len(getattr(logging.getLogger(name), "handlers", [])) for name in after - loggers),
    "filters": warnings.filters == filters,
    "cwd": os.getcwd(),
}))
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory) -> tuple[dict, Path]:
    folder = tmp_path_factory.mktemp("cwd")
    # -B: byte code that Python itself caches is not the package's doing
    done = subprocess.run([sys.executable, "-B", "-c", PROBE], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout), folder


def test_import_loads_nothing_heavy(probe):
    loaded = set(probe[0]["modules"])
    assert "gdsfd" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_import_leaves_no_trace(probe):
    found, folder = probe
    assert found["handlers"] == 0
    assert found["own_handlers"] == 0
    assert found["filters"]
    assert found["cwd"] == str(folder)
    assert list(folder.iterdir()) == []


def test_the_command_line_and_a_model_import_only_what_they_need(tmp_path):
    """``--help`` answers at once; reading a model and predicting need neither scikit-learn nor a database."""
    code = (
        "import sys\n"
        "from gdsfd.cli import main\n"
        "assert main(['--help']) == 0\n"
        f"assert not set(sys.modules) & set({HEAVY!r})\n"
        "import gdsfd.training.debiaser, gdsfd.graph.serialization\n"
        f"assert not set(sys.modules) & set({SELDOM!r})\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_importing_everything_adds_no_handler_and_writes_nothing(tmp_path):
    code = (
        "import logging, os, torch, torch_geometric, lightning_fabric, matplotlib, ibis\n"
        "threads, state = torch.get_num_threads(), torch.get_rng_state()\n"
        "count = lambda: sum(len(getattr(log, 'handlers', [])) for log in logging.root.manager.loggerDict.values())\n"
        "before = (len(logging.root.handlers), count())\n"
        "import gdsfd\n"
        "for name in gdsfd.__all__: getattr(gdsfd, name)\n"
        "assert (len(logging.root.handlers), count()) == before\n"
        "assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), state)\n"
        "assert os.listdir('.') == []\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", gdsfd.__all__)
def test_every_public_name_resolves(name):
    assert getattr(gdsfd, name) is not None
    assert name in dir(gdsfd)


def test_lazy_names_are_those_of_their_modules():
    for name, home in gdsfd._HOME.items():
        assert getattr(gdsfd, name) is getattr(importlib.import_module(home), name)
    assert set(gdsfd._HOME) < set(gdsfd.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'build_grahp'"):
        gdsfd.build_grahp  # noqa: B018
