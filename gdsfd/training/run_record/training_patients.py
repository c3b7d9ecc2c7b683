"""Whom a model was trained on, as salted hashes: enough to recognise them, too little to read their ids off."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_geometric.data import HeteroData

from gdsfd.errors import InputError

__all__ = ["ROLES", "TrainingPatients", "hashed", "is_new"]

Hashes = NDArray[np.uint64]

#: What patients of a run were for; the two splits that a model has seen.
ROLES = ("train", "tuning")
#: What is hashed of each: the patient's id and the person's.
KINDS = ("id", "subject")


@dataclass(frozen=True)
class TrainingPatients:
    """Salted hashes of the ids of a run's training and tuning patients, and of the persons they belong to.

    Hashes are 64 bits of BLAKE2b with the run's salt as its key. They cannot be read backwards, but ids that can be
    guessed (counters, say) can be tried one by one: treat a run's folder as data about its patients.

    Args:
        salt: The key, hexadecimal, drawn anew for each run.
        hashes: ``(role, kind)`` -> sorted hashes of the ids as written.
        plain: The same of the ids in plain writing (blanks, case, leading zeros and ``.0`` taken off), by which
            patients are known when another export writes all ids differently.
        subject_is_id: Whether the cohort had no subject but the patient's id.
    """

    salt: str
    hashes: Mapping[tuple[str, str], Hashes]
    plain: Mapping[tuple[str, str], Hashes]
    subject_is_id: bool

    @classmethod
    def of(cls, graph: HeteroData) -> TrainingPatients:
        """Those of a graph's splits ``train`` and ``tuning``."""
        patient, salt = graph["patient"], secrets.token_hex(16)
        split = np.asarray(patient.split, dtype=object)
        listed = {"id": patient.id, "subject": patient.subject}
        hashes: dict[tuple[str, str], Hashes] = {}
        plain: dict[tuple[str, str], Hashes] = {}
        for role in ROLES:
            rows = np.flatnonzero(split == role)
            for kind in KINDS:
                words = {str(listed[kind][row]) for row in rows}
                hashes[role, kind] = np.unique(hashed(words, salt, kind))
                plain[role, kind] = np.unique(hashed({_plainly(word) for word in words}, salt, kind))
        return cls(salt, hashes, plain, _same(patient))

    def roles(self, graph: HeteroData) -> NDArray[np.str_]:
        """What each of a graph's patients was for this run: ``train``, ``tuning``, or nothing; [N].

        Ids are compared with ids and persons with persons. Persons are left out where only one of the two cohorts has
        them, as their numbers are then others. In the cohort that was trained on, where ``7`` and ``007`` may be two
        patients, the plain writing decides only where no id matches as written; of new patients, some of whose ids
        another export may have changed, wherever an id does not.
        """
        found = self._matched(graph, self.hashes, str)
        if (found != "").any() and not is_new(graph):
            return found
        return np.where(found != "", found, self._matched(graph, self.plain, _plainly))

    def compares(self, graph: HeteroData) -> str:
        """What :meth:`roles` goes by for a graph: ``id and person`` or ``id``."""
        return "id and person" if _same(graph["patient"]) == self.subject_is_id and not self.subject_is_id else "id"

    def _matched(self, graph: HeteroData, hashes: Mapping[tuple[str, str], Hashes], writing: Any) -> NDArray[np.str_]:
        patient = graph["patient"]
        result = np.full(len(patient.id), "", dtype="U6")
        kinds = KINDS if _same(patient) == self.subject_is_id else KINDS[:1]
        for kind in kinds:
            words = patient.id if kind == "id" else patient.subject
            own = hashed([writing(str(word)) for word in words], self.salt, kind)
            for role in reversed(ROLES):  # who was both (which the splits rule out) counts as trained on
                # numpy 2.0's other way overflows where the hashes of a few patients lie near each other
                result[np.isin(own, hashes[role, kind], kind="sort")] = role
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored beside the salt."""
        sets = (("", self.hashes), ("plain.", self.plain))
        return {f"{prefix}{role}.{kind}": own for prefix, each in sets for (role, kind), own in each.items()}

    @classmethod
    def from_arrays(
        cls, salt: Any, subject_is_id: Any, arrays: Mapping[str, NDArray[Any]], where: str
    ) -> TrainingPatients:
        """Reads what was stored.

        Raises:
            InputError: An array is missing or of another kind, or the salt is no text.
        """
        found: list[dict[tuple[str, str], Hashes]] = []
        for prefix in ("", "plain."):
            own = {(role, kind): arrays.get(f"{prefix}{role}.{kind}") for role in ROLES for kind in KINDS}
            if any(each is None or each.dtype != np.uint64 or each.ndim != 1 for each in own.values()):
                raise InputError(f"{where}: damaged (no hashes of training patients); copy the folder again")
            found.append({key: each for key, each in own.items() if each is not None})
        if not isinstance(salt, str) or not 16 <= len(salt) <= 64 or not isinstance(subject_is_id, bool):
            raise InputError(f"{where}: damaged (no salt); copy the folder again")
        return cls(salt, found[0], found[1], subject_is_id)


def is_new(graph: HeteroData) -> bool:
    """Whether a graph is of patients read with an earlier schema."""
    receipt = graph.receipt if "receipt" in graph else None
    return bool(receipt is not None and receipt.new)


def hashed(words: Sequence[str] | set[str], salt: str, kind: str) -> Hashes:
    """Hashes of texts with a run's salt.

    Args:
        words: The texts.
        salt: The salt.
        kind: What the texts are: those of different kinds have different hashes.
    """
    key = f"{salt}{kind}".encode()[:64]
    digests = (hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8, key=key) for word in words)
    return np.array([int.from_bytes(digest.digest(), "big") for digest in digests], dtype=np.uint64)


def _plainly(word: str) -> str:
    """An id without what exports add or take away: blanks, case, leading zeros, a decimal part of zeros.

    Example:
        >>> _plainly(" 007.0"), _plainly("A 12")
        ('7', 'a12')
    """
    text = "".join(word.split()).casefold()
    whole, dot, rest = text.partition(".")
    if dot and whole.isdigit() and rest.strip("0") == "":
        text = whole
    return text.lstrip("0") or text


def _same(patient: Any) -> bool:
    """Whether every patient counts as a person of their own; a blank subject reads ``id <patient's id>``."""
    pairs = zip(map(str, patient.id), map(str, patient.subject))
    return all(person in (own, f"id {own}") for own, person in pairs)
