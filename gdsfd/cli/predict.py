"""``gdsfd predict``: probabilities per patient, as CSV or Parquet."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gdsfd.cli.output import check_out_file, whole_file
from gdsfd.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from torch_geometric.data import HeteroData

    from gdsfd.cohort.fields import CohortSchema

__all__ = ["add_parser", "probability_table", "run"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "predict",
        help="probabilities per patient, as CSV or Parquet",
        description="Writes the columns id, split and one probability per class (p_<class>) or outcome (p_<outcome>).",
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="RUN", type=Path, help="folder of a trained model")
    parser.add_argument("graph", metavar="GRAPH", type=Path, help="folder of a graph")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--split", help="the split whose patients are predicted; default: all patients")
    which.add_argument("--ids", nargs="+", metavar="ID", help="these patients, in this order")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="a .csv or .parquet file")
    parser.add_argument("--force", action="store_true", help="replace a file that is already there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Predicts and writes the file."""
    check_out_file(arguments.out, (".csv", ".parquet"), arguments.force)

    from gdsfd.graph.files import load_graph
    from gdsfd.training.debiaser import Debiaser

    model = Debiaser.load(arguments.model)
    graph = load_graph(arguments.graph)
    table = probability_table(graph, model.predict_proba(graph, split=arguments.split, ids=arguments.ids), arguments)
    with whole_file(arguments.out) as temporary:
        if arguments.out.suffix.lower() == ".csv":
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)
    print(f"{len(table)} patients: {arguments.out}")


def probability_table(
    graph: HeteroData, probabilities: NDArray[np.floating], arguments: argparse.Namespace
) -> pd.DataFrame:
    """The table that is written.

    Args:
        graph: The patients.
        probabilities: As ``Debiaser.predict_proba`` returns them for ``arguments.split`` or ``arguments.ids``.
        arguments: With ``split`` and ``ids``.

    Returns:
        One row per patient with ``id``, ``split`` and the probabilities.
    """
    import pandas as pd

    from gdsfd.graph.loader import rows_of

    rows = rows_of(graph, arguments.split, arguments.ids).tolist()
    patient = graph["patient"]
    table = pd.DataFrame({"id": [patient.id[row] for row in rows], "split": [patient.split[row] for row in rows]})
    names = probability_columns(graph.schema)
    if probabilities.shape != (len(rows), len(names)):
        raise InputError(f"expected probabilities of shape {(len(rows), len(names))}, got {probabilities.shape}")
    return pd.concat([table, pd.DataFrame(probabilities, columns=names)], axis=1)


def probability_columns(schema: CohortSchema) -> list[str]:
    """``p_<class>`` of one outcome, ``p_<outcome>`` of several."""
    if len(schema.outcomes) == 1:
        return [f"p_{label}" for label in schema.outcomes[0].classes]
    return [f"p_{outcome.name}" for outcome in schema.outcomes]
