r"""Who loses a modality, and why: at random, by a covariate, by risk, by outcome, or by the habits of another site.

Each mechanism gives every patient a probability of losing a modality that the patient has. By a covariate or by risk it
is :math:`\sigma(a + 2 z)` with z the standardised driver and a such that the mean over the patients concerned is the
rate asked for. By outcome it is the rate in one class and 0 in the other (so that the overall rate is the rate times
the share of the class).

References:
    Missingness linked to a class, and flipped between training and test: Swamy et al., MultiModN, NeurIPS (2023).
    The steepness of 2 and the way of transplanting patterns are our formulation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch_geometric.data import HeteroData

from gdsfd.comparison.scores import any_label
from gdsfd.graph.availability import presence_of
from gdsfd.graph.flatten import flatten

__all__ = ["anchor_of", "by_driver", "covariate_of", "ill_and_well", "risk_of", "transplanted"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: How steeply the log-odds of losing a modality rise with the standardised driver.
STEEPNESS = 2.0
#: Patients of a site whose patterns are drawn from for one patient.
NEAREST = 5
#: Patients that a model of risk is fitted on.
MOST_FITTED = 5000


def anchor_of(graph: HeteroData) -> str:
    """The modality that most patients have, the first of several: mechanisms leave it, and read it."""
    counts = presence_of(graph).sum(0).tolist()
    return str(graph.schema.names[int(np.argmax(counts))])


def by_driver(driver: Floats, rate: float) -> Floats:
    """Probabilities that rise with a driver and have a given mean; [n].

    Args:
        driver: NaN counts as the mean; [n].
        rate: Their mean, between 0 and 1.

    Example:
        >>> found = by_driver(np.array([-1.0, 0.0, 1.0]), 0.5)
        >>> found.round(2).tolist()
        [0.08, 0.5, 0.92]
    """
    known = np.isfinite(driver)
    spread = float(driver[known].std()) if known.any() else 0.0
    z = np.where(known, (driver - driver[known].mean()) / spread, 0.0) if spread > 0 else np.zeros(len(driver))
    if not 0 < rate < 1 or not len(z):
        return np.full(len(z), min(max(rate, 0.0), 1.0))
    start = float(brentq(lambda a: float(expit(a + STEEPNESS * z).mean()) - rate, -60.0, 60.0))
    return np.asarray(expit(start + STEEPNESS * z), dtype=np.float64)


def covariate_of(graph: HeteroData) -> tuple[str, Floats]:
    """The column of the anchor that varies most evenly among its numbers, and its values; [N].

    The one with the fewest missing values, of these the first that takes more than two values; without any, the number
    of modalities a patient has.
    """
    table, names = flatten(graph)
    start = f"{anchor_of(graph)}."
    best, column = -1.0, ("number of modalities", presence_of(graph).sum(1).numpy().astype(np.float64))
    for place, name in enumerate(names):
        values = table[:, place].astype(np.float64)
        known = np.isfinite(values)
        if name.startswith(start) and len(np.unique(values[known])) > 2 and known.mean() > best:
            best, column = float(known.mean()), (name, values)
    return column


def risk_of(graph: HeteroData, seed: int, folds: int = 5) -> Floats:
    """Log-odds of the first outcome (of any class but the first), from folds that have not seen the patient's subject.

    Logistic regression on the flat table, over patients of all splits with a label, of whom at most 5,000 are drawn to
    fit on; NaN for those without. It only decides who loses a modality; no learner sees it. Constant where there is one
    class.

    Args:
        graph: The graph.
        seed: Of the folds.
        folds: Of subjects.
    """
    ill, well = ill_and_well(graph)
    labelled = np.flatnonzero(ill | well)
    found = np.full(len(ill), np.nan)
    subject = np.unique(np.asarray(graph["patient"].subject, dtype=str)[labelled], return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    subject = rng.permutation(subject.max(initial=-1) + 1)[subject]
    parts = min(folds, len(np.unique(subject)))
    if parts < 2 or len(np.unique(ill[labelled])) < 2:
        found[labelled] = 0.0
        return found
    table = flatten(graph, labelled)[0]
    y = ill[labelled].astype(int)
    for train, rest in GroupKFold(parts).split(table, y, subject):
        few = train if len(train) <= MOST_FITTED else rng.choice(train, MOST_FITTED, replace=False)
        if len(np.unique(y[few])) < 2:
            found[labelled[rest]] = 0.0
            continue
        model = _linear(LogisticRegression(C=0.01, max_iter=200)).fit(table[few].astype(np.float64), y[few])
        found[labelled[rest]] = model.decision_function(table[rest].astype(np.float64))
    return found


def ill_and_well(graph: HeteroData) -> tuple[Flags, Flags]:
    """Who has the first outcome, or any class but the first, and who is known not to; bool [N] each."""
    label = any_label(graph)
    return label > 0, label == 0


def transplanted(graph: HeteroData, environment: str, rng: np.random.Generator) -> Flags:
    """What patients lose if they are recorded like those of an environment; True = lost; bool [N, K].

    Every patient of another environment gets a donor, and loses what the donor lacks. The donor is drawn from the five
    patients of the environment of whom, by what everybody has, most nearly as many modalities are expected (a ridge
    regression, fitted in the environment); where no modality is had by everybody, from all of them. What the donor has
    and the patient lacks stays absent: nothing is invented, so that patients end with less than the site records.

    Args:
        graph: The graph.
        environment: Whose habits.
        rng: Of the draws.
    """
    presence = presence_of(graph).numpy()
    there = np.asarray(graph["patient"].environment, dtype=object).astype(str) == environment
    donors, others = np.flatnonzero(there), np.flatnonzero(~there)
    lost = np.zeros_like(presence)
    expected = _expected_number(graph, presence, donors)
    order = donors[np.argsort(expected[donors], kind="stable")]
    near = min(NEAREST, len(order))
    middle = np.searchsorted(expected[order], expected[others])
    first = np.clip(middle - near // 2, 0, len(order) - near)
    spread = near if np.ptp(expected[donors]) > 0 else len(order)
    drawn = order[(first if spread == near else np.zeros_like(first)) + rng.integers(0, spread, len(others))]
    lost[others] = presence[others] & ~presence[drawn]
    return lost


def _expected_number(graph: HeteroData, presence: Flags, donors: NDArray[np.int64]) -> Floats:
    """Number of modalities by what everybody has; constant where nothing is had by everybody."""
    always = [name for name, own in zip(graph.schema.names, presence.T) if own.all()]
    table, names = flatten(graph)
    kept = [place for place, name in enumerate(names) if any(name.startswith(f"{each}.") for each in always)]
    if not kept:
        return np.zeros(len(presence))
    columns = table[:, kept].astype(np.float64)
    model = _linear(Ridge(10.0)).fit(columns[donors], presence[donors].sum(1))
    return np.asarray(model.predict(columns), dtype=np.float64)


def _linear(last: Any) -> Pipeline:
    fill = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_pipeline(fill, StandardScaler(), last)
