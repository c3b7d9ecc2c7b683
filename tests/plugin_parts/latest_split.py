"""A kind of split of one's own: the latest subjects of every environment are the test set."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.patients.split_kind import SPLIT_KINDS, SplitAssignment, SplitKind, SplitRequest


def latest_of_each(request: SplitRequest) -> SplitAssignment:
    """Subjects by the environment and the smallest time of their patients, the earliest to train."""
    time = np.full(len(request.names), np.inf)
    np.minimum.at(time, request.owner, np.array(request.column, dtype=float))
    environment = np.empty(len(request.names), dtype=object)
    environment[request.owner] = request.environment
    by_subject = np.full(len(request.names), "", dtype=object)
    for name in np.unique(environment.astype(str)):
        members = np.flatnonzero(environment == name)
        members = members[np.argsort(time[members], kind="stable")]
        ends = np.round(np.cumsum(request.spec.fractions) * len(members)).astype(int)
        for split, start, end in zip(("train", "tuning", "test"), (0, *ends), ends):
            by_subject[members[start:end]] = split
    return SplitAssignment(by_subject[request.owner].tolist())


SPLIT_KINDS.register("latest")(SplitKind(latest_of_each, needs_column=True, needs_environment=True))
# Wrong: two patients of a person come out apart.
SPLIT_KINDS.register("torn")(SplitKind(lambda request: SplitAssignment(["train", "test"] * (len(request.owner) // 2))))
