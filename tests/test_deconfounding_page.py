"""The guide to deconfounding: what it shows runs, and every setting is named."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gdsfd.nn.adjustment.config import PrototypeConfig

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deconfounding.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_what_the_page_shows_runs(tmp_path):
    assert len(BLOCKS) == 3
    code = "\n".join(BLOCKS).replace("patients=2000", "patients=400")
    short = code.replace("seed=0).fit(graph)", "seed=0, max_epochs=2, members=1, guard_folds=0).fit(graph)")
    assert short.count("max_epochs=2") == 2
    done = subprocess.run([sys.executable, "-c", short], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "SubgroupShift(" in done.stdout
    assert "What predictions are averaged over" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_every_setting_is_named():
    for field in dataclasses.fields(PrototypeConfig):
        assert re.search(rf"`{field.name}[`=]|{field.name}=", PAGE), field.name
