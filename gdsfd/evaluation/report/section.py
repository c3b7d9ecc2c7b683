"""A section of the report: what it looks at, what it says in words, and how it stands on the page and in files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from markupsafe import Markup

from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.page_templates import template
from gdsfd.registry import Registry
from gdsfd.simulation.truth import Truth
from gdsfd.training.run_record.run_record import RunRecord

__all__ = ["SECTIONS", "Paragraph", "Section", "SectionContext", "built_sections"]

Data = TypeVar("Data")


@dataclass(frozen=True)
class Paragraph:
    """A few sentences under a short lead.

    Args:
        lead: What they are about.
        text: The sentences.
    """

    lead: str
    text: str


@dataclass(frozen=True)
class SectionContext:
    """What sections may look at.

    Args:
        model: The model judged; any.
        graph: The graph.
        splits: Splits judged on; the first is the headline.
        config: How figures are made.
        results: The figures of each split.
        labels: Model -> what tables call it.
        populations: Whose patients are judged, split by split.
        record: What the model keeps of its training, if anything.
        truth: Of a simulated cohort.
        probes: Whether codes are to be probed.
    """

    model: Any
    graph: Any
    splits: tuple[str, ...]
    config: EvaluationConfig
    results: tuple[SplitResult, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    populations: tuple[JudgedPopulation, ...] = ()
    record: RunRecord | None = None
    truth: Truth | None = None
    probes: bool = True

    @property
    def schema(self) -> CohortSchema:
        """The graph's schema."""
        schema: CohortSchema = self.graph.schema
        return schema


class Section(ABC, Generic[Data]):
    """One section. :meth:`judge` is all that a section of one's own must have, beside a name and a title.

    Attributes:
        name: Its key in ``metrics.json`` and in ``Report.sections``.
        title: Its heading.
        before_figures: Whether it stands above the figures of the splits.
    """

    name: str = ""
    title: str = ""
    before_figures: bool = False

    @abstractmethod
    def judge(self, context: SectionContext) -> Data | None:
        """Works out what the section says; None where there is nothing to say of this model."""

    def paragraphs(self, data: Data, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        """The section's sentences."""
        return ()

    def render(self, data: Data, schema: CohortSchema, config: EvaluationConfig) -> Markup:
        """The section as HTML: by default its heading and its paragraphs."""
        words = self.paragraphs(data, schema, config)
        return Markup(template("section.html").render(title=self.title, words=words))

    def to_dict(self, data: Data) -> dict[str, Any]:
        """What ``metrics.json`` says of it, JSON-able; merged into the whole. By default nothing."""
        return {}


#: Sections by name, in the order of the page. A class decorator declares one: ``@SECTIONS.register("mine")``.
SECTIONS: Registry[type[Section[Any]]] = Registry(
    "report section", built_in=["gdsfd.evaluation.report.built_in_sections"]
)


def built_sections() -> dict[str, Section[Any]]:
    """Every section that is declared, built-in ones first."""
    return {name: SECTIONS.find(name)() for name in SECTIONS.names()}
