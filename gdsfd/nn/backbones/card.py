"""What is known of a learner: where it comes from, how absence enters, what is lost against the original."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Card"]


@dataclass(frozen=True)
class Card:
    """Facts of a learner that are not in its code.

    Args:
        source: Authors, venue and year, or "ours".
        tag: What the formulas rest on: ``"paper"`` (stated by the authors), ``"code"`` (read in the public repository),
            ``"reconstruction"`` (of a method whose formulas are not public) or ``"ours"``.
        absence: How a modality that a patient does not have enters.
        lost: What the original has and this does not; empty where nothing.
        interaction: Whether it can learn what no modality tells by itself.
        bank: Whether something beside the weights is fitted on training patients: a bank, states, patterns.
    """

    source: str
    tag: Literal["paper", "code", "reconstruction", "ours"]
    absence: str
    lost: str = ""
    interaction: bool = True
    bank: bool = False
