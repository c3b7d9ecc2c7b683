"""The receipt as plain text: what ``gdsfd build`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gdsfd.cohort.receipt.receipt import Drop, Receipt, SourceReceipt
from gdsfd.cohort.receipt.tables import pattern_words
from gdsfd.cohort.receipt.text_table import WIDTH, count_and_share, percent, text_table, wrapped
from gdsfd.errors import shown

__all__ = ["receipt_text"]

MAX_PATTERNS = 12  #: patterns printed; the rest is counted

#: What is counted, where the word in ``receipt.json`` does not go behind a number.
_FITTED = {"width": "numbers"}


def receipt_text(receipt: Receipt, width: int = WIDTH) -> str:
    """A receipt for people.

    What was read, kept and dropped comes first, then who has what, the warnings last. Long texts are wrapped, not cut;
    where only the first of many are listed, the number left out is given. The whole is in ``receipt.json``.

    Args:
        receipt: The receipt.
        width: Columns; no line is longer.
    """
    patients = receipt.cohort.rows_kept
    blocks = [_cohort(receipt, width), _modalities(receipt.modalities, patients, receipt.new, width)]
    if receipt.tables:
        blocks += [part(receipt, width) for part in (_outcome_values, _splits, _presence, _patterns)]
    blocks.append(_warnings(receipt, width))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _cohort(receipt: Receipt, width: int) -> list[str]:
    cohort = receipt.cohort
    who = "new patients, read with a fitted schema," if receipt.new else "patients"
    lines = wrapped(f"COHORT  {cohort.rows_kept:,} {who} {_files(cohort)}", hanging="  ", width=width)
    lines += text_table(
        ["rows", "", ""],
        [
            ["read", f"{cohort.rows_read:,}", ""],
            *(["dropped", f"{drop.rows:,}", _reason(drop)] for drop in cohort.drops),
            ["kept", f"{cohort.rows_kept:,}", ""],
        ],
        left=(0, 2),
        width=width,
    )[1:]
    return [*lines, *_more(cohort, "  ", width)]


def _modalities(modalities: list[SourceReceipt], patients: int, new: bool, width: int) -> list[str]:
    fitted = "as fitted" if new else "fitted on train"
    header = ["modality", "kind", "patients", "rows read", "dropped", "kept", fitted]
    table = text_table(
        header,
        [
            [
                source.name,
                source.kind,
                count_and_share(source.patients, patients),
                f"{source.rows_read:,}",
                f"{source.rows_read - source.rows_kept:,}",
                f"{source.rows_kept:,}",
                ", ".join(f"{size:,} {_FITTED.get(what, what)}" for what, size in source.fitted.items()),
            ]
            for source in modalities
        ],
        left=(0, 1, 6),
        width=width,
    )
    details = []
    for source in modalities:
        details += wrapped(f"{source.name}  {_files(source)}", "  ", "    ", width)
        details += [*(line for drop in source.drops for line in _drop(drop, width)), *_more(source, "    ", width)]
    return [f"MODALITIES  {len(modalities)}", *table, "", *details] if modalities else ["MODALITIES  none"]


def _files(source: SourceReceipt) -> str:
    names = ", ".join(source.source[:3])
    more = f" and {len(source.source) - 3:,} more files" if len(source.source) > 3 else ""
    return f"from {names}{more}" if names else ""


def _reason(drop: Drop) -> str:
    return f"{drop.reason} (e.g. {shown(drop.examples)})" if drop.examples else drop.reason


def _drop(drop: Drop, width: int) -> list[str]:
    rows = "row" if drop.rows == 1 else "rows"
    return wrapped(f"{drop.rows:,} {rows} dropped: {_reason(drop)}", "    ", " " * 6, width)


def _more(source: SourceReceipt, indent: str, width: int) -> Iterator[str]:
    if source.duplicates:
        yield from wrapped(f"{source.duplicates:,} rows repeat another row in full", indent, width=width)
    for note in source.notes:
        yield from wrapped(note, indent, indent + "  ", width)


def _outcome_values(receipt: Receipt, width: int) -> list[str]:
    """What each value of the outcomes' columns counts as."""
    rows = receipt.tables.get("outcome_values", [])
    several = len({row["outcome"] for row in rows}) > 1
    table = [
        [
            f"{row['outcome']}: {_value(row)}" if several else _value(row),
            f"{row['patients']:,}",
            "unlabelled" if row["class"] is None else row["class"],
            "" if row["declared"] else "not declared",
        ]
        for row in rows
    ]
    return (
        ["OUTCOME VALUES", *text_table(["value", "patients", "counts as", ""], table, left=(0, 2, 3), width=width)]
        if rows
        else []
    )


def _value(row: dict[str, Any]) -> str:
    pooled = row.get("pooled")
    return f"{pooled:,} more values" if pooled else "blank" if row["value"] is None else row["value"]


def _splits(receipt: Receipt, width: int) -> list[str]:
    rows = receipt.tables.get("splits", [])
    rates = list(rows[0]["outcome_rate"]) if rows else []
    overlap = receipt.subjects.get("overlap")
    return [
        f"SPLITS  subjects in more than one split: {overlap}",
        *text_table(
            ["split", "patients", "subjects", "labelled", *rates],
            [
                [
                    row["split"],
                    f"{row['patients']:,}",
                    f"{row['subjects']:,}",
                    f"{row['labelled']:,}",
                    *(percent(row["outcome_rate"][name]) for name in rates),
                ]
                for row in rows
            ],
            width=width,
        ),
    ]


def _presence(receipt: Receipt, width: int) -> list[str]:
    """Share of patients with each modality, by split and by class; and in how many environments nobody has it."""
    cells: dict[str, dict[tuple[str, str], str]] = {}
    for row in receipt.tables.get("presence_by_split", []):
        cells.setdefault(row["modality"], {})["", row["split"]] = percent(row["share"])
    for row in receipt.tables.get("presence_by_outcome", []):
        cells.setdefault(row["modality"], {})[row["outcome"], row["class"]] = percent(row["share"])
    absent: dict[str, list[bool]] = {}
    for row in receipt.tables.get("presence_by_environment", []):
        absent.setdefault(row["modality"], []).append(row["count"] == 0)
    number = max(map(len, absent.values()), default=0)
    if any(map(any, absent.values())):
        for modality, flags in absent.items():
            cells[modality]["", f"absent in (of {number:,})"] = f"{sum(flags):,}"
    keys = list(dict.fromkeys(key for row in cells.values() for key in row))
    if not keys:
        return []
    outcomes = list(dict.fromkeys(outcome for outcome, _ in keys if outcome))
    header = [_column(outcome, label, len(outcomes) == 1) for outcome, label in keys]
    rows = [[modality, *(row.get(key, "–") for key in keys)] for modality, row in cells.items()]
    title = "PRESENCE  share of patients who have it, by split"
    title += f" and {' and '.join(outcomes)}" if outcomes else ""
    if number and not any(map(any, absent.values())):
        title += f"; nothing is absent from any of {number:,} environments"
    return [*wrapped(title, hanging="  ", width=width), *text_table(["modality", *header], rows, width=width)]


def _column(outcome: str, label: str, single: bool) -> str:
    if not outcome:
        return label  # a split
    return f"outcome {label}" if single else f"{outcome}={label}"


def _patterns(receipt: Receipt, width: int) -> list[str]:
    rows = receipt.tables.get("patterns", [])
    pooled = sum(row.get("pooled", 0) for row in rows)
    listed = [row for row in rows if row["modalities"] is not None]
    if not listed:
        return []
    names = [source.name for source in receipt.modalities]
    rates = list(listed[0]["outcome_rate"])
    total = len(listed) + pooled
    some = listed[:MAX_PATTERNS]
    head = f"PATTERNS  {total:,} different sets of modalities"
    table = text_table(
        ["patients", "share", *rates, "modalities"],
        [
            [
                f"{row['count']:,}",
                percent(row["share"]),
                *(percent(row["outcome_rate"][name]) for name in rates),
                pattern_words(row["modalities"], names),
            ]
            for row in some
        ],
        left=(2 + len(rates),),
        width=width,
    )
    left_out = sum(row["count"] for row in rows) - sum(row["count"] for row in some)
    tail = [f"  and {total - len(some):,} more patterns of {left_out:,} patients"] if total > len(some) else []
    return [head, *table, *tail]


def _warnings(receipt: Receipt, width: int) -> list[str]:
    if not receipt.findings:
        return ["WARNINGS  none"]
    lines = [f"WARNINGS  {len(receipt.findings)}"]
    for finding in receipt.findings:
        lines += wrapped(f"[{finding.kind}] {finding.where}: {finding.text}", "  ! ", width=width)
    return lines
