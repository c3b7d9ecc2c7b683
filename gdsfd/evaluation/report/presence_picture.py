"""The presence picture of :mod:`gdsfd.graph.plot`, as text that a page can hold."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["presence_picture"]


def presence_picture(graph: Any) -> str | None:
    """The picture of who has which modality, as an SVG text; None for a graph without modalities or patients.

    Args:
        graph: The graph.
    """
    if not graph.schema.modalities or not len(graph["patient"].id):
        return None
    from gdsfd.graph.plot import plot_presence  # matplotlib is slow to import

    by = "environment" if "environment" in graph["patient"] else "split"
    target = io.BytesIO()
    plot_presence(graph, by=by).savefig(target, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return target.getvalue().decode("utf-8")
