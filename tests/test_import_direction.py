"""Which folder imports from which: one direction, and no circle of modules."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gdsfd"

#: Folder -> folders that it may import from. What is no folder (errors, files, registry) anybody may import.
MAY_IMPORT: dict[str, set[str]] = {
    "cohort": set(),
    "first_spec": {"cohort"},
    "graph": {"cohort", "ops"},
    "ops": set(),
    "simulation": set(),
    "nn": {"cohort", "graph", "ops"},
    "latent": {"cohort", "graph"},
    "baselines": {"cohort", "graph", "latent"},
    "training": {"cohort", "graph", "ops", "nn", "latent", "baselines"},
    "evaluation": {"simulation", "cohort", "graph", "ops", "nn", "latent", "baselines", "training"},
    "comparison": {"simulation", "cohort", "graph", "ops", "nn", "latent", "baselines", "training", "evaluation"},
    "fusion_study": {
        "simulation",
        "cohort",
        "graph",
        "ops",
        "nn",
        "latent",
        "baselines",
        "training",
        "evaluation",
        "comparison",
    },
    "bench": {"cohort", "graph", "ops", "nn", "latent", "baselines", "training", "simulation"},
    "experimental": {"cohort", "graph", "ops", "nn"},
}
#: Outer packages that a folder does without.
NOT_EVEN: dict[str, set[str]] = {
    "cohort": {"torch", "torch_geometric", "sklearn"},
    "first_spec": {"torch", "torch_geometric", "sklearn"},
    "simulation": {"torch", "torch_geometric"},
    "ops": {"pandas", "ibis", "duckdb"},
    "nn": {"ibis", "duckdb"},
}


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, inside_functions: bool = True) -> list[str]:
    """Full names of imported modules, but for those of type checks; of ``from a import b`` both ``a`` and ``a.b``."""
    found: list[str] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not inside_functions:
            return
        if isinstance(node, ast.Import):
            found.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
            found.extend(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_from_its_left(folder):
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if module.split(".")[1:2] == [folder]
        for name in imports_of(path)
        if name.split(".")[0] == "gdsfd"
        and len(name.split(".")) > 1
        and name.split(".")[1] in {*MAY_IMPORT, "cli"} - MAY_IMPORT[folder] - {folder}
    ]
    assert not wrong


@pytest.mark.parametrize("folder", NOT_EVEN)
def test_a_folder_does_without_some_packages(folder):
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if module.split(".")[1:2] == [folder]
        for name in imports_of(path)
        if name.split(".")[0] in NOT_EVEN[folder]
    ]
    assert not wrong


def test_every_folder_has_its_place():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert folders - {"cli"} <= set(MAY_IMPORT)


def test_no_modules_import_one_another_in_a_circle():
    graph = {
        module: {name for name in imports_of(path, inside_functions=False) if name in MODULES and name != module}
        for module, path in MODULES.items()
    }
    packages = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    # A package's __init__ gathers its modules, which do not come back to it: the package's own name is no import.
    graph = {module: {name for name in names if name not in packages} for module, names in graph.items()}
    done: set[str] = set()

    def circle(module: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if module in way:
            return (*way[way.index(module) :], module)
        if module in done:
            return ()
        for name in sorted(graph[module]):
            if found := circle(name, (*way, module)):
                return found
        done.add(module)
        return ()

    for module in graph:
        assert not circle(module, ())


def test_the_check_itself_sees_what_is_wrong(tmp_path):
    file = tmp_path / "wrong.py"
    file.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n"
        "from gdsfd import training\ndef f():\n    import pandas\n"
    )
    assert imports_of(file) == ["typing", "typing.TYPE_CHECKING", "gdsfd", "gdsfd.training", "pandas"]
    assert "pandas" not in imports_of(file, inside_functions=False)
