"""The directive ``results``: a file of benchmark results as tables and sentences, anew whenever the file changes."""

from __future__ import annotations

from pathlib import Path

import alignment_lines
import bench_lines
import boosted_lines
import delivered_lines
import explanation_lines
import guard_lines
import interval_lines
import package_lines
import planted_lines
import result_lines
import scale_lines
import streams_lines
import suspect_lines
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

PAGES = {
    "real_cohorts": result_lines.real_cohorts,
    "small_cohort_choices": result_lines.small_cohort_choices,
    "ingest": result_lines.ingest,
    "message_passing": bench_lines.message_passing,
    "train_step": bench_lines.train_step,
    "train_command": bench_lines.train_command,
    "inference": bench_lines.inference,
    "interval_coverage": interval_lines.interval_coverage,
    "boosted_members": boosted_lines.boosted_members,
    "explanations": explanation_lines.explanations,
    "forced_and_delivered": delivered_lines.forced_and_delivered,
    "boosting_verdicts": delivered_lines.boosting_verdicts,
    "default_parts": delivered_lines.default_parts,
    "streams_apart": streams_lines.streams_apart,
    "streams_together": streams_lines.streams_together,
    "guard_by_fold": guard_lines.guard_by_fold,
    "package_cohorts": package_lines.package_cohorts,
    "planted_practice": planted_lines.planted_practice,
    "site_alignment": alignment_lines.site_alignment,
    "real_shifts_trees": guard_lines.real_shifts_trees,
    "larger_than_memory": scale_lines.larger_than_memory,
    "wrong_suspects": suspect_lines.wrong_suspects,
    "ordered_because_ill": suspect_lines.ordered_because_ill,
}
#: Modules whose change changes a page.
_MODULES = (
    result_lines,
    bench_lines,
    boosted_lines,
    delivered_lines,
    explanation_lines,
    guard_lines,
    alignment_lines,
    package_lines,
    planted_lines,
    streams_lines,
    suspect_lines,
    interval_lines,
    scale_lines,
)


class Results(Directive):
    """``.. results:: ingest``"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        file = result_lines.file_of(name)
        for source in (
            file,
            *(Path(str(module.__file__)) for module in _MODULES),
        ):
            self.state.document.settings.env.note_dependency(str(source))
        lines = result_lines.read_lines(file)
        if not lines:
            raise self.error(f"results: there is no line in benchmarks/results/{file.name}")
        text = PAGES[name](lines)
        container = nodes.container()
        self.state.nested_parse(StringList("\n".join(text).split("\n"), source=file.name), 0, container)
        return container.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("results", Results)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
