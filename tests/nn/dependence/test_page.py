"""The page on information: what it shows runs, and it names every estimator."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gdsfd.nn.dependence import known_dependence

PAGE = (Path(__file__).parents[3] / "docs" / "information.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS, ids=["training", "own"])
def test_what_is_shown_runs(code, tmp_path):
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_estimator_has_its_row():
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.split("Time:")[0], flags=re.MULTILINE)) == set(known_dependence())
