"""What a code is asked for: suspects, environment, pattern, groups, outcome, and the truth where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gdsfd.errors import InputError
from gdsfd.evaluation.diagnostics.probe_folds import Numbers
from gdsfd.evaluation.targets import labels_of, target_names
from gdsfd.graph.loader import rows_of
from gdsfd.simulation.truth import Truth
from gdsfd.training.suspects.suspect_codes import suspect_codes

__all__ = ["ProbeTarget", "outcome_classes", "probe_targets"]

#: What may always be asked for, declared as a suspect or not.
ALWAYS = ("environment", "pattern", "groups")
#: Levels of a target that are told apart, the most frequent ones.
MOST_LEVELS = 10
#: A level that fewer of the probed patients have is left out.
LEAST_PATIENTS = 10

Kind = Literal["suspect", "fact", "outcome", "truth"]


@dataclass(frozen=True)
class ProbeTarget:
    """One question to a code.

    Args:
        name: ``environment``, ``pattern``, ``group:sex``, ``column:labs.crp``, an outcome's name, ``true U``, ``true
            causal content`` or ``true biased content``.
        kind: ``suspect`` (declared), ``fact`` (environment, pattern or group that was not declared), ``outcome`` or
            ``truth``.
        label: Levels of the probed patients from 0, the most frequent first; -1 = not known, or a rare level. [n]
    """

    name: str
    kind: Kind
    label: Numbers

    @property
    def levels(self) -> int:
        """How many levels are told apart."""
        return int(self.label.max(initial=-1)) + 1


def probe_targets(
    graph: Any, rows: Numbers, suspects: Sequence[str] = (), truth: Truth | None = None
) -> list[ProbeTarget]:
    """The questions that these patients can answer.

    Args:
        graph: The graph. Codes of suspects are fitted on its split ``train``, or on ``rows`` where it has none.
        rows: The probed patients, as rows of the graph; [n].
        suspects: Words as in ``Debiaser(suspects=...)``.
        truth: Of a simulated cohort.

    Returns:
        Targets with at least two levels of at least 10 patients each. What the graph does not have (an environment, a
        group) is left out.

    Raises:
        InputError: ``truth`` is of another cohort.
    """
    import torch

    train = rows_of(graph, "train") if "train" in graph["patient"].split else torch.from_numpy(rows)
    found = suspect_codes(graph, tuple(dict.fromkeys([*suspects, *ALWAYS])), train)
    made = []
    for column, name in enumerate(found.names):
        word = "groups" if name.startswith("group:") else name
        made.append(_target(name, "suspect" if word in suspects else "fact", found.codes[:, column].numpy()[rows]))
    labels = labels_of(graph, rows)
    if graph.schema.multiclass:
        known = np.isfinite(labels).all(1)
        label = np.where(known, np.nan_to_num(labels).argmax(1), -1)
        made.append(_target(graph.schema.outcomes[0].name, "outcome", label))
    else:
        for column, name in enumerate(target_names(graph.schema)):
            made.append(_target(name, "outcome", np.nan_to_num(labels[:, column], nan=-1.0).astype(np.int64)))
    if truth is not None:
        made.extend(_true_targets(graph, rows, truth))
    return [one for one in made if one.levels > 1]


def outcome_classes(graph: Any, rows: Numbers) -> Numbers:
    """One code per combination of outcome labels that some patients have, -1 where a label is missing; int64 [n]."""
    labels = labels_of(graph, rows)
    known = np.isfinite(labels).all(1)
    classes = np.full(len(rows), -1, dtype=np.int64)
    if known.any():
        classes[known] = np.unique(labels[known], axis=0, return_inverse=True)[1].reshape(-1)
    return classes


def _true_targets(graph: Any, rows: Numbers, truth: Truth) -> list[ProbeTarget]:
    ids = [graph["patient"].id[int(row)] for row in rows]
    unknown = [one for one in ids if one not in truth.patients.index]
    if unknown:
        raise InputError(
            f"truth: it knows nothing of {len(unknown)} of {len(ids)} patients (first: {unknown[0]!r}); expected "
            "load_truth of the folder that the graph was built from"
        )
    patients = truth.patients.loc[ids]
    u = patients["u"].to_numpy()
    practice = u > 0 if truth.config.graded else u  # a graded U is asked for by its sign
    made = [_target("true U", "truth", practice.astype(np.int64))]
    for role in ("causal", "biased"):
        sources = (*truth.config.names, "between_modalities")
        columns = [f"{role}_{name}" for name in sources if f"{role}_{name}" in patients]
        evidence = patients[columns].sum(axis=1).to_numpy(dtype=float)
        above = (evidence > np.median(evidence)).astype(np.int64) if len(evidence) else np.zeros(0, np.int64)
        made.append(_target(f"true {role} content", "truth", above))
    return made


def _target(name: str, kind: Kind, codes: Numbers) -> ProbeTarget:
    """Keeps the frequent levels; two of them keep their order, so that 1 stays 1."""
    seen, counts = np.unique(codes[codes >= 0], return_counts=True)
    enough = seen[counts >= LEAST_PATIENTS]
    kept = enough if len(enough) <= 2 else seen[np.argsort(-counts, kind="stable")][: min(MOST_LEVELS, len(enough))]
    label = np.full(len(codes), -1, dtype=np.int64)
    for number, value in enumerate(kept):
        label[codes == value] = number
    return ProbeTarget(name, kind, label)
