"""``gdsfd predict``: probabilities per patient, as CSV or Parquet."""

from __future__ import annotations

import argparse
import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gdsfd.atomic_write import atomic_file
from gdsfd.cli.help_text import examples
from gdsfd.cli.machine import add_json_argument, tell_machine
from gdsfd.cli.output import check_out_file
from gdsfd.cli.progress import heartbeat
from gdsfd.cli.shared_arguments import add_force_argument, add_quiet_argument
from gdsfd.errors import InputError, near_names, shown

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from torch_geometric.data import HeteroData

    from gdsfd.baselines.baseline import Baseline
    from gdsfd.cohort.schema import CohortSchema, SurvivalFields
    from gdsfd.training.debiaser import Debiaser

__all__ = ["add_parser", "misread_ids", "probability_table", "run", "streams_table", "survival_table"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser], shared: argparse.ArgumentParser) -> None:
    """Adds the sub-command."""
    parser = commands.add_parser(
        "predict",
        help="probabilities per patient, as CSV or Parquet",
        description="Writes the columns id, split and one probability per class (p_<class>) or, of several outcomes, "
        "per outcome (p_<outcome>). Of a time to an event the columns are risk (the higher, the earlier it "
        "is expected) "
        "and the chance to be free of it at each time (free_at_<time>). With --sets also a set of labels per outcome, "
        "with --streams what the two streams of a model say.",
        epilog=examples(
            "gdsfd predict run graph --split test --out p.csv",
            "gdsfd predict run graph --ids 141765 141793 --out p.csv",
            "gdsfd predict run graph --split test --sets 0.1 --out p.parquet",
        ),
        parents=[shared],
    )
    parser.add_argument("model", metavar="RUN", type=Path, help="folder of a trained model, as gdsfd train makes it")
    parser.add_argument("graph", metavar="GRAPH", type=Path, help="folder of a graph, as gdsfd build makes it")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="the file to write, .csv or .parquet")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--split", help="predict the patients of this split (default: all patients)")
    which.add_argument("--ids", nargs="+", action="extend", metavar="ID", help="predict these patients, in this order")
    parser.add_argument(
        "--times",
        nargs="+",
        action="extend",
        type=float,
        metavar="T",
        help="of a time to an event: the times to predict, in the unit of the cohort's times (default: where the "
        "model's intervals end)",
    )
    parser.add_argument(
        "--format",
        choices=("table", "meds"),
        default="table",
        help="table: the columns above; meds: those that MEDS-Evaluation reads (subject_id, prediction_time, "
        "boolean_value, predicted_boolean_value, predicted_boolean_probability), as Parquet (default: table)",
    )
    parser.add_argument(
        "--outcome",
        metavar="NAME",
        help="with --format meds: which of several outcomes, or 'OUTCOME: CLASS' of classes",
    )
    parser.add_argument(
        "--sets",
        metavar="ALPHA",
        type=float,
        help="also a set of labels per patient, large enough to hold the true one but for a share ALPHA of "
        "patients, 0.1 "
        "say (conformal prediction; docs/calibration.md says what that promises)",
    )
    parser.add_argument(
        "--sets-by-class", action="store_true", help="with --sets: hold the share among the patients of each label, too"
    )
    parser.add_argument(
        "--sets-on",
        metavar="SPLIT",
        help="with --sets: learn how large sets must be from the labelled patients of this split of GRAPH "
        "(default: the "
        "training cohort's tuning patients)",
    )
    parser.add_argument(
        "--streams",
        action="store_true",
        help="also what each stream of a model of --debias full says, in nats of log-odds: causal_<class> (the "
        "debiased prediction) and biased_<class> (what the practice of the training patients would add to it)",
    )
    parser.add_argument(
        "--by",
        metavar="MODEL",
        help="predict by a simple model that is kept with the run instead of the network: logistic, boosting, "
        "logistic_margin, ... (what there is stands in the message about another word)",
    )
    add_quiet_argument(parser)
    add_json_argument(parser)
    add_force_argument(parser, "a file")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Predicts and writes the file."""
    if arguments.sets is None and (arguments.sets_by_class or arguments.sets_on is not None):
        raise InputError("--sets-by-class and --sets-on go with --sets ALPHA")
    if arguments.by is not None:
        for option in ("sets", "streams"):
            if getattr(arguments, option):
                raise InputError(f"--{option} is asked of the network, not of the model of --by; leave one of them out")
    if arguments.format == "meds":
        for option in ("sets", "streams", "by"):
            if getattr(arguments, option):
                raise InputError(f"--{option} has no place in the columns of --format meds; write a table")
        _write_meds(arguments)
        return
    if arguments.outcome is not None:
        raise InputError("--outcome goes with --format meds; a table has all outcomes")
    check_out_file(arguments.out, (".csv", ".parquet"), arguments.force)

    from gdsfd.graph.loader import rows_of
    from gdsfd.graph.serialization import load_graph
    from gdsfd.training.debiaser import Debiaser

    model = Debiaser.load(arguments.model)
    graph = load_graph(arguments.graph)
    assert model.schema is not None  # loaded models have one
    if arguments.times is not None and model.schema.survival is None:
        raise InputError(f"{arguments.model}: --times is for a time to an event; this model predicts probabilities")
    with heartbeat("predicting", arguments.quiet, line=True):
        kept = None if arguments.by is None else _kept(model, arguments.model, arguments.by)
        by = model if kept is None else kept
        probabilities = by.predict_proba(graph, split=arguments.split, ids=arguments.ids)
    rows = rows_of(graph, arguments.split, arguments.ids).tolist()
    if model.schema.survival is not None:
        table = survival_table(graph, rows, probabilities, model.schema.survival, arguments.times)
    else:
        table = probability_table(graph, rows, probabilities, model.schema)
    if arguments.streams:
        said = model.log_odds(graph, split=arguments.split, ids=arguments.ids)
        table = table.join(streams_table(said, model.schema))
    limits = ""
    if arguments.sets is not None:
        method = "by_class" if arguments.sets_by_class else "lac"
        sets = model.predict_sets(
            graph, arguments.split, arguments.ids, alpha=arguments.sets, method=method, on=arguments.sets_on
        )
        table, limits = table.join(sets.to_frame().drop(columns="id")), sets.on
    is_csv = arguments.out.suffix.lower() == ".csv"
    with atomic_file(arguments.out) as temporary:
        if is_csv:
            table.to_csv(temporary, index=False)
        else:
            table.to_parquet(temporary, index=False)
    formulas = [cell for cell in [*table["id"], *table["split"].unique()] if looks_like_formula(cell)] if is_csv else []
    if formulas:
        warnings.warn(
            f"{len(formulas)} ids or split names begin with a sign that spreadsheets take for a formula: "
            f"{shown(formulas, 3)}. They are written as they are; import the file with these columns as text, or write "
            ".parquet",
            stacklevel=1,
        )
    misread = misread_ids(table["id"]) if is_csv and "id" in table else []
    if misread:
        warnings.warn(
            f"{len(misread)} ids are other ones once pandas has read the file as it does by default, blank or the same "
            f"number as another id: {shown(misread, 3)}. Read it with dtype={{'id': str}} and keep_default_na=False, "
            "or write .parquet",
            stacklevel=1,
        )
    told = {**({"limits": limits} if limits else {}), **({"by": arguments.by} if arguments.by is not None else {})}
    tell_machine(arguments, predictions=arguments.out, patients=len(table), columns=list(table.columns), **told)
    if not arguments.quiet:
        if limits:
            print(f"sets: {limits}")
        if kept is not None:
            print(f"by: {kept.name}, kept with the run; its risks are not recalibrated")
        print(f"{len(table)} patient{'s' if len(table) != 1 else ''}: {arguments.out}")


def _kept(model: Debiaser, run: Path, name: str) -> Baseline:
    """A simple model that is kept with a run.

    Raises:
        InputError: There is none of that name.
    """
    kept = model.record.baselines if model.record is not None else {}
    if name not in kept:
        there = near_names(name, kept) if kept else " It keeps none: it was trained with --no-baselines."
        raise InputError(f"{run}: no simple model {name!r} is kept with this run.{there}")
    return kept[name]


def _write_meds(arguments: argparse.Namespace) -> None:
    """Predicts and writes what MEDS-Evaluation reads."""
    check_out_file(arguments.out, (".parquet",), arguments.force)

    import pyarrow.parquet as pq

    from gdsfd.evaluation.meds_predictions import meds_predictions
    from gdsfd.graph.serialization import load_graph
    from gdsfd.training.debiaser import Debiaser

    model, graph = Debiaser.load(arguments.model), load_graph(arguments.graph)
    with heartbeat("predicting", arguments.quiet, line=True):
        table = meds_predictions(model, graph, arguments.split, arguments.ids, outcome=arguments.outcome)
    with atomic_file(arguments.out) as temporary:
        pq.write_table(table, temporary)
    tell_machine(arguments, predictions=arguments.out, patients=table.num_rows, columns=table.column_names)
    if not arguments.quiet:
        print(f"{table.num_rows} predictions: {arguments.out}")


def misread_ids(ids: Iterable[str]) -> list[str]:
    """Ids that ``pandas.read_csv`` takes for blanks, or two and more of which it takes for one number.

    Args:
        ids: The ids.

    Example:
        >>> misread_ids(["NA", "7", "a"]), misread_ids(["007", "8", "7"]), misread_ids(["007", "8"])
        (['NA'], ['007', '7'], [])
    """
    import pandas as pd

    written = pd.DataFrame({"id": list(dict.fromkeys(ids)), "beside": 0})  # a line with a blank alone would be skipped
    read = pd.read_csv(io.StringIO(written.to_csv(index=False)), low_memory=False)["id"]
    return [str(own) for own in written["id"][(read.isna() | read.duplicated(keep=False)).to_numpy()]]


def looks_like_formula(cell: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula; a negative number is none.

    Example:
        >>> [looks_like_formula(cell) for cell in ("=1+1", "@SUM(A1)", "-12", "-a", "001")]
        [True, True, False, True, False]
    """
    return cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not cell[1:].replace(".", "", 1).isdigit()


def probability_table(
    graph: HeteroData, rows: list[int], probabilities: NDArray[np.floating], schema: CohortSchema
) -> pd.DataFrame:
    """The table that is written.

    Args:
        graph: The patients.
        rows: Which of them.
        probabilities: As ``Debiaser.predict_proba`` returns them; one row per entry of ``rows``.
        schema: The model's: it names the classes.

    Returns:
        ``id``, ``split`` and the probabilities: ``p_<class>`` of one outcome, ``p_<outcome>`` of several.
    """
    import pandas as pd

    if len(schema.outcomes) == 1:
        names = [f"p_{label}" for label in schema.outcomes[0].classes]
    else:
        names = [f"p_{outcome.name}" for outcome in schema.outcomes]
    return pd.concat([_patients(graph, rows), pd.DataFrame(probabilities, columns=names)], axis=1)


def streams_table(said: Mapping[str, NDArray[np.floating]], schema: CohortSchema) -> pd.DataFrame:
    """What the streams say, a column for each and each class or outcome.

    Args:
        said: As ``Debiaser.log_odds`` returns it.
        schema: The model's: it names the classes.

    Returns:
        ``causal_<class>`` and ``biased_<class>`` of one outcome (of two classes the second), ``causal_<outcome>`` and
        ``biased_<outcome>`` of several; nats of log-odds, of more than two classes of log-probability.
    """
    import pandas as pd

    classes = schema.outcomes[0].classes
    names = [outcome.name for outcome in schema.outcomes]
    if len(names) == 1:
        names = list(classes) if schema.multiclass else [classes[1]]
    columns = [pd.DataFrame(each, columns=[f"{stream}_{name}" for name in names]) for stream, each in said.items()]
    return pd.concat(columns, axis=1)


def survival_table(
    graph: HeteroData,
    rows: list[int],
    hazards: NDArray[np.floating],
    fields: SurvivalFields,
    times: Sequence[float] | None = None,
) -> pd.DataFrame:
    """The table of a time to an event.

    Args:
        graph: The patients.
        rows: Which of them.
        hazards: As ``Debiaser.predict_proba`` returns them; one row per entry of ``rows``.
        fields: The model's intervals.
        times: When; None = where the intervals end.

    Returns:
        ``id``, ``split``, ``risk`` and ``free_at_<time>``: the chance to be free of the event then.

    Raises:
        InputError: A time lies before 0 or beyond the horizon.
    """
    import pandas as pd

    from gdsfd.training.survival_curve import check_times, risk_of, survival_at

    asked = check_times(fields, None if times is None else list(dict.fromkeys(times)))
    table = _patients(graph, rows).assign(risk=risk_of(hazards))
    names = [f"free_at_{time!r}".removesuffix(".0") for time in asked.tolist()]
    return pd.concat([table, pd.DataFrame(survival_at(fields, hazards, asked), columns=names)], axis=1)


def _patients(graph: HeteroData, rows: list[int]) -> pd.DataFrame:
    import pandas as pd

    patient = graph["patient"]
    return pd.DataFrame({"id": [patient.id[row] for row in rows], "split": [patient.split[row] for row in rows]})
