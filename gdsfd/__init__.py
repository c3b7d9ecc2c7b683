"""Patient-modality graphs from tabular clinical exports, predictors on them, and an honest report.

The public names load on first use: ``import gdsfd`` alone brings in neither torch nor pandas, writes no file, adds no
log handler and leaves every global setting as it is.

Example:
    >>> import gdsfd
    >>> "build_graph" in dir(gdsfd)
    True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gdsfd._version import __version__
from gdsfd.errors import GdsfdError, InputError, NotFittedError, SchemaError, SpecError

if TYPE_CHECKING:
    from gdsfd.cohort.spec import CohortSpec, load_spec
    from gdsfd.cohort.spec_check import check_spec
    from gdsfd.evaluation.evaluation import evaluate
    from gdsfd.evaluation.meds_predictions import meds_predictions
    from gdsfd.first_spec.init_spec import init_spec
    from gdsfd.fusion_study.study import study
    from gdsfd.graph.build import audit, build_graph
    from gdsfd.graph.serialization import load_graph, save_graph
    from gdsfd.graph.summary import summary
    from gdsfd.graph.take_patients import take_patients
    from gdsfd.simulation.simulate import simulate
    from gdsfd.training.config import TrainConfig
    from gdsfd.training.debiaser import Debiaser
    from gdsfd.versions import show_versions

__all__ = [
    "CohortSpec",
    "Debiaser",
    "GdsfdError",
    "InputError",
    "NotFittedError",
    "SchemaError",
    "SpecError",
    "TrainConfig",
    "__version__",
    "audit",
    "build_graph",
    "check_spec",
    "evaluate",
    "init_spec",
    "load_graph",
    "load_spec",
    "meds_predictions",
    "save_graph",
    "show_versions",
    "simulate",
    "study",
    "summary",
    "take_patients",
]

#: Public name -> the module it lives in. Loaded by ``__getattr__``, because each of them pulls in heavy packages.
_HOME = {
    "CohortSpec": "gdsfd.cohort.spec",
    "Debiaser": "gdsfd.training.debiaser",
    "TrainConfig": "gdsfd.training.config",
    "audit": "gdsfd.graph.build",
    "build_graph": "gdsfd.graph.build",
    "check_spec": "gdsfd.cohort.spec_check",
    "evaluate": "gdsfd.evaluation.evaluation",
    "init_spec": "gdsfd.first_spec.init_spec",
    "load_graph": "gdsfd.graph.serialization",
    "load_spec": "gdsfd.cohort.spec",
    "meds_predictions": "gdsfd.evaluation.meds_predictions",
    "save_graph": "gdsfd.graph.serialization",
    "show_versions": "gdsfd.versions",
    "simulate": "gdsfd.simulation.simulate",
    "study": "gdsfd.fusion_study.study",
    "summary": "gdsfd.graph.summary",
    "take_patients": "gdsfd.graph.take_patients",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gdsfd' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value  # the next access does not come through here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
