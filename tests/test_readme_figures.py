"""The README's figures are those of the stored lines."""

from __future__ import annotations

from pathlib import Path

from tests.test_documentation import docs_module

pages = docs_module("readme_figures")
README = Path(__file__).parents[1] / "README.md"


def test_the_section_is_that_of_the_stored_lines():
    text = README.read_text(encoding="utf-8")
    _, found, rest = text.partition(pages.START)
    written, end, _ = rest.partition(pages.END)
    assert found
    assert end
    assert written.strip() == pages.section(), "run: make readme"


def test_writing_changes_nothing_but_the_section(tmp_path, monkeypatch):
    (tmp_path / "README.md").write_text(f"before\n{pages.START}\nold\n{pages.END}\nafter\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    pages.main()
    text = (tmp_path / "README.md").read_text()
    assert text.startswith(f"before\n{pages.START}\n\n**Beside gradient boosting**")
    assert text.endswith(f"\n\n{pages.END}\nafter\n")
    assert "\nold\n" not in text
