"""The fields of a spec as TOML, for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gdsfd.first_spec.spec_text import toml_value

__all__ = ["fields_text"]


def fields_text(fields: Mapping[str, Any]) -> str:
    """The TOML of a spec's fields; what TOML has no words for, such as a DataFrame, is named in a comment.

    Args:
        fields: The fields, ``base_dir`` left aside.

    Example:
        >>> print(fields_text({"cohort": {"source": "stays.csv", "id": "stay"}, "modality": [{"name": "labs"}]}))
        [cohort]
        source = "stays.csv"
        id = "stay"
        <BLANKLINE>
        [[modality]]
        name = "labs"
    """
    alone = [line for name, value in fields.items() if name != "base_dir" for line in _alone(name, value)]
    blocks = [["\n".join(alone)]] if alone else []
    for name, value in fields.items():
        if isinstance(value, Mapping):
            blocks.append(list(_block(f"[{name}]", value)))
        elif _is_tables(value):
            blocks += [list(_block(f"[[{name}]]", entry)) for entry in value]
    return "\n\n".join("\n".join(block) for block in blocks)


def _alone(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping) and not _is_tables(value):
        yield _line(name, value)


def _block(title: str, fields: Mapping[str, Any]) -> Iterator[str]:
    yield title
    tables = {name: value for name, value in fields.items() if _is_tables(value)}
    for name, value in fields.items():
        if name not in tables and value is not None and value != [] and value != {}:
            yield _line(name, value)
    for name, entries in tables.items():
        for entry in entries:
            yield ""
            yield from _block(f"[[{title.strip('[]')}.{name}]]", entry)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, Mapping) for entry in value)


def _line(name: str, value: Any) -> str:
    try:
        return f"{name} = {toml_value(value)}"
    except TypeError:
        return f"# {name} = <{type(value).__name__}>"
