"""Whether the streams split the columns of a simulated cohort as they came about: causal here, biased there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.evaluation.metrics.formulas import auprc, auroc, mean_or_nan
from gdsfd.graph.column_ablation import Column, columns_of, mask_column
from gdsfd.graph.loader import rows_of
from gdsfd.graph.patient_batch import PatientBatch
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.predictor import Predictor
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.simulation.truth import Truth

if TYPE_CHECKING:
    from gdsfd.training.debiaser import Debiaser

__all__ = ["MaskRecovery", "column_shares", "recover_masks"]


@dataclass(frozen=True)
class MaskRecovery:
    """How well the share of each column that goes to the causal stream tells causal from biased columns.

    Args:
        auc: Area under the ROC curve of the share, causal against biased columns: 1 = every causal column goes to the
            causal stream more than any biased one does, 0.5 = the streams share columns without regard to their role.
        average_precision: Of the same ranking; ``prevalence`` is chance.
        prevalence: Share of causal columns among causal and biased ones.
        causal_share: Mean share of the causal columns. A perfect ranking can rest on small differences: the two means
            say how far apart the shares are.
        biased_share: Mean share of the biased columns.
        columns: One row per column: ``modality``, ``column``, ``role``, ``causal`` and ``biased`` (how far each code
            moves when the column is hidden, in standard deviations of the code), ``share``.
    """

    auc: float
    average_precision: float
    prevalence: float
    causal_share: float
    biased_share: float
    columns: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy."""
        figures = {name: value for name, value in vars(self).items() if name != "columns"}
        return {**figures, "columns": self.columns.to_dict("records")}


def recover_masks(
    model: Debiaser, graph: Any, truth: Truth, split: str = "test", most: int = 500, seed: int = 0
) -> MaskRecovery:
    """Compares the streams' columns with the true roles.

    The masks themselves act on channels of tokens, in which columns are mixed; what a stream takes from a column shows
    when the column is hidden.

    Args:
        model: A trained model with two streams.
        graph: A graph of the simulated cohort, with the model's schema.
        truth: Of the same cohort.
        split: Whose patients.
        most: Patients beyond this many are sampled.
        seed: Of the sampling.

    Returns:
        Figures over columns that are causal or biased, not over noise and rotated ones; NaN when a role is missing.

    Raises:
        InputError: The model has no streams.
    """
    shares = column_shares(model, graph, split, most, seed)
    shares.insert(2, "role", [_role(truth, column) for column in columns_of(graph.schema)])
    judged = shares[shares["role"].isin(["causal", "biased"])]
    causal = np.asarray(judged["role"] == "causal", dtype=np.float64)
    share = np.asarray(judged["share"], dtype=np.float64)
    means = (mean_or_nan(causal), mean_or_nan(share[causal == 1]), mean_or_nan(share[causal == 0]))
    return MaskRecovery(auroc(causal, share), auprc(causal, share), *means, shares)


def column_shares(model: Debiaser, graph: Any, split: str = "test", most: int = 500, seed: int = 0) -> pd.DataFrame:
    """How far the causal and the biased code of a patient move when a column is hidden.

    Args:
        model: A trained model with two streams; the others as in :func:`recover_masks`.
        graph: A graph with the model's schema.
        split: Whose patients.
        most: Patients beyond this many are sampled.
        seed: Of the sampling.

    Returns:
        One row per column: ``modality``, ``column``, ``causal`` and ``biased`` (root mean square of the code's movement
        over patients, in standard deviations of the code), ``share`` = causal / (causal + biased), 0.5 where neither
        moves.

    Raises:
        InputError: The model has no streams.
    """
    beside = model.biased_
    if beside is None and ("debiased" not in model.networks or model.streams is None or not model.streams.streams):
        raise InputError(f"this model has no causal and biased stream (debias={model.debias!r}); use 'full' or 'dfd'")
    rows = rows_of(graph, split)
    if len(rows) > most:
        chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
        rows = rows[torch.from_numpy(np.sort(chosen))]
    network = model.networks["debiased"].eval()
    batch = PatientStore(graph).batch(rows)
    with torch.no_grad():
        tokens = _Tokens(network, batch) if beside is None else _Beside(network, beside.eval(), batch)
        seen = tokens.codes(batch)
        scale = {name: float((code - code.mean(0)).square().sum(1).mean().sqrt()) for name, code in seen.items()}
        moved = []
        for column in columns_of(graph.schema):
            hidden = tokens.codes(mask_column(batch, column), column.modality.name)
            moved.append([_moved(seen[name], hidden[name], scale[name]) for name in ("causal", "biased")])
    found: NDArray[np.float64] = np.asarray(moved, dtype=np.float64).reshape(-1, 2)
    total = found.sum(1)
    share = np.divide(found[:, 0], total, out=np.full(len(total), 0.5), where=total > 0)
    columns = list(columns_of(graph.schema))
    return pd.DataFrame(
        {
            "modality": [column.modality.name for column in columns],
            "column": [column.name for column in columns],
            "causal": found[:, 0],
            "biased": found[:, 1],
            "share": share,
        }
    )


class _Tokens:
    """Each member's tokens of some patients, so that where one modality differs only that one is encoded again.

    Args:
        network: A network.
        batch: The patients.
        streams: Names of the codes that its members make.
    """

    def __init__(self, network: Ensemble, batch: PatientBatch, streams: tuple[str, ...] = ("causal", "biased")) -> None:
        self.network, self.streams = network, streams
        members = network.members if isinstance(network, Ensemble) else []
        kind = StreamPredictor if "causal" in streams else Predictor
        self.members = [member for member in members if isinstance(member, kind)]
        self.kept = [
            {} if member.cells is not None else {name: _encoded(member, name, batch) for name in member.names}
            for member in self.members
        ]

    def codes(self, batch: PatientBatch, changed: str = "") -> dict[str, Tensor]:
        """The members' codes side by side, as :meth:`Ensemble.codes` gives them; each [B, M x d].

        Args:
            batch: The patients, with the same observations but for those of one modality.
            changed: Its name.
        """
        if not self.members:  # a network of another make answers as a whole
            return self.network.codes(self.network(batch))
        bodies = []
        for member, kept in zip(self.members, self.kept):
            inputs: tuple[Tensor, Any]
            if kept:
                own = kept | ({changed: _encoded(member, changed, batch)} if changed else {})
                inputs = torch.cat([*own.values()]), batch.layout
            else:
                inputs = member.inputs(batch)
            bodies.append(member.body(*inputs, batch))
        return {name: torch.cat([body[name] for body in bodies], dim=-1) for name in self.streams}


class _Beside:
    """The same of a prediction and the biased stream trained beside it, two networks.

    Args:
        network: The debiased network, whose code is the causal one.
        beside: The biased stream.
        batch: The patients.
    """

    def __init__(self, network: Ensemble, beside: Ensemble, batch: PatientBatch) -> None:
        named = {"causal": network, "biased": beside}
        self.tokens = {name: _Tokens(each, batch, ("pooled",)) for name, each in named.items()}

    def codes(self, batch: PatientBatch, changed: str = "") -> dict[str, Tensor]:
        """As :meth:`_Tokens.codes`."""
        return {name: each.codes(batch, changed)["pooled"] for name, each in self.tokens.items()}


def _encoded(member: Predictor, name: str, batch: PatientBatch) -> Tensor:
    """Tokens of one modality, none where no patient has it; [E_k, d]."""
    place = member.names.index(name)
    if not int(batch.layout.modality_degree[place]):
        return torch.zeros(0, member.channels)
    tokens: Tensor = member.encoders[place](batch.observations[name])
    return tokens


def _moved(before: Tensor, after: Tensor, scale: float) -> float:
    return float((after - before).square().sum(1).mean().sqrt()) / scale if scale > 0 else 0.0


def _role(truth: Truth, column: Column) -> str:
    """A column's true role; components of a vector have names in the truth, but only places in the schema."""
    roles = truth.masks.get(column.modality.name, {})
    if column.part == "component":
        return [*roles.values()][column.place] if column.place < len(roles) else "noise"
    return roles.get(column.name, "noise")
