"""The table of docs/survival.md is that of the stored lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.test_documentation import docs_module

page = docs_module("survival_lines")


def test_the_table_is_that_of_the_stored_lines() -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    _, found, rest = text.partition(page.START)
    written, end, _ = rest.partition(page.END)
    assert found
    assert end
    assert written.strip() == page.section().strip(), "run: python docs/_ext/survival_lines.py"


def test_the_summary_is_of_the_lines_of_its_folds() -> None:
    lines = [json.loads(text) for text in page.LINES.read_text(encoding="utf-8").splitlines()]
    found = page.summary()
    for model, means in found["means"].items():
        own = [line for line in lines if line.get("model") == model and line["fold"] in found["folds"]]
        assert sorted(line["fold"] for line in own) == found["folds"]
        for figure, value in means.items():
            assert value == pytest.approx(sum(line["figures"][figure] for line in own) / len(own), abs=6e-5)
    for pair, figures in found["differences"].items():
        network, rival = pair.split(" less ")
        for figure, (value, low, high) in figures.items():
            assert value == pytest.approx(found["means"][network][figure] - found["means"][rival][figure], abs=1.1e-4)
            assert low <= value <= high


def test_writing_changes_nothing_but_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n{page.START}\nold\n{page.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", file)
    page.main()
    text = file.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{page.START}\n\nMeans over")
    assert text.endswith(f"{page.END}\nafter\n")
    assert "\nold\n" not in text
