"""How well a model does, against what, for whom, and how sure that is.

``metrics``, ``ranking``, ``calibration`` and ``operating_point`` are functions of labels and probabilities;
``bootstrap`` resamples subjects; ``score`` joins figures, intervals and reasons; ``slices`` and ``gaps`` look at
parts of a split; ``assess`` judges several models on one split; ``report`` is what users call. The baselines are in
``gdsfd.baselines``.
"""

from __future__ import annotations

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic
from gdsfd.evaluation.report import Report, evaluate

__all__ = ["Boosting", "Logistic", "Report", "evaluate"]
