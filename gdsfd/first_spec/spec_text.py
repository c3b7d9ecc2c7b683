"""A proposal as TOML, with a comment on every guess."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping

from gdsfd.first_spec.proposal import Entry, Proposal

__all__ = ["spec_text", "toml_value"]

_WIDTH = 118


def spec_text(proposal: Proposal) -> str:
    """The text of a spec.

    Args:
        proposal: What is proposed.
    """
    blocks = [_remarks(proposal.head)]
    blocks += [list(_block(entry)) for entry in (proposal.cohort, *proposal.joins, proposal.outcome, proposal.split)]
    blocks += [list(_block(entry)) for entry in proposal.modalities]
    if proposal.unused:
        by_reason: dict[str, list[str]] = {}
        for name, why in proposal.unused.items():
            by_reason.setdefault(why, []).append(name)
        blocks.append(
            _remarks(["Nothing is taken of:", *(f"  {', '.join(names)}: {why}" for why, names in by_reason.items())])
        )
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def toml_value(value: object) -> str:
    """A value as TOML writes it.

    Args:
        value: A text, number, truth value, list, or mapping of names to texts.

    Example:
        >>> toml_value(["wbc", 3]), toml_value(1440.0), toml_value({"x y": "a"})
        ('["wbc", 3]', '1440', '{ "x y" = "a" }')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and '"' in value and re.fullmatch(r"[^'\x00-\x1f\x7f]*", value):
        return f"'{value}'"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {toml_value(part)}" for key, part in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(part) for part in value) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def _block(entry: Entry) -> Iterator[str]:
    above = [*entry.above, *([] if entry.left_out is None else [f"LEFT OUT: {entry.left_out}."])]
    yield from _remarks(above)
    if entry.left_out is not None:
        yield from _remarks(entry.notes.get("columns", []))
    lines = list(_fields(entry))
    yield from lines if entry.left_out is None else [f"# {line}" for line in lines if not line.startswith("#")]


def _fields(entry: Entry) -> Iterator[str]:
    yield f"[{entry.title}]"
    for name, value in entry.fields.items():
        yield from _remarks(entry.notes.get(name, []))
        if value is not None:
            yield from _assigned(name, value)
    if entry.derive:
        yield from _remarks(entry.notes.get("derive", []))
        whole = f"derive = {toml_value(entry.derive)}"
        if len(whole) <= _WIDTH:
            yield whole
        else:
            yield f"[{entry.title.strip('[]')}.derive]"
            yield from (f"{_key(name)} = {toml_value(sql)}" for name, sql in entry.derive.items())


def _assigned(name: str, value: object) -> Iterator[str]:
    line = f"{_key(name)} = {toml_value(value)}"
    if len(line) <= _WIDTH or not isinstance(value, list):
        yield line
        return
    yield f"{_key(name)} = ["
    row = "   "
    for part in value:
        piece = f" {toml_value(part)},"
        if len(row) + len(piece) > _WIDTH and row.strip():
            yield row
            row = "   "
        row += piece
    yield row
    yield "]"


def _remarks(notes: list[str]) -> list[str]:
    """Comments; a line break in a name would end one, so it becomes a blank."""
    lines: list[str] = []
    for note in notes:
        indent = "  " if note.startswith("  ") else ""
        plain = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", note).strip()
        if not plain:
            lines.append("#")
            continue
        lines += textwrap.wrap(
            plain,
            _WIDTH,
            initial_indent=f"# {indent}",
            subsequent_indent=f"# {indent}{'  ' if indent else ''}",
            break_on_hyphens=False,
        )
    return lines
