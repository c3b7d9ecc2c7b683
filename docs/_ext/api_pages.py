"""Writes one page per folder of the package, each module by autodoc: no list to keep up to date by hand."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

#: Folder -> one line on it, in the order of the data's way.
FOLDERS = {
    "cohort": "Exports to arrays: the spec, the readers, the receipt.",
    "first_spec": "A first spec for exports that nobody has described: the command `gdsfd init`.",
    "graph": "Arrays to a graph: building, files, loader, summaries, pictures.",
    "ops": "Reductions over groups of edges.",
    "nn": "Encoders, backbones, heads.",
    "latent": "Confounder strata that are found, and the evidence whether they are a practice.",
    "baselines": "Boosting and logistic regression on the flattened table.",
    "training": "Fitting, checkpoints, the estimator.",
    "evaluation": "Metrics, intervals, the report.",
    "comparison": "Arms, backbones and seeds on the same patients; what their differences are worth.",
    "fusion_study": "When fusion helps, which fusion, how robust, how fair: the command `gdsfd study`.",
    "simulation": "Exports from a structural causal model.",
}


def write_api_pages(target: Path) -> None:
    """Writes ``<folder>.md`` for every folder; untouched where nothing has changed, so that builds stay incremental.

    Args:
        target: The folder for the pages.
    """
    root = Path(next(iter(importlib.util.find_spec("gdsfd").submodule_search_locations)))
    target.mkdir(parents=True, exist_ok=True)
    for folder, line in FOLDERS.items():
        blocks = [f"# gdsfd.{folder}\n\n{line}\n"]
        for file in sorted((root / folder).rglob("*.py")):
            if file.name == "__init__.py" or not _is_public(file):
                continue
            module = ".".join(("gdsfd", *file.relative_to(root).with_suffix("").parts))
            blocks.append(f"## {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n```\n")
        text = "\n".join(blocks)
        page = target / f"{folder}.md"
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def _is_public(file: Path) -> bool:
    """A module is documented when it says what it offers."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__" for node in tree.body)
