"""Levels, items, codes, sites, groups and persons that are probably one, but are written in two ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gdsfd.cohort.keys.key_forms import NearKeys, pairs_shown, plain_form, spelling_form
from gdsfd.cohort.keys.spellings import reads_as_missing
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.spec import SplitSpec
from gdsfd.errors import InputError, cell_text

__all__ = ["check_holdout", "find_spellings", "find_spellings_of_missing", "find_spellings_of_subjects", "find_unknown"]


def find_spellings(
    where: str, counts: Mapping[str, int], noun: str, form: Callable[[str], str] = plain_form
) -> list[Finding]:
    """A finding where some keys are one but for their spelling.

    Args:
        where: For the receipt: ``"labs.unit"``.
        counts: Rows or patients by key.
        noun: What the keys are, in the plural: ``"levels"``.
        form: What two spellings of one key have in common. For codes
            :func:`~gdsfd.cohort.keys.key_forms.spelling_form`: ``042`` and ``42``, ``250`` and ``250.0``
            are different diagnoses.
    """
    pairs = _alike(counts, form)
    if not pairs:
        return []
    rarer = sum(counts[key] for key, _ in pairs)
    text = (
        f"{len(pairs)} of {len(counts)} {noun} are written like another but for {_difference(form)}: "
        f"{pairs_shown(pairs)} ({rarer:,} rows in the rarer spelling). They count as different {noun}; where they "
        "are one, write them alike with derive"
    )
    return [Finding("spelling", where, text, float(len(pairs)))]


def find_spellings_of_missing(
    where: str, counts: Mapping[str, int], noun: str, missing: Iterable[object]
) -> list[Finding]:
    """A finding where a key differs from a value declared missing in its spelling only, and so counts as measured.

    Args:
        where: For the receipt.
        counts: Rows by key.
        noun: What the keys are, in the plural.
        missing: The declared values.
    """
    declared = [value.strip() for value in missing if isinstance(value, str)]
    near = NearKeys(declared, spelling_form)
    pairs = [pair for pair in near.pairs(counts) if pair[0] not in declared]
    if not pairs:
        return []
    rows = sum(counts[key] for key, _ in pairs)
    text = (
        f"{rows:,} cells differ from a value declared missing in case or blanks only: {pairs_shown(pairs)}. They count "
        f"as {noun}; list them under missing, too, where they are"
    )
    return [Finding("spelling", where, text, float(rows))]


def find_unknown(where: str, counts: Mapping[str, int], noun: str, blank: int = 0) -> list[Finding]:
    """A finding where several environments or groups each say that it is not known.

    Args:
        where: The column, for the receipt.
        counts: Patients by name, blanks under the name that they get.
        noun: What the names are, in the plural: ``"environments"``.
        blank: How many patients have a blank.

    Example:
        >>> [each.value for each in find_unknown("ward", {"A": 9, "NA": 3, "Unknown": 2}, "environments")]
        [2.0]
    """
    words = sorted((name for name in counts if reads_as_missing(name)), key=lambda name: (-counts[name], name))
    if len(words) < 2:
        return []
    listed = ", ".join(f"{cell_text(word)} ({counts[word]:,} patients)" for word in words)
    blanks = f"; {blank:,} cells are blank" if blank else ""
    text = (
        f"{len(words)} {noun} say that it is not known: {listed}{blanks}. They count as different {noun}; where they "
        "mean the same, write them alike with cohort.derive"
    )
    return [Finding("spelling", where, text, float(len(words)))]


def find_spellings_of_subjects(
    subject: Sequence[str], split: Sequence[str], column: str, show_ids: bool = False
) -> list[Finding]:
    """A finding where persons are one but for their spelling, worst where they stand in different splits.

    Args:
        subject: The person of each patient; [N].
        split: Each patient's split; [N].
        column: The column that names the persons.
        show_ids: Whether the finding names some.
    """
    splits = dict(zip(subject, split))
    pairs = _alike(dict.fromkeys(splits, 1), plain_form)
    if not pairs:
        return []
    straddling = [pair for pair in pairs if splits[pair[0]] != splits[pair[1]]]
    text = f"{len(pairs)} persons (column {column!r}) are called like another but for {_difference(plain_form)}"
    if show_ids:
        text += f": {pairs_shown(straddling or pairs)}"
    if straddling:
        text += (
            f". {len(straddling)} of these pairs stand in different splits: where they are one person, patients of "
            "training are judged on as if they were new"
        )
    return [Finding("leakage", column, f"{text}. Write the persons' names alike with cohort.derive", float(len(pairs)))]


def check_holdout(split: SplitSpec, environment: Sequence[str]) -> None:
    """Raises an InputError where an environment differs from a held-out one in its spelling only.

    Args:
        split: The spec's split.
        environment: Each patient's environment; [N].
    """
    near = NearKeys(split.holdout)
    pairs = [(name, held) for name, held in near.pairs(set(environment)) if name not in split.holdout]
    if pairs:
        present = set(environment)
        held_too = any(held in present for _, held in pairs)
        raise InputError(
            f"split.holdout: environments differ from those held out only by {_difference(plain_form)}: "
            f"{pairs_shown(pairs)}. "
            + (
                "Where they are one, its patients would be trained on and judged on; list both under holdout, or write "
                "them alike with cohort.derive"
                if held_too
                else f"Write {cell_text(pairs[0][0])} under holdout, if it is meant"
            )
        )


def _alike(counts: Mapping[str, int], form: Callable[[str], str]) -> list[tuple[str, str]]:
    """Each rarer spelling with the most frequent one of its form, by name."""
    groups: dict[str, list[str]] = {}
    for key in counts:
        groups.setdefault(form(key), []).append(key)
    pairs = []
    for keys in groups.values():
        if len(keys) > 1:
            first, *others = sorted(keys, key=lambda key: (-counts[key], key))
            pairs += [(other, first) for other in others]
    return sorted(pairs)


def _difference(form: Callable[[str], str]) -> str:
    return "case or blanks" if form is spelling_form else "case, blanks, zeros, '.0' or the like"
