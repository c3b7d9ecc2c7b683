"""Ids of a modality that are not the cohort's, but would be in another spelling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gdsfd.cohort.keys.key_forms import NearKeys, pairs_shown
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.errors import InputError

__all__ = ["check_near_ids"]


def check_near_ids(
    unknown: Iterable[str], modality: ModalitySpec, label: str, ids: Sequence[str], cohort_label: str
) -> None:
    """Raises an InputError where ids that no patient has differ from a patient's only as tools write them differently.

    One such id is enough: its rows would be lost, and only the user knows whether it is that patient or another.

    Args:
        unknown: Ids of the modality that the cohort has not, each once.
        modality: The spec's entry.
        label: Its source.
        ids: The patients' ids.
        cohort_label: The cohort's source.
    """
    pairs = NearKeys(ids).pairs(unknown)
    if pairs:
        raise InputError(
            f"ids of modality {modality.name!r} (column {modality.id!r} of {label}) and of the cohort ({cohort_label}) "
            f"differ only in their spelling: {pairs_shown(pairs)}, {len(pairs)} in all. Spreadsheets and DataFrames "
            f"write ids anew; export them as text in both files, or convert one of them in the spec: "
            f"{_way_out(*pairs[0], modality.id)}. Rows of other patients can be left out with where"
        )


def _way_out(key: str, near: str, column: str) -> str:
    """SQL that turns the modality's spelling into the cohort's, as far as a guess goes."""
    if _plain_integer(near):
        return f'derive = {{{column} = "CAST({column} AS BIGINT)"}}'
    if _plain_integer(key) and near.isdigit():
        return f"derive = {{{column} = \"lpad(CAST({column} AS VARCHAR), {len(near)}, '0')\"}}"
    if _plain_integer(key):
        return 'in [cohort], derive = {... = "CAST(... AS BIGINT)"} of its id'
    if near in (key.lower(), key.upper()):
        return f'derive = {{{column} = "{"lower" if near == key.lower() else "upper"}({column})"}}'
    return f'derive = {{{column} = "..."}}'


def _plain_integer(key: str) -> bool:
    return key.isascii() and key.isdigit() and (key == "0" or not key.startswith("0"))
