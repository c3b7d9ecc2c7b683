"""Warnings about events that stand in an export several times: a file appended to itself, files that overlap."""

from __future__ import annotations

from gdsfd.cohort.receipt.receipt import Finding, SourceReceipt

__all__ = ["find_repeated_rows"]

_FEWEST, _SHARE = 20, 0.2  #: rows that repeat another one in full, and their share of all


def find_repeated_rows(receipt: SourceReceipt, rows: int) -> list[Finding]:
    """A finding where many events repeat another row in full; of codes nothing is said, as they are sets.

    Args:
        receipt: What was read of a modality.
        rows: Rows of its source; the receipt counts rows of a person once for each patient.
    """
    if receipt.kind != "events" or receipt.duplicates < max(_FEWEST, _SHARE * rows):
        return []
    share = receipt.duplicates / rows
    text = (
        f"{receipt.duplicates:,} of {rows:,} rows repeat another row in full: was an export appended to "
        "itself, or do files overlap? They count again in how many values a patient has, and in min_count. Export the "
        "rows once"
    )
    return [Finding("rows", receipt.name, text, share)]
