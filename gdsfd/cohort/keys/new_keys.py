"""Levels, items and codes of new patients beside those that a model was fitted with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gdsfd.cohort.keys.key_forms import NearKeys, pairs_shown, spelling_form
from gdsfd.cohort.keys.signs_left_out import find_signs_left_out
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import InputError, cell_text, shown

__all__ = ["judge_new_keys"]

LEAST = 5  #: rows that are needed for a warning
MOST_UNSEEN = 0.5  #: share of rows with unknown keys that is told as a warning
MOST_UNSEEN_LEVELS = 0.2  #: the same of a column's levels, which are few
EXPECTED = 20  #: rows that a known key would have, from which on it is told that it has none
_USUAL = 0.1  #: of the rows of the most frequent key: what is rarer in training is not missed
#: Unknown codes that are numbers near to a known one, from which on they are taken for the same, written otherwise.
_NEAR_CODES, _NEAR_SHARE = 5, 0.2


def judge_new_keys(
    where: str,
    counts: Mapping[str, int],
    known: Collection[str],
    noun: str,
    *,
    column: str,
    codes: bool = False,
    trained: Sequence[int] = (),
) -> list[Finding]:
    """Refuses keys that would be known in another spelling, and warns where many are unknown, or usual ones are gone.

    A key that is near to a known one which occurs here, too, may be another: the source tells them apart. Numbers as
    codes may differ in zeros only (``042`` and ``42``), so a few of them are told, not refused.

    Args:
        where: For messages: ``"labs.unit"``.
        counts: Rows of these patients by key.
        known: The fitted keys.
        noun: What the keys are, in the plural: ``"levels"``.
        column: The column that holds them.
        codes: Whether they are codes.
        trained: How often training had each of the known; nothing where that is not known.

    Returns:
        Warnings.

    Raises:
        InputError: Keys that are known in another spelling only.
    """
    fitted = set(known)
    unknown = [key for key in counts if key not in fitted]
    if not fitted:
        return []
    gone = _gone(where, counts, dict(zip(known, trained)), noun, unknown)
    if not unknown:
        return gone
    pairs = NearKeys(known).pairs(unknown)
    alone = [pair for pair in pairs if pair[1] not in counts]
    spelled = [pair for pair in alone if spelling_form(pair[0]) == spelling_form(pair[1])]
    enough = len(alone) >= min(_NEAR_CODES, _NEAR_SHARE * len(counts)) and len(alone) > 2 * (len(pairs) - len(alone))
    if spelled or (alone and (not codes or enough)):
        raise InputError(
            f"{where}: {len(alone)} {noun} (column {column!r}) are not among those of the fitted schema, but would be "
            f"but for their spelling: {pairs_shown(spelled or alone)}. Spreadsheets and DataFrames write numbers and "
            f"texts anew; export the column as text as in training, or write them alike in the spec: derive = "
            f'{{{column} = "..."}}'
        )
    findings = []
    if pairs:
        rows = sum(counts[key] for key, _ in pairs)
        text = (
            f"{len(pairs)} {noun} that were rare in training or not there ({rows:,} rows) are written like known ones "
            f"but for case, blanks, zeros, '.0' or the like: {pairs_shown(pairs)}. They count as unseen; where they "
            "are the same, write them alike with derive"
        )
        findings.append(Finding("spelling", where, text, float(len(pairs))))
    findings += find_signs_left_out(where, {key: counts[key] for key in unknown}, fitted, noun) if codes else []
    total, unseen = sum(counts.values()), sum(counts[key] for key in unknown)
    most = MOST_UNSEEN_LEVELS if noun == "levels" else MOST_UNSEEN
    if total >= LEAST and unseen > most * total:
        frequent = sorted(unknown, key=lambda key: (-counts[key], key))
        who = "none of them is known" if len(unknown) == len(counts) else f"{len(unknown)} of {len(counts)} are unknown"
        text = (
            f"{unseen:,} of {total:,} rows hold {noun} that were rare in training or not there, and {who} "
            f"({shown(frequent, 3)}; training had {shown(known, 3)}): "
            "another code system, language or version of the export? The model sees next to nothing of them"
        )
        return [*findings, Finding("unseen", where, text, unseen / total)]
    return findings + gone


def _gone(
    where: str, counts: Mapping[str, int], trained: Mapping[str, int], noun: str, unknown: Sequence[str]
) -> list[Finding]:
    """A finding where keys that training had often stand in no row: written otherwise, or left blank, here."""
    total, rows = sum(trained.values()), sum(counts.values())
    usual = max([_USUAL * max(trained.values(), default=0), EXPECTED * total / max(rows, 1)])
    gone = sorted(
        (key for key, count in trained.items() if key not in counts and count >= usual > 0),
        key=lambda key: (-trained[key], key),
    )
    if not gone:
        return []
    listed = ", ".join(f"{cell_text(key)} ({trained[key]:,} there)" for key in gone[:5])
    more = f" and {len(gone) - 5} more" if len(gone) > 5 else ""
    frequent = sorted(unknown, key=lambda key: (-counts[key], key))
    instead = f", which have {shown(frequent, 3)} instead" if frequent else ""
    text = (
        f"of the {noun} that are usual in training these stand in none of the {rows:,} rows{instead}: {listed}{more}. "
        "Are they written otherwise here, or left blank? The model takes it that nobody has them"
    )
    return [Finding("unseen", where, text, float(len(gone)))]
