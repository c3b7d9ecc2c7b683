"""The page of studies is that of the stored lines, and holds nothing about single patients."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_documentation import docs_module

pages = docs_module("study_lines")
pictures = docs_module("study_pictures")


def test_the_page_is_that_of_the_stored_lines():
    text = pages.PAGE.read_text(encoding="utf-8")
    _, found, rest = text.partition(pages.START)
    written, end, _ = rest.partition(pages.END)
    assert found
    assert end
    assert written.strip() == pages.section().strip(), "run: python docs/_ext/study_lines.py"


def test_tables_of_the_advice_are_those_of_the_stored_lines():
    text = pages.ADVICE.read_text(encoding="utf-8")
    assert pages.with_advice(text) == text, "run: python docs/_ext/study_lines.py"
    assert all(text.count(f"<!-- {name}:") == 1 for name in pages.advice())


def test_lines_are_of_groups_and_say_where_they_come_from():
    lines = pages.studies()
    assert len(lines) >= 3
    for line in lines:
        assert line["command"] == f"python benchmarks/real_studies.py {line['cohort']} --out studies"
        assert not {"id", "subject", "y", "p"} & {
            key for rows in line["tables"].values() for row in rows for key in row
        }
        assert "/work" not in str(line)
        assert set(line["sentences"]) == {"1", "2", "3", "4"}


def test_writing_changes_nothing_but_the_section(tmp_path: Path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{pages.START}\nold\n{pages.END}\nafter\n")
    monkeypatch.setattr(pages, "PAGE", page)
    monkeypatch.setattr(pages, "ADVICE", tmp_path / "advice.md")
    pages.ADVICE.write_text("advice\n" + "".join(f"<!-- {n}: x -->\n" for n in ()))
    pages.main()
    text = page.read_text()
    assert text.startswith(f"before\n{pages.START}\n\n## Do rankings survive?")
    assert text.endswith(f"{pages.END}\nafter\n")
    assert "\nold\n" not in text


def test_pictures_are_those_of_the_stored_lines():
    drawn = 0
    for line in pages.studies():
        for name, picture in pictures.pictures_of(line).items():
            file = pictures.PICTURES / f"study_{line['cohort']}_{name}.svg"
            if file.is_file():
                drawn += 1
                same = words_of(file.read_text(encoding="utf-8")) == words_of(picture)
                assert same, f"{file.name} shows something else; run: python docs/_ext/study_pictures.py"
    assert drawn == len(pages.PICTURES)


def words_of(picture: str) -> list[str]:
    """What is written in a picture; where it stands differs with the version that draws."""
    return re.findall(r"<text [^>]*>([^<]*)<|<tspan[^>]*>([^<]*)<", picture)
