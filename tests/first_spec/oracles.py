"""What a hand-written spec of an export says, to hold a proposed one against."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.cohort.spec import CohortSpec, load_spec

__all__ = ["columns_behind", "disagreements", "stated"]

Stated = dict[str, dict[str, Any]]


def stated(text: str) -> Stated:
    """The modalities of a proposed spec by the name of their file, those that stand there as comments among them."""
    blocks = re.split(r"\n(?=(?:# )?\[\[modality\]\])", text)[1:]
    found: Stated = {}
    for block in blocks:
        lines = block.split("\n\n")[0].splitlines()
        if lines[0].startswith("# "):
            lines = [line.removeprefix("# ") for line in lines]
        (entry,) = tomllib.loads("\n".join(lines))["modality"]
        found[source_name(entry["source"])] = entry
    return found


def source_name(source: str) -> str:
    """A source's file (or table) without folders."""
    return os.path.basename(source).split("::")[-1]


def columns_behind(entry: Mapping[str, Any], field: str) -> set[str]:
    """The columns that a field means: itself, or those that it is derived from."""
    name = entry.get(field)
    if name is None:
        return set()
    sql = (entry.get("derive") or {}).get(name)
    return {str(name)} if sql is None else set(re.findall(r"[A-Za-z_]\w*", sql)) | {str(name)}


def disagreements(text: str, example: Path) -> tuple[list[str], list[str], float]:
    """Where a proposed spec says something else than a worked one: ids, times, and the share of kinds that agree.

    Args:
        text: The proposed spec.
        example: The worked spec of the same files.
    """
    proposed, worked = stated(text), load_spec(example)
    ids, times, right = [], [], []
    for modality in worked.modality:
        entry = proposed.get(source_name(expand_variables(str(modality.source))))
        if entry is None:
            right.append(False)
            continue
        hand: dict[str, Any] = modality.model_dump(exclude_none=True)
        own = source_name(str(modality.source)) == source_name(str(worked.cohort.source))
        if entry["id"] != hand["id"]:
            ids.append(f"{modality.name}: {entry['id']} for {hand['id']}")
        if columns_behind(hand, "time") and not columns_behind(entry, "time") & columns_behind(hand, "time"):
            times.append(f"{modality.name}: {entry.get('time')} for {hand['time']}")
        right.append(own or entry["kind"] == hand["kind"])
    if CohortSpec(**tomllib.loads(text)).cohort.id != worked.cohort.id:
        ids.append("cohort")
    return ids, times, sum(right) / len(right)
