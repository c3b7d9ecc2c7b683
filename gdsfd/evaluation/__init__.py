"""How well a model does, against what, for whom, and how sure that is.

``metrics`` has the figures of labels and probabilities, ``intervals`` how sure they are, ``subgroups`` looks at parts
of a split, ``diagnostics`` at what codes know; ``assess`` judges several models on one split, ``evaluation`` is what
users call and ``report`` what they get. The baselines are in ``gdsfd.baselines``.
"""

from __future__ import annotations

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic
from gdsfd.evaluation.evaluation import evaluate
from gdsfd.evaluation.report.report import Report

__all__ = ["Boosting", "Logistic", "Report", "evaluate"]
