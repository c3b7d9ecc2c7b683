"""From a spec to a cohort."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from gdsfd.cohort.amounts_to_read import amounts_to_read
from gdsfd.cohort.checks.absent_at_places import find_absent_at_places
from gdsfd.cohort.checks.absent_columns import find_absent_columns
from gdsfd.cohort.checks.cut_off import find_cut_off
from gdsfd.cohort.checks.doubles import find_doubles
from gdsfd.cohort.checks.empty_hours import find_empty_hours
from gdsfd.cohort.checks.follow_up_at_places import find_follow_up_at_places
from gdsfd.cohort.checks.leakage import find_leaks
from gdsfd.cohort.checks.one_class_places import find_one_class_places
from gdsfd.cohort.checks.other_times import find_other_times
from gdsfd.cohort.checks.other_vectors import find_other_vectors
from gdsfd.cohort.checks.ranges import find_other_ranges
from gdsfd.cohort.checks.repeated_rows import find_repeated_rows
from gdsfd.cohort.checks.same_vectors import find_same_vectors
from gdsfd.cohort.checks.units import find_two_units
from gdsfd.cohort.checks.untimed import find_untimed
from gdsfd.cohort.checks.unused_columns import find_unused
from gdsfd.cohort.cohort import Cohort, Observations
from gdsfd.cohort.modality_kind import MODALITY_KINDS
from gdsfd.cohort.patients.cohort_table import read_cohort_table
from gdsfd.cohort.readers.fitted_reading import read_as_fitted, reading_of
from gdsfd.cohort.receipt.receipt import Finding, Receipt, SourceReceipt
from gdsfd.cohort.receipt.tables import fill_tables
from gdsfd.cohort.schema import CohortSchema, ModalityFields
from gdsfd.cohort.sources.engines import checked_engine
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec import CohortSpec, SurvivalSpec
from gdsfd.cohort.spec.column_needs import needs_of_spec
from gdsfd.errors import SchemaError
from gdsfd.progress_bar import progress_bar

__all__ = ["build_cohort", "fitted_by_name"]


def build_cohort(
    spec: CohortSpec,
    like: CohortSchema | None = None,
    progress: bool | None = None,
    *,
    scratch: Path | None = None,
    show_ids: bool = False,
    engine: Any = None,
    master: str | None = None,
) -> Cohort:
    """Reads the exports that a spec names.

    Args:
        spec: The spec.
        like: Take columns, vocabularies, levels, items and scales from this fitted schema instead of fitting them, so
            that a trained model can read the result. Nobody is then trained on: all patients are the evaluation set
            ``new`` (or the evaluation sets of the spec's split column). They may be unlabelled, modalities may be
            empty, and the columns of subject, environment, groups and split may be missing.
        progress: Show a progress bar; default: on a terminal only.
        scratch: Folder for the database while exports are read; default: a private one among temporary files.
        show_ids: Name patients in the receipt: up to five of those whose rows were dropped, per reason, and some in
            warnings of keys that do not match.
        engine: ``"duckdb"``, ``"spark"`` or a Spark session; default: what the spec says. The cohort is the same.
        master: Where Spark runs (:func:`~gdsfd.cohort.spark.session.spark_session`).

    Returns:
        The cohort with its receipt.

    Raises:
        InputError: The exports are not as the spec says; the message names file, column, rows and what to do.
        SchemaError: The spec and ``like`` do not fit together.
    """
    fitted = fitted_by_name(spec, like)
    observations: dict[str, Observations] = {}
    fields: list[ModalityFields] = []
    receipts: list[SourceReceipt] = []
    of_times: list[Finding] = []
    needs = needs_of_spec(spec, like)
    read, unit = amounts_to_read(spec)
    with (
        Sources(spec.base_dir, needs, scratch, show_ids, checked_engine(engine, spec.engine), master) as sources,
        progress_bar("reading", sum(read), unit, progress) as bar,
    ):
        bar.set_postfix_str("cohort table")
        rows = read_cohort_table(spec, sources, like)
        rows.receipt.notes += spec.told_of()
        bar.update(read[0])
        for modality, amount in zip(spec.modality, read[1:], strict=True):
            bar.set_postfix_str(modality.name)
            known = fitted.get(modality.name)
            if known is not None:
                modality, told = read_as_fitted(modality, known)
                of_times += told
            view = sources.open_modality(modality, known)
            observed, described, receipt = MODALITY_KINDS.find(modality.kind).read(modality, view, rows, sources, known)
            if known is None:
                window = modality.window if described.window is None else described.window
                described = replace(described, window=window, reading=reading_of(modality, described))
            receipt.notes += spec.told_of(modality.name)
            of_times += [*find_untimed(modality, view, rows.label), *find_repeated_rows(receipt, view.rows)]
            bar.update(amount)
            observations[modality.name] = observed
            fields.append(described)
            receipts.append(receipt)
    schema = like or CohortSchema(
        tuple(fields), rows.outcomes, tuple(spec.cohort.groups), rows.environment_name, rows.survival
    )
    cohort = Cohort(
        id=rows.id,
        subject=rows.subject,
        split=rows.split,
        environment=rows.environment,
        groups=rows.groups,
        y=rows.y,
        observations=observations,
        schema=schema,
        receipt=Receipt(rows.receipt, receipts, tables={"outcome_values": rows.outcome_values}, new=like is not None),
        spec=spec.to_dict(),
        follow_up=None if rows.follow_up is None else rows.follow_up.time,
        event=None if rows.follow_up is None else rows.follow_up.event,
    )
    fill_tables(cohort)
    found = [
        *rows.findings,
        *find_unused(spec, like),
        *find_leaks(cohort, new=like is not None),
        *find_one_class_places(cohort),
        *find_follow_up_at_places(cohort),
        *find_doubles(cohort, show_ids),
        *find_cut_off(cohort),
        *find_two_units(cohort),
        *find_same_vectors(cohort),
        *find_other_vectors(cohort),
        *find_absent_at_places(cohort),
        *find_empty_hours(cohort),
        *of_times,
        *sources.findings,
        *sources.declared_missing.findings(),
        *sources.told_of_files(),
    ]
    cohort.receipt.findings += found
    if like is not None:
        cohort.receipt.findings += [
            *find_other_ranges(cohort),
            *find_absent_columns(cohort),
            *find_other_times(cohort),
        ]
    if not show_ids:
        cohort.receipt.forget_ids()
    return cohort


def fitted_by_name(spec: CohortSpec, like: CohortSchema | None) -> dict[str, ModalityFields]:
    """The fitted description of each of a spec's modalities.

    Args:
        spec: The spec.
        like: The schema they were fitted in; None: there are none.

    Raises:
        SchemaError: The two have other modalities or outcomes, or of other kinds.
    """
    if like is None:
        return {}
    fitted = {fields.name: fields for fields in like.modalities}
    if [modality.name for modality in spec.modality] != list(fitted):
        raise SchemaError(
            f"expected the modalities of the fitted schema in their order, {list(fitted)}, "
            f"got {[modality.name for modality in spec.modality]}"
        )
    outcomes = [outcome.name for outcome in spec.outcome]
    if outcomes != list(like.declared_outcomes):
        fitted_outcomes = list(like.declared_outcomes)
        raise SchemaError(f"expected the outcomes of the fitted schema, {fitted_outcomes}, got {outcomes}")
    survival = isinstance(spec.outcome[0], SurvivalSpec)
    if survival != (like.survival is not None):
        kinds = ['a time to an event (kind = "survival")', "labels"]
        wanted, got = kinds if not survival else kinds[::-1]
        raise SchemaError(f"outcome {outcomes[0]!r}: the fitted schema has {wanted}, the spec {got}")
    if like.survival is not None:
        own, units = spec.outcome[0], like.survival.unit
        if isinstance(own, SurvivalSpec) and units and own.unit and own.unit.casefold() != units.casefold():
            raise SchemaError(
                f"outcome {outcomes[0]!r}: times of the fitted schema are in {units!r}, those of the spec in "
                f"{own.unit!r}; work them out in {units!r} with cohort.derive, and say so under unit"
            )
    for modality in spec.modality:
        if modality.kind != fitted[modality.name].kind:
            raise SchemaError(
                f"modality {modality.name!r}: expected kind {fitted[modality.name].kind!r} as fitted, got "
                f"{modality.kind!r}"
            )
    return fitted
