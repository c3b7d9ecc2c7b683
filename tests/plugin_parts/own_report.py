"""A metric, a section of the report and a baseline of one's own."""

from __future__ import annotations

from gdsfd.evaluation.intervals.of_metric import percentile_limits
from gdsfd.evaluation.metrics.metric import METRICS, Metric, Sample
from gdsfd.evaluation.report.section import SECTIONS, Paragraph, Section
from tests.plugin_parts import counting_baseline  # noqa: F401  declares "counting"


def f1(sample: Sample):
    """2 TP / (2 TP + FP + FN) is a ratio of sums."""
    return 2 * sample.flagged * sample.y, sample.flagged + sample.y


METRICS.register("f1")(Metric("f1", "F1 score", ratio=f1, interval=percentile_limits, at_threshold=True, compared=True))


@SECTIONS.register("prevalence")
class Prevalence(Section[dict[str, float]]):
    """How frequent the outcome is on every split judged."""

    name = "prevalence"
    title = "How frequent is it?"

    def judge(self, context):
        return {split.split: split.model.targets[0].prevalence for split in context.results}

    def paragraphs(self, data, schema, config):
        return [Paragraph(f"On {split}", f"{share:.1%} have the outcome.") for split, share in data.items()]

    def to_dict(self, data):
        return {"how_frequent": data}
