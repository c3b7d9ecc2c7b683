"""From a spec to a graph in one call."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from torch_geometric.data import HeteroData

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.receipt.receipt import Receipt
from gdsfd.cohort.schema import CohortSchema
from gdsfd.cohort.spec import CohortSpec, load_spec
from gdsfd.errors import InputError
from gdsfd.graph.from_cohort import graph_from_cohort

__all__ = ["audit", "build_graph"]

_log = logging.getLogger(__name__)


def build_graph(
    spec: str | Path | CohortSpec,
    like: HeteroData | CohortSchema | Any | None = None,
    progress: bool | None = None,
    *,
    scratch: Path | None = None,
    show_ids: bool = False,
    engine: Any = None,
    master: str | None = None,
) -> HeteroData:
    """Reads the exports that a spec names and builds the patient-modality graph.

    Args:
        spec: Path of a TOML spec, or the spec itself.
        like: A graph, a trained model or a schema whose vocabularies, levels and scales are used instead of fitting new
            ones: what that model needs in order to read new patients. They are one evaluation set, ``new``, unless the
            spec's split is a column.
        progress: Whether to show a progress bar; None = only on a terminal.
        scratch: Folder for the database while exports are read; None = a private temporary one.
        show_ids: Whether the receipt keeps the ids of patients whose rows were dropped, up to five per reason. A
            receipt is passed on more easily than a graph, so it has none by default.
        engine: What the exports go through: ``"duckdb"``, on this machine; ``"spark"``, in the session that is active
            or a new one; or a Spark session. The graph is the same. Default: what the spec says, else DuckDB.
        master: Where a new Spark session runs: ``"local[4]"``, ``"spark://host:7077"``; default: what Spark's own
            configuration says, else this machine.

    Returns:
        The graph (see :func:`~gdsfd.graph.from_cohort.graph_from_cohort`).

    Raises:
        InputError: The spec or the exports are wrong; the message says where and what to do.

    Example:
        >>> graph = gdsfd.build_graph("cohort.toml")  # doctest: +SKIP
        >>> new = gdsfd.build_graph("other_hospital.toml", like=graph)  # doctest: +SKIP
        >>> large = gdsfd.build_graph("mimic.toml", engine=spark)  # a SparkSession  # doctest: +SKIP
    """
    schema = like if like is None or isinstance(like, CohortSchema) else getattr(like, "schema", None)
    if like is not None and not isinstance(schema, CohortSchema):
        raise InputError(f"like: expected a graph, a trained model or a schema, got {type(like).__name__} without one")
    cohort = build_cohort(
        _read(spec),
        like=schema,
        progress=progress,
        scratch=scratch,
        show_ids=show_ids,
        engine=engine,
        master=master,
    )
    for source in (cohort.receipt.cohort, *cohort.receipt.modalities):
        for note in source.notes:  # columns left out, values read as missing, ...
            _log.info("%s: %s", source.name, note)
    return graph_from_cohort(cohort)


def audit(source: HeteroData | str | Path | CohortSpec, *, show_ids: bool = False) -> Receipt:
    """What was read, kept and dropped, and why; who has what; and what looks suspicious.

    Args:
        source: A graph, or a spec (its path or itself), whose exports are then read.
        show_ids: As in :func:`build_graph`; for a spec.

    Returns:
        The receipt. ``gdsfd.cohort.receipt.text.receipt_text`` makes it readable.
    """
    if isinstance(source, HeteroData):
        return source.receipt
    return build_cohort(_read(source), show_ids=show_ids).receipt


def _read(spec: str | Path | CohortSpec) -> CohortSpec:
    return load_spec(spec) if isinstance(spec, (str, Path)) else spec
