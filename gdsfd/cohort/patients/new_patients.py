"""What may be missing from the cohort table of patients that a fitted schema reads, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import near_names

__all__ = ["split_findings", "without_absent"]


def without_absent(spec: CohortSpec, columns: Sequence[str], label: str) -> tuple[CohortSpec, list[Finding]]:
    """The spec without the subject, environment and groups that the new patients' table has not.

    Another hospital may record none of them, and no model needs them to predict. What cannot be reported without them
    is said.

    Args:
        spec: The spec of the new patients.
        columns: The columns of their cohort table.
        label: The table's name, for the findings.

    Returns:
        The spec to read with, and one finding per column that is missing.
    """
    cohort, known = spec.cohort, set(columns)
    changed: dict[str, object] = {}
    findings = []
    if cohort.subject is not None and cohort.subject not in known:
        changed["subject"] = None
        text = (
            "every patient counts as a person of their own. If some are the same person, intervals are too narrow; and "
            "whether a person was trained on is seen by the patient's id only"
        )
        findings.append(_absent("subject", cohort.subject, label, text, columns))
    gone = [name for name in cohort.environment or [] if name not in known]
    if gone:
        changed["environment"] = None
        text = "nothing is reported by environment, and whether patients come from one that was trained on is not known"
        findings += [_absent("environment", name, label, text, columns) for name in gone]
    lost = [name for name in cohort.groups if name not in known]
    if lost:
        changed["groups"] = [name for name in cohort.groups if name in known]
        findings += [_absent("groups", name, label, "nothing is reported for this group", columns) for name in lost]
    for outcome in spec.outcome:
        for name in outcome.columns:
            if name not in known:
                text = f"{outcome.name!r} is unlabelled for all: these patients can be predicted, not judged"
                findings.append(_absent("labels", name, label, text, columns))
    if not changed:
        return spec, findings
    return spec.model_copy(update={"cohort": cohort.model_copy(update=changed)}), findings


def _absent(kind: str, column: str, label: str, consequence: str, columns: Sequence[str]) -> Finding:
    near = near_names(column, columns)
    return Finding(
        kind, column, f"{label} has no column {column!r}: {consequence}.{near if 'Did you mean' in near else ''}"
    )


def split_findings(split: Sequence[str], by_column: bool) -> Iterator[Finding]:
    """Warns of new patients whom a split column calls training or tuning patients.

    Args:
        split: The evaluation set of each patient.
        by_column: Whether a column said so.
    """
    for name in ("train", "tuning") if by_column else ():
        count = sum(own == name for own in split)
        if count:
            yield Finding(
                "split",
                name,
                f"the split column puts {count:,} new patients into {name!r}: nothing is fitted or chosen on them, "
                "they are one more evaluation set of that name",
                float(count),
            )
