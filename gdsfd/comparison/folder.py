"""The folder of a comparison: what may go on in it, and files that appear whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gdsfd.atomic_write import atomic_file, check_writable
from gdsfd.comparison.fits import Plan
from gdsfd.errors import InputError

__all__ = ["FORMAT", "MARKER", "check_folder", "mark_folder", "settings_of", "write_whole"]

#: By this file the folder of a comparison is known.
MARKER = "compare.json"
FORMAT = "gdsfd comparison"


def settings_of(plan: Plan) -> dict[str, Any]:
    """What two runs into one folder have to share, as JSON has it."""
    made = {
        "training": {name: value for name, value in plan.config.to_dict().items() if name != "devices"},
        "suspects": plan.suspects,
        "arms": {name: streams.to_dict() for name, streams in plan.debiased().items()},
        "folds": {name: plan.folds.get(name, plan.config.guard_folds) for name in plan.debiased()},
    }
    return dict(json.loads(json.dumps(made)))


def check_folder(folder: Path, given: dict[str, Any]) -> None:
    """Refuses a folder of something else, and one whose fits were made with other settings.

    Raises:
        InputError: Says which setting differs (arms that only one of the two runs has do not matter), or that nothing
            can be written there.
    """
    check_writable(folder, inside=True)
    folder = Path(os.path.realpath(folder))  # a link is followed
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder for the comparison, got a file; choose another name")
    if not any(folder.iterdir()):
        return
    stored = _stored(folder)
    if stored is None:
        raise InputError(f"{folder}: the folder is not empty and holds no comparison; choose another folder")
    before, now = _flat(stored), _flat(given)
    arms = set(stored["arms"]) & set(given["arms"])
    for name in sorted(before.keys() | now.keys()):
        part, _, rest = name.partition(".")
        if part in ("arms", "folds") and rest.split(".")[0] not in arms:
            continue  # an arm that only one of the runs has
        if before.get(name) != now.get(name):
            raise InputError(
                f"{folder}: its fits were made with {name} = {before.get(name)!r}, now it is {now.get(name)!r}; choose "
                "another folder, or the same settings"
            )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) and value else {f"{prefix}{name}": value}
    return flat


def mark_folder(folder: Path, given: dict[str, Any]) -> None:
    """Makes the folder and writes down the settings, those of arms fitted before included."""
    folder = Path(os.path.realpath(folder))
    folder.mkdir(parents=True, exist_ok=True)
    stored = _stored(folder) or given
    merged = {**given, **{part: {**stored[part], **given[part]} for part in ("arms", "folds")}}
    if not (folder / MARKER).is_file() or merged != stored:
        write_whole(folder / MARKER, json.dumps({"format": FORMAT, "settings": merged}, indent=1) + "\n")


def write_whole(file: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    with atomic_file(file) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _stored(folder: Path) -> dict[str, Any] | None:
    """The settings written down in a folder; None where it holds no comparison."""
    try:
        stored = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        return None
    settings = stored.get("settings")
    if not isinstance(settings, dict) or not all(isinstance(settings.get(part), dict) for part in ("arms", "folds")):
        raise InputError(f"{folder / MARKER}: damaged (no settings of its fits); choose another folder")
    return settings
