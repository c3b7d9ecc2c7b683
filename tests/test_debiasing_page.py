"""The guide to debiasing: what it shows runs, and every part is named."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gdsfd.nn.streams.config import PRESETS, StreamConfig

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "debiasing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_backbone_and_the_measure_run(tmp_path):
    backbone, measure = (block for block in BLOCKS if "@register_" in block)
    assert backbone.count("\n") < 40
    done = subprocess.run([sys.executable, "-c", backbone + measure], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\(\d+, 64\)", done.stdout)


@pytest.mark.slow
def test_the_shorter_pieces_run(tmp_path):
    pieces = [block for block in BLOCKS if "@register_" not in block]
    assert len(pieces) == 5
    start = (
        "import gdsfd\ngdsfd.simulate('exports', patients=300, seed=0)\n"
        "graph = gdsfd.build_graph('exports/spec.toml')\nsmall = dict(max_epochs=1, members=1, guard_folds=0)\n"
    )
    code = start + "\n".join(pieces).replace(").fit(graph)", ", **small).fit(graph)")
    code = code.replace('"141765"', "graph['patient'].id[0]")  # whom 300 patients have
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report" / "report.html").is_file()


def test_every_mode_and_every_part_is_named():
    for mode in PRESETS:
        assert f'| `"{mode}"` |' in PAGE
    plain = {"streams", "clip", "critic_steps", "critic_rate", "information_options"}  # details of parts that are named
    for field in dataclasses.fields(StreamConfig):
        assert f"`{field.name}" in PAGE or field.name in plain, field.name


@pytest.mark.parametrize("mode", [name for name, parts in PRESETS.items() if parts is not None])
def test_whether_a_mode_reads_suspects(mode):
    row = re.search(rf'^\| `"{mode}"` \|.*\| (yes|no) \|$', PAGE, flags=re.MULTILINE)
    assert (row.group(1) == "yes") == PRESETS[mode].uses_suspects
