"""Plug-ins: modules outside of gdsfd that declare parts of their own (:mod:`gdsfd.registry`).

A plug-in is a module that registers something when it is imported. It is imported because an installed package says so
(entry-point group ``gdsfd.plugins``), because a command was told to (``--plugin``), or because the user's own code
imports it. A name in a file never imports anything.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from gdsfd.errors import InputError, cell_text
from gdsfd.registry import REGISTRIES

__all__ = ["GROUP", "load_entry_points", "load_plugins", "loaded_plugins", "plugin_needs", "require_plugins"]

#: The entry-point group of installed plug-ins.
GROUP = "gdsfd.plugins"

_loaded: dict[str, None] = {}
_asked = False


def load_plugins(modules: Iterable[str]) -> None:
    """Imports plug-ins that the user names.

    Args:
        modules: Names of modules, importable or in the working directory, or paths of ``.py`` files.

    Raises:
        InputError: A module is not there, or raises while it is imported.
    """
    for module in modules:
        if module in _loaded:
            continue
        try:
            _import(module)
        except Exception as error:
            raise InputError(f"--plugin {module}: it cannot be imported: {type(error).__name__}: {error}") from error
        _loaded[module] = None


def loaded_plugins() -> tuple[str, ...]:
    """What :func:`load_plugins` has imported; a worker process imports the same."""
    return tuple(_loaded)


def load_entry_points() -> None:
    """Imports what installed packages declare under :data:`GROUP`, once. One that fails is warned of and left out."""
    global _asked
    if _asked:
        return
    _asked = True
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:
            warnings.warn(
                f"plug-in {point.name!r} ({point.value}) cannot be imported and is left out: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )


def plugin_needs(parts: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Which of the parts come from plug-ins; this is what a stored model says it needs.

    Args:
        parts: What a part is (as its registry is called) and its name: ``("backbone", "muse")``.

    Returns:
        ``{"part": ..., "name": ..., "module": ...}`` of each part that is not built in.
    """
    found = []
    for what, name in dict.fromkeys(parts):
        module = REGISTRIES[what].plugin_of(name)
        if module is not None:
            found.append({"part": what, "name": name, "module": module})
    return found


def require_plugins(needs: Sequence[Mapping[str, Any]], owner: str) -> None:
    """Makes sure that the parts which a file needs are declared. Nothing is imported by a name that a file holds.

    Args:
        needs: What :func:`plugin_needs` returned when the file was written.
        owner: The file in words, for the message.

    Raises:
        InputError: A part is not declared; the message says what to import or install.
    """
    for need in needs:
        what, name, module = (str(need.get(key, "")) for key in ("part", "name", "module"))
        registry = REGISTRIES.get(what)
        if registry is None or name not in registry:
            raise InputError(
                f"{owner} needs the {what} {cell_text(name)}, which {cell_text(module)} declares and which is unknown "
                f"here: import {module} first (command line: --plugin {module}), or install the package it is in"
            )


def _import(module: str) -> None:
    if not module.endswith(".py"):
        here = str(Path.cwd())
        sys.path.insert(0, here)
        try:
            importlib.import_module(module)
        finally:
            sys.path.remove(here)
        return
    path = Path(module)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise FileNotFoundError(f"there is no file {module}")
    made = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = made
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[path.stem]
        raise
