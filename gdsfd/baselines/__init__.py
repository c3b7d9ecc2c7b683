"""What a user would pick instead of a network: models of the flattened table.

``labels`` makes yes/no targets of outcomes of all kinds; ``flat_baseline`` is what baselines share; ``boosting`` and
``logistic`` are the two that stand in every report.
"""

from __future__ import annotations

from gdsfd.baselines.boosting import Boosting
from gdsfd.baselines.logistic import Logistic

__all__ = ["Boosting", "Logistic"]
