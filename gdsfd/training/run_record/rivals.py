"""Simple models that stand beside a network in every report, fitted on its training patients."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch_geometric.data import HeteroData

from gdsfd.baselines.baseline import BASELINES, Baseline, fitted_with_every_model
from gdsfd.errors import InputError
from gdsfd.training.suspects.suspect_facts import suspect_facts

__all__ = ["Rivals", "fit_rivals", "told_the_same"]

#: What a debiased network is compared with: simple models that are told the same -> the same without it.
_BESIDE_MARGIN = {"logistic_margin": "logistic", "boosting_margin": "boosting"}
_BESIDE_STRATA = {"latent_linear": "logistic", "boosting_strata": "boosting"}


def told_the_same(found: bool) -> dict[str, str]:
    """Keys of the simple models that are told what a debiased network is told -> of the same model without it.

    Args:
        found: Whether it averages found strata out.

    Example:
        >>> told_the_same(found=False)
        {'logistic_margin': 'logistic', 'boosting_margin': 'boosting'}
    """
    return {**_BESIDE_MARGIN, **(_BESIDE_STRATA if found else {})}


@dataclass(frozen=True)
class Rivals:
    """The rivals of one run.

    Args:
        fitted: Key -> fitted baseline.
        why_none: Why there are none, or nothing.
        seconds: That fitting them took.
    """

    fitted: dict[str, Baseline] = field(default_factory=dict)
    why_none: str = ""
    seconds: float = 0.0


def fit_rivals(
    graph: HeteroData, seed: int = 0, suspects: Sequence[str] = (), found: bool = False, done: Rivals | None = None
) -> Rivals:
    """Fits gradient boosting, logistic regression and those of plug-ins.

    Args:
        graph: The graph trained on.
        seed: Of the baselines.
        suspects: What the debiased network was told: then both are fitted beside the suspects' margin, too, since a
            network has to be better than these to be worth its time.
        found: Whether it averages found strata out: then both are fitted beside strata, too.
        done: What was fitted before with the same seed and suspects; only what is missing is added.
    """
    start, fitted = time.perf_counter(), dict(done.fitted) if done is not None else {}
    before = done.seconds if done is not None else 0.0
    if done is not None and done.why_none:
        return done
    try:
        always = [key for key in fitted_with_every_model() if key not in fitted]
        fitted |= {key: BASELINES.find(key)(seed).fit(graph) for key in always}
        told = told_the_same(found) if suspects else {}
        missing = [key for key in told if key not in fitted]
        facts = suspect_facts(graph, suspects) if missing else None
        for key in missing:
            kind: Any = BASELINES.find(key)  # its fit takes facts, too
            fitted[key] = kind(seed).fit(graph, facts)
    except InputError as error:  # an outcome without a labelled training patient: the networks learn the others
        return Rivals(fitted, str(error), round(before + time.perf_counter() - start, 2))
    return Rivals(fitted, "", round(before + time.perf_counter() - start, 2))
