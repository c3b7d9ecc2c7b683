"""A section of the report: what it looks at, what it says in words, and how and where it stands on the page.

The page is made of sections from its headline to its last line. :data:`PAGE` is their order.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from markupsafe import Markup

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError, cell_text, near_names
from gdsfd.evaluation.assess import SplitResult
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.population import JudgedPopulation
from gdsfd.evaluation.report.fixed_settings import FixedSetting
from gdsfd.evaluation.report.page_templates import template
from gdsfd.evaluation.survival.judge_survival import SurvivalSplit
from gdsfd.registry import Registry
from gdsfd.simulation.truth import Truth
from gdsfd.training.run_record.run_record import RunRecord

__all__ = ["PAGE", "SECTIONS", "Paragraph", "Section", "SectionContext", "sections_of_page"]

#: The built-in sections from the top of the page to its end, and the modules of ``report.sections`` that declare them.
PAGE = {
    "headline": "headline",
    "population": "population",
    "survival": "survival",
    "summary": "summary.section",
    "figures": "figures",
    "parts": "parts",
    "explained": "explained",
    "recalibrated": "recalibrated",
    "debiasing": "debiasing.section",
    "found_strata": "found_strata",
    "strata": "strata.section",
    "cohort": "cohort",
    "presence": "presence",
    "training": "training",
    "method": "method",
}

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
        fixed: What was fixed where before the patients judged were looked at.
        descriptions: Model -> what it says of itself and its training.
        survival: Of a time to an event its figures, split by split.
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
    fixed: tuple[FixedSetting, ...] = ()
    descriptions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    survival: tuple[SurvivalSplit, ...] = ()

    @property
    def schema(self) -> CohortSchema:
        """The graph's schema."""
        schema: CohortSchema = self.graph.schema
        return schema


class Section(ABC, Generic[Data]):
    """One section. :meth:`judge` is all that a section of one's own must have, beside a name and a title.

    It stands on the page as a heading with :meth:`paragraphs`; :meth:`render` may make any other HTML of it.

    Attributes:
        name: Its key in ``metrics.json`` and in ``Report.sections``.
        title: Its heading.
        after: The section that it follows on the page; by default the last one on what the model does. Those of
            :data:`PAGE` stand where that says.
        template: Of a built-in one: the file in ``templates`` that :meth:`fill` has the values for.
    """

    name: str = ""
    title: str = ""
    after: str = "strata"
    template: str = "section.html"

    @abstractmethod
    def judge(self, context: SectionContext) -> Data | None:
        """Works out what the section says; None where there is nothing to say of this model."""

    def paragraphs(self, data: Data, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        """The section's sentences."""
        return ()

    def fill(self, data: Data, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        """What the template shows, beside the title: by default the paragraphs, as ``words``."""
        return {"words": self.paragraphs(data, schema, config)}

    def render(self, data: Data, schema: CohortSchema, config: EvaluationConfig) -> Markup:
        """The section as HTML."""
        return Markup(template(self.template).render({"title": self.title, **self.fill(data, schema, config)}))

    def to_dict(self, data: Data) -> dict[str, Any]:
        """What ``metrics.json`` says of it, JSON-able; merged into the whole. By default nothing."""
        return {}


#: Sections by name. A class decorator declares one: ``@SECTIONS.register("mine")``.
SECTIONS: Registry[type[Section[Any]]] = Registry(
    "report section", built_in=[f"gdsfd.evaluation.report.sections.{module}" for module in PAGE.values()]
)


def sections_of_page() -> dict[str, Section[Any]]:
    """Every section that is declared, from the top of the page to its end.

    Several that follow the same one stand in the order in which they were declared.

    Raises:
        InputError: A section follows one that is not declared, or some follow one another in a circle.
    """
    sections = {name: SECTIONS.find(name)() for name in SECTIONS.names()}
    followers: dict[str, list[str]] = {}
    for name, section in sections.items():
        if name in PAGE:
            continue
        if section.after not in sections:
            raise InputError(
                f"report section {name!r}: it stands after {cell_text(section.after)}, which is no section."
                f"{near_names(str(section.after), sections)}"
            )
        followers.setdefault(section.after, []).append(name)

    def with_followers(name: str) -> Iterator[str]:
        yield name
        for follower in followers.get(name, ()):
            yield from with_followers(follower)

    order = [name for built_in in PAGE for name in with_followers(built_in)]
    circle = [name for name in sections if name not in order]
    if circle:
        raise InputError(f"report sections follow one another in a circle: {', '.join(map(repr, circle))}")
    return {name: sections[name] for name in order}
