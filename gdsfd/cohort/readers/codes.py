"""Reading a modality of kind ``codes``: many rows per patient, together a set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import CodeObservations
from gdsfd.cohort.columns.missing_codes import held_in_rows
from gdsfd.cohort.keys.key_cells import MAX_CHARACTERS
from gdsfd.cohort.keys.key_forms import spelling_form
from gdsfd.cohort.keys.new_keys import judge_new_keys
from gdsfd.cohort.keys.signs_left_out import find_signs_left_out
from gdsfd.cohort.keys.spelling_findings import find_spellings, find_spellings_of_missing
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.readers.code_sets import TokenSets
from gdsfd.cohort.readers.matched_rows import PATIENT, MatchedRows, match_rows
from gdsfd.cohort.readers.numbering import NUMBER, number_texts
from gdsfd.cohort.receipt.receipt import SourceReceipt
from gdsfd.cohort.schema import CODE_RARE, CODE_UNNAMED, ModalityFields
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import is_declared_missing
from gdsfd.cohort.spec import CodesSpec
from gdsfd.errors import InputError, cell_text, shown

__all__ = ["codes_in_cell", "read_codes"]

_ROWS = 1 << 20  #: of patients' cells, at a time


def read_codes(
    modality: CodesSpec, view: View, cohort: CohortRows, sources: Sources, like: ModalityFields | None = None
) -> tuple[CodeObservations, ModalityFields, SourceReceipt]:
    """Reads one code modality. A row with a blank code is kept as "there is a record" (CODE_UNNAMED).

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: Where tables are opened.
        like: A fitted vocabulary to use instead of fitting.

    Raises:
        InputError: A missing column, an unreadable time, nothing left.
    """
    field = f"code of modality {modality.name!r}"
    column = view.require(modality.code, field)
    numbered, cells = number_texts(view, column, sources, field=field if modality.split_on is None else None)
    rows = match_rows(modality, view, cohort, sources, source=numbered)
    before, declared = rows.pending_view, f"{column} is declared missing"
    if modality.missing:
        rows.drop_where(is_declared_missing(rows.table[column], modality.missing), declared)
    dropped = rows.materialize({"number": rows.table[NUMBER]})
    if like is None and modality.missing:
        seen = held_in_rows(before, column, modality.missing, dropped.get(declared, 0), rows.fetch)
        rows.declared_missing.note(modality.name, modality.missing, seen)
    sets, names = _token_sets(rows, cells, modality)
    with rows.database.reading(view.label):
        patient, token_ptr, token = sets.finish()
    receipt = rows.receipt(len(patient), must_have_rows=like is None)
    fields = like or _fit(sets.patients_in_train, names, modality)
    code_of = {name: position + 2 for position, name in enumerate(fields.codes)}
    codes = np.array([CODE_UNNAMED if name is None else code_of.get(name, CODE_RARE) for name in names], dtype=np.int64)
    with rows.database.reading(view.label):
        ptr, code = sets.as_codes(token_ptr, token, codes)
    receipt.fitted = {"codes": len(fields.codes)}
    counts = {name: int(count) for name, count in zip(names, sets.frequency) if name is not None}
    if like is None:
        rows.findings += find_spellings(modality.name, counts, "codes", spelling_form)
        rows.findings += find_signs_left_out(modality.name, counts, counts, "codes")
        rows.findings += find_spellings_of_missing(modality.name, counts, "codes", modality.missing)
        rare = len(names) - names.count(None) - len(fields.codes)
        if rare:
            receipt.notes.append(
                f"{rare} of {rare + len(fields.codes)} distinct codes are rare in train and share one code"
            )
    else:
        rows.findings += judge_new_keys(
            modality.name, counts, fields.codes, "codes", column=modality.code, codes=True, trained=fields.code_counts
        )
        new = sorted(name for name in names if name is not None and name not in code_of)
        if new:
            receipt.notes.append(
                f"{len(new)} of {len(names) - names.count(None)} distinct codes were rare in training or not there "
                f"and share one code ({shown(new)})"
            )
    return CodeObservations(patient, ptr, code), fields, receipt


def codes_in_cell(cell: str, split_on: str | None = None, separator: str | None = None) -> list[str]:
    """The codes that one cell contributes.

    Args:
        cell: The cell.
        split_on: What separates several codes.
        separator: What separates the levels of a hierarchical code; ancestors count as codes too.

    Example:
        >>> codes_in_cell("a|b|c", separator="|")
        ['a', 'a|b', 'a|b|c']
        >>> codes_in_cell("401.9, I10", split_on=",")
        ['401.9', 'I10']
    """
    codes = [part.strip() for part in cell.split(split_on)] if split_on else [cell]
    codes = [code for code in codes if code]
    if separator is None:
        return codes
    levels = [[level.strip() for level in code.split(separator)] for code in codes]
    return list(dict.fromkeys(separator.join(parts[: depth + 1]) for parts in levels for depth in range(len(parts))))


def _token_sets(rows: MatchedRows, cells: list[str], modality: CodesSpec) -> tuple[TokenSets, list[str | None]]:
    """Every patient's tokens, and the names of tokens; a blank cell has the number after those of ``cells``."""
    used = rows.fetch(rows.table.select("number").distinct())["number"].fill_null(len(cells)).to_numpy()
    used = np.sort(used.astype(np.int64))
    cell_ptr, tokens, names = _tokens(used, cells, modality)
    place = np.zeros(len(cells) + 1, np.int64)
    place[used] = np.arange(len(used))
    sets = TokenSets(cell_ptr, tokens, len(names), rows.cohort.train, rows.database.folder)
    pairs = rows.table.select("number", patient=PATIENT).distinct().order_by("patient")
    with rows.database.reading(rows.view.label):
        for batch in rows.database.batches(pairs, _ROWS):
            cell = batch["number"].fill_null(len(cells)).to_numpy(zero_copy_only=False)
            sets.add(batch["patient"].to_numpy(zero_copy_only=False).astype(np.int64), place[cell])
    return sets, names


def _tokens(
    used: NDArray[np.int64], cells: list[str], modality: CodesSpec
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str | None]]:
    """What each of some cells contributes: pointers, numbers of tokens, and their names; None is the blank code."""
    number_of: dict[str | None, int] = {}
    contributed: list[list[int]] = []
    for number in used:
        found: list[str | None] = []
        if number < len(cells):
            found = [*codes_in_cell(cells[number], modality.split_on, modality.separator)]
        endless = next((code for code in found if code is not None and len(code) > MAX_CHARACTERS), None)
        if endless is not None:
            raise InputError(
                f"modality {modality.name!r}: a cell of {modality.code!r} split on {modality.split_on!r} gives the "
                f"code {cell_text(endless)}; expected at most {MAX_CHARACTERS:,} characters. Check split_on"
            )
        contributed.append([number_of.setdefault(code, len(number_of)) for code in found or [None]])
    cell_ptr = np.concatenate([[0], np.cumsum([len(numbers) for numbers in contributed])]).astype(np.int64)
    flat = np.array([number for numbers in contributed for number in numbers], dtype=np.int64)
    return cell_ptr, flat, list(number_of)


def _fit(counts: NDArray[np.int64], names: list[str | None], modality: CodesSpec) -> ModalityFields:
    """The vocabulary: codes of enough train patients (``counts`` by token), most frequent first, ties by name."""
    frequent = [
        (name, int(counts[number]))
        for number, name in enumerate(names)
        if name is not None and counts[number] >= modality.min_count
    ]
    frequent.sort(key=lambda pair: (-pair[1], pair[0]))
    frequent = frequent[: modality.max_codes]
    return ModalityFields(
        modality.name,
        "codes",
        codes=tuple(name for name, _ in frequent),
        code_counts=tuple(count for _, count in frequent),
    )
