"""``gdsfd learners``: the table, the JSON, and the learner of the docs page, which takes at most 25 lines."""

from __future__ import annotations

import json

import pytest
import torch

from gdsfd.cli import main
from gdsfd.nn.backbones import build_backbone, known_backbones
from gdsfd.nn.backbones.registry import BACKBONES
from tests.nn.backbones.learner_case import as_grid, full_grid, presences
from tests.test_documentation import ROOT, blocks, docs_module


def test_all_are_printed_with_what_becomes_of_absence(capsys) -> None:
    assert main(["learners"]) == 0
    printed = capsys.readouterr().out
    for name in known_backbones():
        assert f"\n{name} " in f"\n{printed}"
    healnet = printed.split("\nhealnet ")[1].split("\nlate ")[0]
    assert "from: Hemker et al., NeurIPS 2024 [code]" in healnet
    assert "absent: its four updates are passed over" in healnet
    assert "lost: early fusion of raw inputs" in healnet
    assert "streams: on tokens in" in healnet
    assert "also: own logits, additive over modalities" in printed


def test_json_has_everything(capsys) -> None:
    assert main(["learners", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(found) == set(known_backbones())
    assert found["m3care"]["bank"] is True
    assert found["mmtm"]["source"] == "Joze et al., CVPR 2020"


def test_the_learner_of_the_docs_page_is_listed_and_works(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(BACKBONES, "_parts", {name: BACKBONES.find(name) for name in BACKBONES.names()})
    monkeypatch.setattr(BACKBONES, "_modules", dict(BACKBONES._modules))
    (code,) = blocks(ROOT / "docs" / "learners.md", "python")
    assert code.count("\n") <= 25
    module = tmp_path / "product_learner.py"
    module.write_text(code)
    assert main(["learners", "--json", "--plugin", str(module)]) == 0
    mine = json.loads(capsys.readouterr().out)[-1]
    assert (mine["name"], mine["plugin"], mine["one_pass"]) == ("product", "product_learner", True)
    learner = build_backbone("product", 8, 5).eval()
    found = learner(full_grid().transpose(0, 1), as_grid(presences())).pooled
    assert found.shape == (12, 8)
    assert torch.isfinite(found).all()


def test_the_docs_page_has_a_row_for_each() -> None:
    pages = docs_module("learner_rows")
    names = [f"``{name}``" for name in sorted(known_backbones()) if BACKBONES.plugin_of(name) is None]
    assert [row[0] for row in pages.what_rows()] == names
    assert [row[0] for row in pages.place_rows()] == names
    assert all(len(row) == len(pages.HEADER) for row in pages.what_rows())
    places = {row[0]: row[1:] for row in pages.place_rows()}
    assert places["``late``"][:-1] == ("pooled vector", "yes", "no", "no", "yes")
    assert places["``m3care``"][:-1] == ("tokens in", "no", "yes", "yes", "yes")
    assert places["``concat``"][-1] == "1.0 x"
    assert all(row[-1] == "not measured" or float(row[-1].removesuffix(" x")) > 0 for row in pages.place_rows())


def test_what_a_learner_costs_is_told_beside_the_concat_of_the_same_run(tmp_path) -> None:
    def line(commit: str, backbone: str, milliseconds: float) -> str:
        told = {"commit": commit, "command": "c", "backbone": backbone, "milliseconds": [0, milliseconds, 9]}
        return json.dumps(told) + "\n"

    (tmp_path / "lines").write_text(
        line("old", "mt", 30)
        + line("old", "concat", 10)
        + line("old", "late", 20)
        + line("new", "concat", 4)
        + line("new", "mt", 6)
        + line("odd", "daft", 5)
    )
    assert docs_module("learner_rows").costs(tmp_path / "lines") == {"concat": "1.0 x", "mt": "1.5 x", "late": "2.0 x"}
