"""Versions of everything a result may depend on, for bug reports and lines of benchmark results."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from typing import TextIO

from gdsfd._version import __version__

__all__ = ["show_versions", "versions"]

#: Distributions a result may depend on, required ones first.
PACKAGES = (
    "torch",
    "torch-geometric",
    "torch-scatter",
    "lightning-fabric",
    "ibis-framework",
    "duckdb",
    "pydantic",
    "safetensors",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "lightgbm",
    "networkx",
    "matplotlib",
    "jinja2",
    "fairlearn",
    "tensorboard",
    "triton",
)


def versions() -> dict[str, str]:
    """What is installed, read from package metadata without importing the packages (torch apart).

    Returns:
        Name -> version. An absent package maps to ``"not installed"``; further keys are ``gdsfd``, ``python``,
        ``platform``, ``cpus`` (usable by this process), ``torch threads`` and ``gpu``.

    Example:
        >>> versions()["gdsfd"] == __version__
        True
    """
    import torch

    found = {"gdsfd": __version__, "python": sys.version.split()[0], "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    found["cpus"] = str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    found["torch threads"] = str(torch.get_num_threads())
    found["gpu"] = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"
    return found


def show_versions(file: TextIO | None = None) -> None:
    """Writes the same as aligned text, ready to paste into a bug report.

    The one function of the library that writes to the terminal, because that is all it is for.

    Args:
        file: Where to write; default: standard output.
    """
    found = versions()
    width = max(map(len, found))
    stream = sys.stdout if file is None else file
    stream.writelines(f"{name:<{width}}  {version}\n" for name, version in found.items())
