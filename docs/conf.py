"""Configuration of the documentation (Sphinx). `make docs` builds it; a warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from api_pages import write_api_pages  # noqa: E402

from gdsfd import __version__  # noqa: E402

project = "gdsfd"
author = "gdsfd developers"
copyright = "gdsfd developers, MIT licence"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "bench_plot",
    "command_help",
    "debiasing",
    "deconfounding",
    "learners",
    "mathml",
    "results",
    "spec_fields",
    "train_settings",
]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "_ext"]

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
# Pydantic and torch put long signatures and base-class members on every class; ours are what matters here.
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Shapes", "params_style")]

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"gdsfd {release}"
html_theme_options = {"source_view_link": ""}
html_static_path: list[str] = []

write_api_pages(HERE / "api" / "generated")
