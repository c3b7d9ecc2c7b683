"""The report of an evaluation: figures as a dict, as tables and as a page of sections."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from gdsfd.atomic_write import atomic_directory, check_replaceable
from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.fixed_settings import FixedSetting
from gdsfd.evaluation.report.numbers import count, interval, spelled
from gdsfd.evaluation.report.page import render
from gdsfd.evaluation.report.sections.debiasing.debiasing import Debiasing
from gdsfd.evaluation.report.sections.population import Populations
from gdsfd.evaluation.report.sections.recalibrated import Recalibrated
from gdsfd.evaluation.report.sections.strata.strata import Strata
from gdsfd.evaluation.report.tables import headline_rows, long_rows

__all__ = ["FORMAT", "Report"]

#: Marks the files of a report.
FORMAT = "gdsfd report"


@dataclass
class Report:
    """What :func:`gdsfd.evaluate` returns: how well a model does, with intervals, against baselines and for whom.

    A notebook shows the page.

    Args:
        metrics: Every figure as a nested dict. On top the headline figures of the first split (``metrics["auroc"]``),
            below ``metrics["splits"]`` all of them, each ``{"value", "low", "high", "reason"}``. NaN with a reason
            where a figure cannot be given.
        results: The same as objects, one per split.
        labels: Model -> what tables call it (``metrics`` always says ``model`` for the one judged).
        schema: The graph's schema.
        rules: How figures were made.
        sections: Section of the page -> what it found; those with nothing to say of this model are left out.
    """

    metrics: dict[str, Any]
    results: list[SplitResult]
    labels: dict[str, str]
    schema: CohortSchema
    rules: EvaluationConfig
    sections: dict[str, Any] = field(default_factory=dict)

    @property
    def populations(self) -> tuple[JudgedPopulation, ...]:
        """Whose patients were judged, split by split."""
        found: Populations = self.sections["population"]
        return found.judged

    @property
    def fixed(self) -> tuple[FixedSetting, ...]:
        """What was fixed where before they were looked at."""
        found: Populations = self.sections["population"]
        return found.fixed

    @property
    def debiasing(self) -> Debiasing | None:
        """Both networks of a debiased model, and what its codes know, or None."""
        return self.sections.get("debiasing")

    @property
    def strata(self) -> Strata | None:
        """The strata of a model that averages over them, and what that does to its predictions, or None."""
        return self.sections.get("strata")

    @property
    def recalibrated(self) -> list[Recalibrated]:
        """Risks with the correction that was fixed in training, beside the risks as they are."""
        return self.sections.get("recalibrated", [])

    def to_frame(self, detail: bool = False) -> pd.DataFrame:
        """The figures as a table.

        Args:
            detail: False: one row per split and model (and target, when there are several), the headline figures in
                columns. True: one row per figure, with those of all slices and the differences between models.

        Returns:
            ``n`` counts labelled patients. A mean over several targets has no ``positives`` of its own; its
            ``prevalence`` is the mean of theirs. With ``detail`` the columns are split, model, target, kind (``all``,
            ``difference``, ``environment``, ``pattern``, ``observed``, ``modality``, ``group: <name>``), slice, n,
            positives, metric, value, low, high, reason. A row of kind ``difference`` is the judged model less the model
            named.
        """
        if detail:
            frame = pd.DataFrame(long_rows(self.results, self.labels))
        else:
            frame = pd.DataFrame(headline_rows(self.results, self.labels, self.rules.metrics))
        return frame.astype({"n": "Int64", "positives": "Int64"})

    def html(self) -> str:
        """The report as one self-contained page."""
        outcomes = ", ".join(map(spelled, self.schema.declared_outcomes))
        title = f"{outcomes}: {self.labels['model']} on “{self.results[0].split}”"
        return render(self.sections, title, self.schema, self.rules)

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that its styles are not the notebook's."""
        return f'<iframe srcdoc="{escape(self.html())}" style="width:100%;height:720px;border:0"></iframe>'

    def save(self, folder: str | Path) -> Path:
        """Writes ``metrics.json``, ``metrics.csv`` and ``report.html``, all or none.

        Args:
            folder: A new folder, or one that holds a report already.

        Raises:
            InputError: The folder holds something else.
        """
        check_replaceable(folder, "metrics.json", FORMAT)
        page = self.html()
        text = json.dumps(_jsonable(self.metrics), indent=1, allow_nan=False, ensure_ascii=False)
        with atomic_directory(folder, "metrics.json", FORMAT) as temporary:
            (temporary / "metrics.json").write_text(text, encoding="utf-8")
            self.to_frame(detail=True).to_csv(temporary / "metrics.csv", index=False)
            (temporary / "report.html").write_text(page, encoding="utf-8")
        return Path(folder)

    def __repr__(self) -> str:
        first = self.results[0]
        auroc = first.model.overall["auroc"]
        shown = f"AUROC {interval(auroc)}" if auroc.defined else auroc.reason
        splits = ", ".join(repr(one.split) for one in self.results)
        return f"Report({splits}; {count(first.model.overall.n, 'labelled patient')}, {shown})"


def _jsonable(value: Any) -> Any:
    """NaN becomes null: JSON has no other word for it."""
    if isinstance(value, Mapping):
        return {str(key): _jsonable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
