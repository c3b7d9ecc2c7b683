"""A spec model's fields in words: from the model and its docstring. Needs nothing of Sphinx."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

MODULE = "gdsfd.cohort.spec"

#: How an annotation is told to someone who writes TOML. First match wins.
TYPES = (
    (r"Literal\[(.*?)\]", lambda found: " or ".join(f'"{choice}"' for choice in re.findall(r"'([^']+)'", found[1]))),
    (r"tuple\[float, float, float\]", lambda found: "three numbers"),
    (r"tuple\[float, float\]", lambda found: "two numbers"),
    (r"dict\[str, str\]", lambda found: "table of texts"),
    (r"JoinSpec", lambda found: "table, or list of tables"),
    (r"list\[str\] \| str", lambda found: "list of names, or a pattern"),
    (r"list\[bool \| int", lambda found: "value or list of values"),
    (r"list\[str\]", lambda found: "name or list of names"),
    (r"\bbool\b", lambda found: "true or false"),
    (r"\bint\b", lambda found: "whole number"),
    (r"\bfloat\b", lambda found: "number"),
    (r"\bstr\b", lambda found: "text"),
    (r"Any", lambda found: "path, glob, DataFrame or Ibis table"),
)


def field_rows(model: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    """Name, type, default and meaning of every field.

    Raises:
        LookupError: A field of the model's own is not described in its docstring.
    """
    meanings = described(model)
    rows = []
    for name, field in model.model_fields.items():
        if name == "kind":
            meanings.setdefault("kind", "Makes the modality one of this kind; to be written out.")
        if name not in meanings:
            if name not in model.__annotations__:
                continue  # inherited, and of no use to this kind of modality
            raise LookupError(f"{model.__name__}.{name} is not described in the model's docstring")
        rows.append((name, type_words(field), default_words(field), meanings[name]))
    return rows


def described(model: type[BaseModel]) -> dict[str, str]:
    """Field -> meaning, from the ``Args`` of the docstring; ``As in :class:`X``` is followed."""
    text = inspect.getdoc(model) or ""
    _, _, arguments = text.partition("Args:\n")
    arguments = re.split(r"\n\S", arguments)[0]
    found: dict[str, str] = {}
    for names, meaning in re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {5,}.*)*)", arguments, flags=re.MULTILINE):
        meaning = re.sub(r"\s+", " ", meaning).strip()
        refers = re.match(r"As in :class:`(\w+)`\.?$", meaning)
        for name in re.split(r", ", names):
            if refers:
                found[name] = described(getattr(importlib.import_module(MODULE), refers[1]))[name]
            else:
                found[name] = meaning
    return found


def type_words(field: Any) -> str:
    """The field's type in words."""
    annotation = str(field.annotation).replace("typing.", "")
    for pattern, words in TYPES:
        if found := re.search(pattern, annotation):
            return words(found)
    return annotation


def default_words(field: Any) -> str:
    """The default, as it would stand in TOML; "required" without one."""
    if field.is_required():
        return "required"
    default = field.default if field.default is not PydanticUndefined else field.default_factory()
    if default is None or default in ([], {}, ()):
        return "none"
    if isinstance(default, tuple):
        default = list(default)
    return f"``{default!r}``".replace("'", '"')
