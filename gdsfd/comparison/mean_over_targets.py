"""What a comparison's figures are means over, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gdsfd.errors import shown

__all__ = ["means_in_words"]


def means_in_words(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """A note per design whose figures are means over several outcomes, classes, or intervals of a time to an event.

    Args:
        records: One per fitted arm.

    Example:
        >>> record = {"design": "graph", "splits": {"test": {"auroc": 0.7, "mean_of": ["death", "sepsis"]}}}
        >>> means_in_words([record])
        ("graph: figures are means over 2 targets: 'death', 'sepsis'.",)
    """
    found: dict[str, list[str]] = {}
    for record in records:
        own = found.setdefault(str(record["design"]), [])
        for split in record["splits"].values():
            own += [name for name in split.get("mean_of") or () if name not in own]
    return tuple(
        f"{design}: figures are means over {len(names)} targets: {shown(names, 4)}."
        + (
            " They are intervals of a time to an event, each judged among those at risk when it begins; "
            "gdsfd evaluate has the concordance of a run."
            if _are_intervals(names)
            else ""
        )
        for design, names in found.items()
        if names
    )


def _are_intervals(names: list[str]) -> bool:
    """Whether targets are called as :attr:`~gdsfd.cohort.schema.SurvivalFields.interval_names` calls them."""
    heads = {name.partition(": ")[0] for name in names}
    return len(names) > 1 and len(heads) == 1 and all(" to " in name.partition(": ")[2] for name in names)
