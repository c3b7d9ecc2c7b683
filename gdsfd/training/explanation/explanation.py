"""Explanation: what moved the scores of some patients, as tables and as words."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import expit
from torch import Tensor

from gdsfd.atomic_write import atomic_directory
from gdsfd.cohort.schema import LEVEL_UNSEEN, SUMMARY_COLUMNS
from gdsfd.errors import InputError, near_names
from gdsfd.graph.column_ablation import Column, columns_of
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training.explanation.cell_worth import cell_worth
from gdsfd.training.explanation.modality_worth import modality_worth
from gdsfd.training.explanation.page import page

__all__ = ["Explanation", "explain"]

#: Files of an explanation's folder: the page, and what it is known by.
PAGE, MARKER = "explanation.html", "explanation.json"
FORMAT = "gdsfd explanation"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """Why patients got their scores. All effects are in nats of log-odds; above 0 speaks for the target.

    Args:
        target: What is predicted: the outcome, or ``"<outcome>: <class>"``.
        of: ``"prediction"``, or ``"biased"``: what the biased head reads of its stream.
        patients: One row per patient: ``id``, ``split``, ``log_odds`` (the network's own), ``probability`` (as
            ``predict_proba`` gives it, recalibrated where the model is), and ``log_odds_without_any``, of the same
            patient without any modality.
        modalities: One row per patient and modality that the patient has: ``id``, ``modality``, ``deletion``,
            ``shapley`` (:mod:`gdsfd.training.explanation.modality_worth`).
        values: One row per patient and value: ``id``, ``modality``, ``column``, ``value`` (as words), ``effect``
            (:mod:`gdsfd.training.explanation.cell_worth`).
        seen: How many of the patients the model was trained on or chosen by.
        recalibrated: Whether probabilities are corrected, and so are not those of the log-odds.
        about: What the target's probability is, where its name does not say it.
    """

    target: str
    of: str
    patients: pd.DataFrame
    modalities: pd.DataFrame
    values: pd.DataFrame
    seen: int = 0
    recalibrated: bool = False
    about: str = ""

    @property
    def note(self) -> str:
        """What has to be said with it: patients that the model was trained on, a recalibration; or nothing."""
        told = [self.about] if self.about else []
        if self.seen:
            told.append(
                f"{self.seen} of {len(self.patients)} patients were trained on, or chosen by: the model has seen their "
                "outcomes, and what moved their scores says little about new patients."
            )
        if self.recalibrated:
            told.append(
                "Probabilities are recalibrated, as predictions are; log-odds and effects are of the network's own "
                "scores, before that."
            )
        return " ".join(told)

    def top(self, count: int = 3) -> pd.DataFrame:
        """Of each patient the values with the largest effects, either way."""
        order = self.values.assign(size=self.values["effect"].abs()).sort_values("size", ascending=False, kind="stable")
        kept = order.groupby("id", sort=False).head(count).drop(columns="size")
        rank = {name: place for place, name in enumerate(self.patients["id"])}
        return kept.sort_values("id", key=lambda own: own.map(rank), kind="stable").reset_index(drop=True)

    def overall(self) -> pd.DataFrame:
        """Mean size of the effect of each value over the patients who have it, the largest first."""
        own = self.values.assign(size=self.values["effect"].abs())
        found = own.groupby(["modality", "column"], sort=False)["size"].agg(["mean", "count"]).reset_index()
        found = found.rename(columns={"mean": "mean_size", "count": "patients"})
        return found.sort_values("mean_size", ascending=False, ignore_index=True, kind="stable")

    def text(self, id: str, count: int = 5) -> str:
        """One patient in words.

        Raises:
            InputError: The patient was not explained.
        """
        names = self.patients["id"].tolist()
        if id not in names:
            raise InputError(f"explanation: patient {id!r} is not in it.{near_names(str(id), names)}")
        patient = self.patients.set_index("id").loc[id]
        own = self.modalities[self.modalities["id"] == id].sort_values("shapley", key=lambda each: -each.abs())
        own_scores = ", recalibrated" if self.recalibrated else ""
        lines = [f"{id}: {self.target} {patient['probability']:.1%}{own_scores} (log-odds {patient['log_odds']:+.2f})"]
        added = ", ".join(f"{row['modality']} {row['shapley']:+.2f}" for row in own.to_dict("records"))
        lines.append(f"  without any modality {patient['log_odds_without_any']:+.2f}; added: {added or 'nothing'}")
        top = self.top(count)
        for row in top[top["id"] == id].to_dict("records"):
            shown = f" = {row['value']}" if row["value"] else ""
            lines.append(f"  {row['effect']:+.2f}  {row['modality']}.{row['column']}{shown}")
        return "\n".join(lines)

    def save(self, folder: str | Path) -> Path:
        """Writes ``explanation.html``, ``explanation.json`` and tables as CSV, all or nothing; they show patients.

        Args:
            folder: Made; an earlier explanation there is replaced, anything else refused.

        Returns:
            The page.

        Raises:
            InputError: The folder holds something else, or cannot be written.
        """
        told = {
            "format": FORMAT,
            "target": self.target,
            "of": self.of,
            "patients": len(self.patients),
            "note": self.note,
        }
        with atomic_directory(folder, MARKER, FORMAT) as temporary:
            (temporary / MARKER).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
            (temporary / PAGE).write_text(page(self), encoding="utf-8")
            for name in ("patients", "modalities", "values"):
                getattr(self, name).to_csv(temporary / f"{name}.csv", index=False)
        return Path(folder) / PAGE

    def __repr__(self) -> str:
        return f"Explanation({len(self.patients)} patients, target={self.target!r}, of={self.of!r})"


def explain(
    store: PatientStore,
    rows: Tensor,
    facts: tuple[Sequence[str], Sequence[str]],
    score: Callable[[PatientBatch], Floats],
    target: str,
    of: str,
    progress: Callable[[Any], Any] = lambda each: each,
    given_out: Floats | None = None,
    seen: int = 0,
    about: str = "",
) -> Explanation:
    """Explains patients one after another.

    Args:
        store: The graph's observations.
        rows: Rows of the patients; int64 [n].
        facts: Ids and splits of all the graph's patients.
        score: Log-odds of a batch, [B].
        target: What the log-odds are of.
        of: What gives them.
        progress: Wraps what is gone through.
        given_out: Corrected probabilities, where the model gives out such; [n].
        seen: How many of the patients the model was trained on or chosen by.
        about: What the target's probability is, where its name does not say it.
    """
    ids, splits = facts
    schema, columns = store.schema, list(columns_of(store.schema))
    patients, modalities, values = [], [], []
    for asked, row in enumerate(progress(rows.tolist())):
        name = str(ids[row])
        deletion, worth, nothing = modality_worth(store, rows.new_tensor([row]), score)
        places, effects, log_odds = cell_worth(store, row, columns, score)
        shown = _shown(store, row, [columns[place] for place in places])
        patients.append(
            {
                "id": name,
                "split": str(splits[row]),
                "log_odds": log_odds,
                "probability": float(expit(log_odds) if given_out is None else given_out[asked]),
                "log_odds_without_any": float(nothing[0]),
            }
        )
        for number, modality in enumerate(schema.names):
            if np.isfinite(worth[0, number]):
                sizes = {"deletion": float(deletion[0, number]), "shapley": float(worth[0, number])}
                modalities.append({"id": name, "modality": modality, **sizes})
        for place, effect, value in zip(places, effects, shown, strict=True):
            own = {"modality": columns[place].modality.name, "column": columns[place].name}
            values.append({"id": name, **own, "value": value, "effect": float(effect)})
    return Explanation(
        target,
        of,
        pd.DataFrame(patients, columns=["id", "split", "log_odds", "probability", "log_odds_without_any"]),
        pd.DataFrame(modalities, columns=["id", "modality", "deletion", "shapley"]),
        pd.DataFrame(values, columns=["id", "modality", "column", "value", "effect"]),
        seen,
        given_out is not None,
        about,
    )


def _shown(store: PatientStore, row: int, columns: Sequence[Column]) -> list[str]:
    """A patient's values as words: numbers, levels, the mean of an item; nothing of codes and components."""
    batch = store.batch(torch.tensor([row]))
    found = []
    for column in columns:
        seen = batch.observations[column.modality.name]
        if column.part == "numeric":
            found.append(f"{float(seen['numeric'][0, column.place]):.4g}")
        elif column.part == "categorical":
            level = int(seen["categorical"][0, column.place])
            names = column.modality.levels[column.place]
            found.append(str(names[level - 2]) if level > LEVEL_UNSEEN else "a level that training lacked")
        elif column.part == "item":
            mean = seen["summary"][seen["summary_item"] == column.place, SUMMARY_COLUMNS.index("mean")]
            found.append(f"{float(mean[0]):.4g} on average")
        else:
            found.append("")
    return found
