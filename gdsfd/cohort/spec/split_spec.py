"""SplitSpec: who trains, who tunes, who tests."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from gdsfd.cohort.patients.split_kind import SPLIT_KINDS
from gdsfd.cohort.spec.field_types import SpecFields, as_texts
from gdsfd.cohort.spec.numbers import Folds, Seed, Share, short
from gdsfd.errors import near_names

__all__ = ["SplitSpec"]

_OWN_KINDS = "gdsfd.cohort.patients.split"  #: the module that declares the package's own kinds


class SplitSpec(SpecFields):
    """Who trains, who tunes, who tests. All patients of a subject are in one split.

    With ``like`` (new patients for a trained model) nobody trains: all are the evaluation set ``new``, unless ``kind``
    is ``column`` and the column is there.

    Args:
        kind: ``subject`` (random, stratified by outcome), ``environment`` (``holdout`` is the test set), ``time`` (the
            latest subjects are the test set), ``column`` (a column of the cohort table says it), or a plug-in's
            (:mod:`gdsfd.cohort.patients.split_kind`).
        fractions: Shares of train, tuning and test, from 0 to 1; train above 0.
        seed: Of the random assignment, from 0 to 4,294,967,295.
        column: For ``time`` a column of numbers or timestamps; for ``column`` one whose values are split names. With
            another kind it is refused, as nothing would be made of it; so is ``holdout``.
        holdout: For ``environment``: the environments of the test set.
        folds: Subject-grouped, stratified cross-validation: the number of folds, from 2 to 1,000.
        fold: Which of them is the test set, ``0 .. folds - 1``; the rest is shared by train and tuning.
    """

    kind: str = "subject"
    fractions: tuple[Share, Share, Share] = (0.7, 0.1, 0.2)
    seed: Seed = 0
    column: str | None = None
    holdout: Annotated[list[str], BeforeValidator(as_texts)] = Field(default=[])
    folds: Folds | None = None
    fold: Seed = 0

    @field_validator("kind")
    @classmethod
    def _kind_is_declared(cls, kind: str) -> str:
        if kind not in SPLIT_KINDS:
            known = SPLIT_KINDS.names()
            raise ValueError(f"expected one of {list(known)}, got {kind!r}.{near_names(kind, known)}")
        return kind

    @model_validator(mode="after")
    def _fields_fit_the_kind(self) -> SplitSpec:
        if min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-6 or self.fractions[0] == 0:
            raise ValueError(
                f"fractions: expected three shares (train, tuning, test) that add up to 1, got {list(self.fractions)}"
            )
        kind = SPLIT_KINDS.find(self.kind)
        if kind.needs_column and self.column is None:
            raise ValueError(f"kind {self.kind!r} needs 'column'")
        if kind.needs_holdout and not self.holdout:
            raise ValueError(f"kind {self.kind!r} needs 'holdout', the environments of the test set")
        if self.folds is not None and not kind.takes_folds:
            raise ValueError(f"folds go with kind 'subject', got kind {self.kind!r}")
        self._no_field_is_passed_over()
        if self.folds is not None and self.fold >= self.folds:
            raise ValueError(f"fold: expected 0 .. {self.folds - 1}, got {self.fold}")
        return self

    def _no_field_is_passed_over(self) -> None:
        """Refuses what the kind would not look at: ``column`` without ``kind``, say, would be a random split unsaid.

        Raises:
            ValueError: Names the field and the kinds that it goes with.
        """
        if self.fold and self.folds is None:
            raise ValueError(f"fold: got {self.fold} without 'folds', the number of them")
        kind = SPLIT_KINDS.find(self.kind)
        if kind.declared_in != _OWN_KINDS:
            return  # a plug-in's kind may take either where it is there
        if self.column is not None and not kind.needs_column:
            raise ValueError(
                f'kind {self.kind!r} would not look at column {self.column!r}; write kind = "column" where its values '
                'are names of splits, kind = "time" where it is a time, or leave it out'
            )
        if self.holdout and not kind.needs_holdout:
            raise ValueError(
                f'kind {self.kind!r} would not look at holdout {short(self.holdout)}; write kind = "environment", or '
                "leave it out"
            )
