"""What the README and the pages show works."""

from __future__ import annotations

import dataclasses
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import gdsfd
from gdsfd.cli.entry import make_parser
from gdsfd.cohort import spec as spec_module
from gdsfd.cohort.formats.expansion import has_format
from gdsfd.cohort.formats.request import read_request

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")])
MODELS = {"table": "TableSpec", "events": "EventsSpec", "codes": "CodesSpec", "embedding": "EmbeddingSpec"}

BASE = {
    "cohort": {"source": "c.csv", "id": "id", "environment": "site"},
    "outcome": {"name": "o", "column": "o", "positive": 1},
    "modality": [{"name": "m", "kind": "table", "source": "m.csv", "id": "id"}],
}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def docs_module(name: str) -> ModuleType:
    """A module of ``docs/_ext`` that needs nothing of Sphinx, which the tests' environment does not have."""
    sys.path.insert(0, str(ROOT / "docs" / "_ext"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def spec_blocks() -> list[tuple[str, dict]]:
    return [(page.name, tomllib.loads(text)) for page in PAGES for text in blocks(page, "toml")]


@pytest.mark.parametrize(("page", "block"), spec_blocks())
def test_every_toml_block_is_a_valid_part_of_a_spec(page, block):
    if has_format(block):  # what it stands for depends on the data
        assert read_request(block["cohort"], ".")
        block = {**block, "cohort": BASE["cohort"], "modality": BASE["modality"]}
    gdsfd.CohortSpec(**{**BASE, **block})


def test_the_spec_page_shows_every_field_of_every_model():
    shown: dict[str, set[str]] = {}
    for page, block in spec_blocks():
        if page == "spec.md":
            outcome = "SurvivalSpec" if block.get("outcome", {}).get("kind") == "survival" else "OutcomeSpec"
            for key, model in (("cohort", "CohortTable"), ("outcome", outcome), ("split", "SplitSpec")):
                shown.setdefault(model, set()).update(block.get(key, {}))
            for modality in block.get("modality", []):
                shown.setdefault(MODELS[modality["kind"]], set()).update(modality)
            for join in block.get("cohort", {}).get("join", []):
                shown.setdefault("JoinSpec", set()).update(join)
    field_rows = docs_module("spec_models").field_rows
    for name in ("CohortTable", "JoinSpec", "OutcomeSpec", "SurvivalSpec", "SplitSpec", *MODELS.values()):
        described = {row[0] for row in field_rows(getattr(spec_module, name))}
        assert described == shown[name], f"docs/spec.md and {name} differ"


def test_the_python_of_the_readme_runs(tmp_path):
    (code,) = blocks(ROOT / "README.md", "python")
    short = code.replace("patients=1000", "patients=300").replace("max_epochs=10", "max_epochs=2")
    assert short.count("\n") < 30
    done = subprocess.run([sys.executable, "-c", short], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "gradient boosting" in done.stdout
    assert {"exports", "graph", "run", "report"} == {entry.name for entry in tmp_path.iterdir()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_shown_parses(page):
    for text in blocks(page, "console"):
        for line in text.splitlines():
            command = line.removeprefix("$ ").split("#")[0].split()
            if command[:1] == ["gdsfd"]:
                make_parser().parse_args(command[1:])
            elif command[:1] == ["make"]:
                makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
                for target in (word for word in command[1:] if re.fullmatch(r"[a-z-]+", word)):
                    assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_named_exists(page):
    made = {"demo", "report", "run", "graph", "exports", "docs/_build", ".venv", ".wheels", "demo/reports"}
    for name in re.findall(
        r"`((?:docs|examples|benchmarks|notebooks|gdsfd|tests)/[\w./-]*)`", page.read_text(encoding="utf-8")
    ):
        if not any(name.startswith(prefix) for prefix in made):
            assert (ROOT / name).exists(), f"{page.name} names {name}"


def test_the_backbone_shown_runs_in_fewer_than_forty_lines_and_so_does_the_view_for_pyg(tmp_path):
    view, code = blocks(ROOT / "docs" / "models.md", "python")
    assert code.count("\n") < 40
    done = subprocess.run([sys.executable, "-c", code + view], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_models_page_shows_every_setting():
    pages = docs_module("setting_rows")
    shown = {name.strip("`"): default for name, default, _ in pages.setting_rows()}
    assert set(shown) == {field.name for field in dataclasses.fields(gdsfd.TrainConfig)}
    assert shown["sequence"] == '``"none"``'
    assert shown["backbone_options"] == "none"
    by_size = {row[0].strip("`") for row in pages.size_rows()}
    assert by_size == {name for name, default in shown.items() if default == "by size"}
    assert all(len(row) == 1 + len(pages.SIZES) for row in pages.size_rows())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_includes_exists_and_is_a_spec(page):
    included = re.findall(r"^```\{literalinclude\} (\S+)\n((?::.*\n)*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    for name, options in included:
        text = (page.parent / name).read_text(encoding="utf-8")
        for marker in re.findall(r'^:end-before: "(.*)"', options, re.MULTILINE):
            assert text.count(marker) == 1, f"{page.name}: {name} has not {marker!r}"
        if name.endswith(".toml"):
            assert ":language: toml" in options
            gdsfd.CohortSpec(**tomllib.loads(text))
    assert bool(included) == (page.name == "examples.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_table_of_a_page_is_without_lines(page):
    lines = docs_module("result_lines")
    for name in re.findall(r"^ *\.\. (?:\w+-)?results:: (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE):
        assert lines.read_lines(lines.file_of(name)), f"{page.name}: {name} has no line in {lines.file_of(name).name}"
