"""Predictions that move as given."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.schema import CohortSchema, OutcomeFields
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.report.sections.strata.movement import Movement, movement
from gdsfd.evaluation.targets import Target

SCHEMA = CohortSchema((), (OutcomeFields("died_early", "d", ("no", "yes")),), ("sex",), "ward")


RULES = EvaluationConfig(resamples=50)


def moved(observed, intervened, y=None, shifts=()) -> Movement:
    observed, intervened = np.asarray(observed, dtype=float), np.asarray(intervened, dtype=float)
    n = len(observed)
    rows = np.arange(n) if y is not None else np.zeros(0, dtype=np.int64)
    labels = np.asarray(y, dtype=float) if y is not None else np.zeros(0)
    target = Target("died_early", rows, labels, intervened[rows])
    bootstrap = SubjectBootstrap([str(at) for at in range(n)], 50, 0)
    return movement(target, observed, intervened, np.full(n, 0.3), list(shifts), bootstrap, RULES)
