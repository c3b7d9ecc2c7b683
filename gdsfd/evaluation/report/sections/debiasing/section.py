"""The section "Did debiasing help?": sentences, both networks' figures, and a picture of what the codes know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from gdsfd.baselines.baseline import BASELINES
from gdsfd.cohort.schema import CohortSchema
from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.diagnostics.probes import Probe, Probes, ProbeScore
from gdsfd.evaluation.report.numbers import number
from gdsfd.evaluation.report.section import SECTIONS, Paragraph, Section, SectionContext
from gdsfd.evaluation.report.sections.debiasing.debiasing import Debiasing, judge_debiasing
from gdsfd.evaluation.report.sections.debiasing.narrative import STREAM_WORDS, debiasing_narrative, target_words
from gdsfd.evaluation.report.svg_axis import Axis, grid_line, tick_text

__all__ = ["DebiasingSection", "probe_cell", "probe_header"]

#: Left and right end of the picture's axis.
LOW, HIGH = 0.4, 1.0
_WIDTH, _HEIGHT, _EDGE = 260, 24, 10
#: Stream -> CSS class of its mark, the most important last (it is drawn on top).
MARKS = {"reference": "plain", "biased": "biased", "debiased": "causal", "causal": "causal"}


@SECTIONS.register("debiasing")
class DebiasingSection(Section[Debiasing]):
    """Both networks of a debiased model on the same patients, and what its codes know."""

    name = "debiasing"
    title = "Did debiasing help?"
    template = "debiasing.html"

    def judge(self, context: SectionContext) -> Debiasing | None:
        return judge_debiasing(
            context.model, context.graph, context.splits, context.config, context.truth, context.probes
        )

    def paragraphs(self, data: Debiasing, schema: CohortSchema, config: EvaluationConfig) -> Sequence[Paragraph]:
        return debiasing_narrative(data, schema, config.level)

    def fill(self, data: Debiasing, schema: CohortSchema, config: EvaluationConfig) -> dict[str, Any]:
        probes = data.probes
        return {
            "words": self.paragraphs(data, schema, config),
            "both": data.both,
            "simpler": [_simpler(each) for each in data.guard["evidence"].get("simpler", [])],
            "level": config.level,
            "rows": _rows(probes, schema) if probes is not None else [],
            "legend": _legend(probes) if probes is not None else [],
            "header": Markup(probe_header()),
            "probes": probes,
        }

    def to_dict(self, data: Debiasing) -> dict[str, Any]:
        return {"debiasing": data.to_dict()}


def _simpler(told: dict[str, Any]) -> dict[str, Any]:
    """A simple model where the guard compared networks."""
    plain, model = (BASELINES.find(told[key]).name for key in ("instead_of", "model"))
    taken = model if told["choice"] == "debiased" else plain
    gain = _with_ends(told["difference"], told["low"], told["high"])
    above = _with_ends(told["above_network"], told["above_network_low"], told["above_network_high"])
    return {
        "name": model,
        "plain": told["reference"],
        "told": told["other"],
        "gain": gain,
        "taken": taken,
        "above": above,
    }


def _with_ends(value: float, low: float, high: float) -> str:
    ends = "no interval" if (low, high) == (-1.0, 1.0) else f"{number(low, signed=True)} to {number(high, signed=True)}"
    return f"{number(value, signed=True)} ({ends})"


def _legend(probes: Probes) -> list[dict[str, Any]]:
    shown = [stream for stream in ("causal", "debiased", "biased", "reference") if stream in probes.streams]
    return [{"label": STREAM_WORDS[stream], "mark": Markup(_key(stream))} for stream in shown]


def _key(stream: str) -> str:
    return f'<svg class="mark" viewBox="0 0 14 14" aria-hidden="true">{_mark(stream, 7, 7)}</svg>'


def _rows(probes: Probes, schema: CohortSchema) -> list[dict[str, Any]]:
    """One row per target: suspects first, then other facts, the outcome and the truth."""
    order = {"suspect": 0, "fact": 1, "outcome": 2, "truth": 3}
    kinds = {
        "suspect": "distrusted",
        "fact": "not distrusted",
        "outcome": "outcome",
        "truth": "known of this simulation",
    }
    targets = {one.target: one for one in sorted(probes.probes, key=lambda one: order[one.kind])}
    rows = []
    for name, first in targets.items():
        found = [one for stream in MARKS if (one := probes.find(stream, name)) is not None]
        rows.append(
            {
                "name": target_words(name, schema),
                "note": kinds[first.kind],
                "levels": first.levels,
                "patients": first.patients,
                "all": Markup(probe_cell([(one.stream, one.all) for one in found])),
                "same": Markup(probe_cell([(one.stream, one.same_outcome) for one in found])),
                "probes": [_figures(one) for one in reversed(found)],
            }
        )
    return rows


def _figures(one: Probe) -> dict[str, Any]:
    return {
        "stream": STREAM_WORDS.get(one.stream, one.stream),
        "all": _with_band(one.all),
        "same": _with_band(one.same_outcome),
        "boosted": number(one.boosted, 2),
    }


def _with_band(reading: ProbeScore) -> str:
    if reading.auc != reading.auc:
        return number(reading.auc)
    return f"{number(reading.auc, 2)} (chance {number(reading.low, 2)} to {number(reading.high, 2)})"


def _x(value: float) -> float:
    return Axis(LOW, HIGH, _EDGE, _WIDTH - _EDGE)(min(max(value, LOW), HIGH))


def probe_header() -> str:
    """The axis."""
    parts = [f'<svg class="probe" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">']
    for tenth in range(4, 11):
        x = _x(tenth / 10)
        parts.append(tick_text(x, 14, f"{tenth / 10:.1f}"))
        parts.append(grid_line(x, 19, x, 24, "tickmark"))
    return "".join([*parts, "</svg>"])


def probe_cell(readings: list[tuple[str, ProbeScore]]) -> str:
    """One row of the picture: chance as a grey band, a mark per stream. Nothing where no figure is defined.

    Args:
        readings: Streams and what was read, the most important last. The band is the widest of theirs. Figures outside
            the axis stand at its end.
    """
    defined = [(stream, one) for stream, one in readings if one.auc == one.auc]
    if not defined:
        return ""
    middle = _HEIGHT / 2
    label = "; ".join(f"{STREAM_WORDS.get(stream, stream)} {number(one.auc, 2)}" for stream, one in reversed(defined))
    parts = [f'<svg class="probe" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">']
    parts.append(f"<title>{label}</title>")
    low = min((one.low for _, one in defined if one.low == one.low), default=0.5)
    high = max((one.high for _, one in defined if one.high == one.high), default=0.5)
    width = round(_x(high) - _x(low), 1)
    parts.append(f'<rect class="chance" x="{_x(low)}" y="1" width="{width}" height="{_HEIGHT - 2}"/>')
    ends = sorted(_x(one.auc) for _, one in defined)
    parts.append(f'<line class="span" x1="{ends[0]}" y1="{middle}" x2="{ends[-1]}" y2="{middle}"/>')
    parts.extend(_mark(stream, _x(one.auc), middle) for stream, one in defined)
    return "".join([*parts, "</svg>"])


def _mark(stream: str, x: float, y: float) -> str:
    style = MARKS.get(stream, "plain")
    if style == "biased":
        return f'<path class="probe-biased" d="M{x} {y - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>'
    radius = 4.5 if style == "causal" else 5
    return f'<circle class="probe-{style}" cx="{x}" cy="{y}" r="{radius}"/>'
