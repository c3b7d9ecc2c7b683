"""The section "Who has what": the presence picture of :mod:`gdsfd.graph.plot`."""

from __future__ import annotations

import base64
import io
from typing import Any

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.report.section import SECTIONS, Section, SectionContext

__all__ = ["PresenceSection", "presence_picture"]


@SECTIONS.register("presence")
class PresenceSection(Section[str]):
    """Who has which modality, as a picture."""

    name = "presence"
    title = "Who has what"
    template = "presence.html"

    def judge(self, context: SectionContext) -> str | None:
        return presence_picture(context.graph)

    def fill(self, data: str, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        # As a data URI in an <img> its ids and styles cannot clash with the page's.
        image = "data:image/svg+xml;base64," + base64.b64encode(data.encode()).decode()
        return {"image": image, "wide": len(schema.modalities) > 8}


def presence_picture(graph: Any) -> str | None:
    """The picture of who has which modality, as an SVG text; None for a graph without modalities or patients.

    Args:
        graph: The graph.
    """
    if not graph.schema.modalities or not len(graph["patient"].id):
        return None
    from matplotlib import rc_context  # slow to import

    from gdsfd.graph.plot import plot_presence

    by = "environment" if "environment" in graph["patient"] else "split"
    target = io.BytesIO()
    with rc_context({"svg.hashsalt": "gdsfd"}):  # ids inside the picture are the same every time
        plot_presence(graph, by=by).savefig(target, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return target.getvalue().decode("utf-8")
