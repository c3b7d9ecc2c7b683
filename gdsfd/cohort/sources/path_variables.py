"""Environment variables in the source paths of a spec: ``${NAME}`` and ``${NAME:-default}``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from gdsfd.errors import SpecError

__all__ = ["expand_variables"]

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-(?P<default>[^{}]*))?\}")


def expand_variables(path: str, variables: Mapping[str, str] | None = None) -> str:
    """Replaces ``${NAME}`` and ``${NAME:-default}`` in a path.

    The default stands in when the variable is unset or empty, as in a POSIX shell. A value is put in as it is: a
    ``${...}`` inside it is not expanded again. ``$NAME`` without braces is left alone, since ``$`` is a legal character
    of file names.

    Args:
        path: A path, a glob or a part of one.
        variables: Where names are looked up; default: the process's environment variables.

    Returns:
        The path without references.

    Raises:
        SpecError: A variable without a default is unset or empty, or a ``${`` is not one of the two forms.

    Example:
        >>> expand_variables("${EXPORTS:-data}/patient.csv", {})
        'data/patient.csv'
        >>> expand_variables("${EXPORTS:-data}/patient.csv", {"EXPORTS": "/mnt/icu"})
        '/mnt/icu/patient.csv'
    """
    known = os.environ if variables is None else variables
    if "${" in _REFERENCE.sub("", path):
        raise SpecError(f"source {path!r}: expected ${{NAME}} or ${{NAME:-default}}, got a '${{' that is neither")

    def value(reference: re.Match[str]) -> str:
        name = reference["name"]
        found = known.get(name, "")
        if found:
            return found
        if reference["fallback"] is not None:
            return reference["default"]
        state = "empty" if name in known else "not set"
        raise SpecError(
            f"source {path!r}: the environment variable {name} is {state}; set it, or write ${{{name}:-default}} in "
            "the spec"
        )

    return _REFERENCE.sub(value, path)
