"""Sets of codes of patients, taken a bounded piece of sorted rows at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.packing import pieces_of_runs, pointers, spread
from gdsfd.large_arrays import GrowingArray

__all__ = ["TokenSets"]

Ints = NDArray[np.int64]


class TokenSets:
    """Takes patients' cells in pieces, each cell one or more tokens, and packs every patient's tokens, each once.

    Args:
        cell_ptr: The tokens of cell ``c`` are ``tokens[cell_ptr[c]:cell_ptr[c + 1]]``; [C + 1].
        tokens: Numbers of tokens; [sum of their lengths].
        count: Number of different tokens T.
        train: Whether each patient trains; bool [N].
        folder: Where sets lie that are too many for memory (:mod:`gdsfd.large_arrays`).

    Attributes:
        frequency: How often each token came; int64 [T].
        patients_in_train: Training patients with each token; int64 [T].
    """

    def __init__(self, cell_ptr: Ints, tokens: Ints, count: int, train: NDArray[np.bool_], folder: Path) -> None:
        self._cell_ptr, self._tokens, self._count, self._train = cell_ptr, tokens, count, train
        self._folder = folder
        self._held = np.zeros(0, np.int64), np.zeros(0, np.int64)  # of the last patient, who may go on
        self._patient: list[Ints] = []
        self._lengths: list[Ints] = []
        self._packed = GrowingArray(np.int32, folder=folder)
        self.frequency = np.zeros(count, np.int64)
        self.patients_in_train = np.zeros(count, np.int64)

    def add(self, patient: Ints, cell: Ints) -> None:
        """Takes the next rows; the whole stream is sorted by patient.

        Args:
            patient: Row of the cohort; [n].
            cell: Number of the cell; [n].

        Raises:
            OSError: The disk has no room for the sets.
        """
        patient, cell = (np.concatenate(pair) for pair in zip(self._held, (patient, cell)))
        if not len(patient):
            return
        whole = int(np.searchsorted(patient, patient[-1], side="left"))
        self._take(patient[:whole], cell[:whole])
        self._held = patient[whole:], cell[whole:]

    def finish(self) -> tuple[Ints, Ints, NDArray[np.int32]]:
        """Patients [E], pointers [E + 1] and the tokens of each, ascending; [M]."""
        self._take(*self._held)
        self._held = self._held[0][:0], self._held[1][:0]
        ptr = np.cumsum(np.concatenate([np.zeros(1, np.int64), *self._lengths]))
        return np.concatenate([self._held[0], *self._patient]), ptr, self._packed.finish()

    def _take(self, patient: Ints, cell: Ints) -> None:
        owner, position = spread(self._cell_ptr, cell)
        token = self._tokens[position]
        self.frequency += np.bincount(token, minlength=self._count)
        patient, token = np.divmod(np.unique(patient[owner] * self._count + token), self._count)
        self.patients_in_train += np.bincount(token[self._train[patient]], minlength=self._count)
        owner, ptr = pointers(patient)
        self._patient.append(owner)
        self._lengths.append(np.diff(ptr))
        self._packed.append(token)

    def as_codes(self, ptr: Ints, token: NDArray[np.int32], codes: Ints) -> tuple[Ints, NDArray[np.int32]]:
        """The sets with a code in place of each token, several tokens to a code.

        Args:
            ptr, token: The sets.
            codes: Of each token its code; [T].

        Returns:
            Pointers and codes, ascending and distinct within a patient.

        Raises:
            OSError: The disk has no room for them.
        """
        packed, lengths = GrowingArray(np.int32, folder=self._folder), [np.zeros(1, np.int64)]
        many = int(codes.max(initial=0)) + 1
        for first, last in pieces_of_runs(ptr):
            run = np.repeat(np.arange(last - first), np.diff(ptr[first : last + 1]))
            own = codes[token[int(ptr[first]) : int(ptr[last])]]
            run, own = np.divmod(np.unique(run * many + own), many)
            packed.append(own)
            lengths.append(np.bincount(run, minlength=last - first))
        return np.cumsum(np.concatenate(lengths)), packed.finish()
