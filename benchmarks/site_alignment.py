"""Does putting every site on one scale, which needs no labels, help a site that was not trained on? A JSON line each.

    python benchmarks/site_alignment.py --cohorts uci_heart,eicu,physionet2012,support2

Environments are left out in turn as in ``real_shifts.py``. The flattened table is taken as it is (``as measured``),
with each column's values less their median in the patient's environment (``centred``), or as their rank there
(``ranks``;
both leave columns of fewer than five values, and of fewer than twenty measured patients of an environment, as they
are). Of the environment left out its own patients give median and ranks, all at once and without labels: more than one
patient alone would have. Two models, both with fixed settings, so that there is nothing to choose.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from real_shifts import COHORTS, EXAMPLES
from results_line import append_line
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import gdsfd
from gdsfd.baselines.boosting import splittable
from gdsfd.baselines.standardiser import Standardiser
from gdsfd.comparison.leave_one_environment_out import environments_to_leave_out
from gdsfd.graph.flatten import flatten

FILE = "site_alignment.jsonl"
FEWEST_VALUES, FEWEST_PATIENTS = 5, 20
Matrix = NDArray[np.float32]
Names = NDArray[np.str_]


def centred(values: Matrix) -> Matrix:
    """Values of one column and environment less their median."""
    return values - np.median(values)


def ranks(values: Matrix) -> Matrix:
    """Values of one column and environment as their rank, between 0 and 1."""
    return ((rankdata(values) - 0.5) / len(values)).astype(np.float32)


def aligned(x: Matrix, environment: Names, change: Callable[[Matrix], Matrix]) -> Matrix:
    """The table with each environment's columns changed by themselves; holes stay."""
    x = x.copy()
    for name in np.unique(environment):
        rows = np.flatnonzero(environment == name)
        for column in range(x.shape[1]):
            measured = rows[np.isfinite(x[rows, column])]
            values = x[measured, column]
            if len(measured) >= FEWEST_PATIENTS and len(np.unique(values)) >= FEWEST_VALUES:
                x[measured, column] = change(values)
    return x


def logistic(x: Matrix, y: NDArray[np.int64], tested: Matrix) -> NDArray[np.float64]:
    """Probabilities of logistic regression with a fixed penalty."""
    table = Standardiser(x)
    model = LogisticRegression(C=0.01, max_iter=500).fit(table(x), y)
    return np.asarray(model.predict_proba(table(tested))[:, 1])


def boosting(x: Matrix, y: NDArray[np.int64], tested: Matrix) -> NDArray[np.float64]:
    """Probabilities of 150 shallow trees."""
    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=15, early_stopping=False, random_state=0
    )
    columns = splittable(x, 20)  # what no split can part is left out: scikit-learn cannot bin a column without values
    return np.asarray(model.fit(x[:, columns], y).predict_proba(tested[:, columns])[:, 1])


def judged(cohort: str) -> list[dict[str, Any]]:
    """Model and table -> AUROC on each environment left out."""
    graph = gdsfd.build_graph(EXAMPLES / f"{cohort}.toml", progress=False)
    patient = graph["patient"]
    y, environment = patient.y[:, 0].numpy(), np.asarray([str(name) for name in patient.environment])
    x = flatten(graph)[0]
    tables = {"as measured": x, "centred": aligned(x, environment, centred), "ranks": aligned(x, environment, ranks)}
    lines = []
    for model in (logistic, boosting):
        for name, table in tables.items():
            areas = {}
            for place in environments_to_leave_out(graph):
                own, others = (environment == place) & (y >= 0), (environment != place) & (y >= 0)
                score = model(table[others], y[others], table[own])
                areas[place] = round(float(roc_auc_score(y[own], score)), 4)
            lines.append({"cohort": cohort, "model": model.__name__, "table": name, "auroc": areas})
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", default=COHORTS, help="comma-separated names of specs in examples/")
    for cohort in parser.parse_args().cohorts.split(","):
        for line in judged(cohort):
            append_line(FILE, **line)
            mean = round(float(np.mean(list(line["auroc"].values()))), 4)
            print(cohort, line["model"], line["table"], mean, flush=True)


if __name__ == "__main__":
    main()
