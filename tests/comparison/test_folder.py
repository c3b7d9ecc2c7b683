"""What may go on in the folder of a comparison."""

from __future__ import annotations

import json

import pytest

from gdsfd.comparison import compare
from gdsfd.errors import InputError

QUICK = {"max_epochs": 1, "members": 1, "channels": 8, "accelerator": "cpu", "guard_folds": 0}


def test_a_folder_keeps_to_its_settings(graph, tmp_path):
    out = tmp_path / "compared"
    given = {"backbones": ["concat"], "baselines": [], "out": out, "seeds": 1, "matched": False}
    compare(graph, ["none"], **given, **QUICK)
    with pytest.raises(InputError, match=r"training.max_epochs = 1, now it is 2"):
        compare(graph, ["none"], **given, **(QUICK | {"max_epochs": 2}))
    with pytest.raises(InputError, match="suspects"):
        compare(graph, ["none"], suspects="pattern", **given, **QUICK)
    more = compare(graph, ["none", "strata"], **given, **QUICK)  # another arm may be added
    assert len(more.records) == 3
    assert "strata" in json.loads((out / "compare.json").read_text())["settings"]["arms"]
    other = {"strata": {"streams": False, "weight": "stratum", "clip": 2.0}}
    with pytest.raises(InputError, match=r"arms.strata.clip = 5.0, now it is 2.0"):
        compare(graph, other, **given, **QUICK)


def test_a_folder_of_something_else_is_refused(graph, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds no comparison"):
        compare(graph, out=tmp_path)
    with pytest.raises(InputError, match="got a file"):
        compare(graph, out=tmp_path / "notes.txt")


@pytest.mark.parametrize(
    "content", ['{"format": "gdsfd comparison"}', '{"format": "gdsfd comparison", "settings": []}']
)
def test_a_damaged_folder_is_refused(graph, tmp_path, content):
    (tmp_path / "compare.json").write_text(content)
    with pytest.raises(InputError, match=r"compare\.json: damaged"):
        compare(graph, ["none"], ["concat"], 1, tmp_path, baselines=[], **QUICK)
