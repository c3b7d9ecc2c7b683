"""SUPPORT2: seriously ill adults, one wide table as of study day 3."""

from __future__ import annotations

from gdsfd.first_spec.layouts.layout import Layout

__all__ = ["SUPPORT2"]

SUPPORT2 = Layout(
    title="SUPPORT2",
    signs=(frozenset({"hospdead", "slos", "d.time", "dzclass", "surv2m", "prg6m"}),),
    environment=("dzclass",),
    groups=("sex", "race"),
    notes=(
        "The prediction is made on study day 3, when the physiology was taken; the file has no times.",
        "There is no hospital in the public file; disease classes stand in for one.",
    ),
    leaks={
        "death": "death at any time: an outcome",
        "hospdead": "death in hospital: an outcome",
        "d.time": "days until death or the end of follow-up",
        "slos": "the length of the stay",
        "sfdm2": "function two months later",
        "charges": "billed after the stay",
        "totcst": "billed after the stay",
        "totmcst": "billed after the stay",
        "avtisst": "mean intensity of treatment on days 3 to 25, so mostly after the prediction",
        "surv2m": "the study's own model, fitted on these outcomes",
        "surv6m": "the study's own model, fitted on these outcomes",
        "prg2m": "the physician's forecast",
        "prg6m": "the physician's forecast",
        "dnr": "a decision that follows from the forecast, often late in the stay",
        "dnrday": "a decision that follows from the forecast, often late in the stay",
        "sps": "a score of day 3 made of the columns below",
        "aps": "a score of day 3 made of the columns below",
        "adlsc": "adlp and adls with the gaps filled by a model",
    },
)
