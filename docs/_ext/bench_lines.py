"""Lines of ``gdsfd bench`` as tables and sentences. Every word about a result follows from its figures by a rule.

Needs nothing of Sphinx; writes reStructuredText.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from result_lines import newest
from rst_table import list_table

Line = dict[str, Any]

PLAIN, PRODUCTS, MINE, ERM = "plain pyg", "bare products", "auto", "gdsfd, ERM"
BOTH = "forward+backward"
FASTER, PRODUCTS_TIMES, STEP_FASTER = 3.0, 2.0, 5.0  # the bars: how often plain PyG's speed, the products' time
STEPS_WITH_BAR = ("muse",)  # the models whose training step has a bar
STREAMS_TIMES = 2.6  # most that two streams may cost: times ERM's step
MEMORY_SHARE = {5: 0.45}  # number of hubs -> most of plain PyG's own memory
FULL_PATIENTS, FULL_BYTES, FULL_RATIO = 1_000_000, 12e9, 1.3  # one pass over so many patients


def message_passing(lines: list[Line]) -> list[str]:
    """Tables and sentences of every shape whose memory was measured, the CPU's before a GPU's."""
    out: list[str] = []
    for device in ("cpu", "cuda"):
        found = newest((line for line in lines if line["device"] == device), _key)
        shapes = dict.fromkeys(key[0] for key, line in found.items() if "step_bytes" in line)
        for shape in shapes:
            members = {key[1:]: line for key, line in found.items() if key[0] == shape}
            out += _shape_section(members)
        if device == "cuda" and not shapes:
            out += ["No figure of a GPU has been measured yet; ``make bench BENCH=cuda`` measures them on one.", ""]
    return out


def train_step(lines: list[Line]) -> list[str]:
    """Table and sentences of every model, size and device."""
    found = newest(lines, lambda line: (_size(line), line["model"], line["contestant"]))
    out = []
    for size, model in dict.fromkeys((size, model) for size, model, _ in found):
        members = [line for (one, other, _), line in found.items() if (one, other) == (size, model)]
        rows = [["contestant", "median [quartiles]", "plain / it", "patients/s", "own memory", "load", "commit"]]
        for line in members:
            speedup = f"{line['speedup_over_plain']:.2f}" if "speedup_over_plain" in line else ""
            figures = [_time(line), speedup, f"{line['patients_per_second']:,.0f}"]
            rows.append([line["contestant"], *figures, _memory(line), f"{line['load']:g}", _commit(line)])
        shape = members[0]["shape"]
        title = f"{model}, batches of {shape['batch']} patients, {shape['modalities']} modalities"
        out += [_rubric(f"{title}, {shape['channels']} channels, {_place(members[0])}"), *list_table(rows), ""]
        out += [f"- {sentence}" for sentence in step_sentences(members)]
        out += ["", *_commands(members), ""]
    return out


def step_sentences(members: Sequence[Line]) -> list[str]:
    """What the figures of a training step say."""
    by_name = {line["contestant"]: line for line in members}
    if not {"gdsfd", PLAIN} <= by_name.keys():
        return ["Only one contestant was measured: nothing to compare."]
    mine = by_name["gdsfd"]
    bar = STEP_FASTER if mine["model"] in STEPS_WITH_BAR else None
    said = [
        faster_sentence("gdsfd", mine, line, bar, name)
        for name, line in by_name.items()
        if name not in ("gdsfd", ERM, PRODUCTS)
    ]
    if PRODUCTS in by_name:
        bare = by_name[PRODUCTS]["seconds"]
        said.append(
            f"The bare products of a step take 1/{by_name[PLAIN]['seconds'] / bare:.1f} of plain PyG's time, which "
            f"nobody can undercut with this kernel; gdsfd takes {mine['seconds'] / bare:.2f} times as long as they."
        )
    if ERM in by_name:
        times = mine["seconds"] / by_name[ERM]["seconds"]
        kept = _verdict(times <= STREAMS_TIMES)
        said.append(f"Two streams take {times:.2f} times ERM's step; the bar of {STREAMS_TIMES} is {kept}.")
    return [*said, *_busy(members)]


def inference(lines: list[Line]) -> list[str]:
    """Tables and sentences of single patients, all patients, and whole graphs."""
    out = []
    found = newest(lines, lambda line: (_size(line), line["mode"], line["contestant"]))
    scored = [line for line in found.values() if line["mode"] != "full graph"]
    if scored:
        rows = [["what", "patients", "median [quartiles]", "patients/s", "load", "commit"]]
        for line in scored:
            count = f"{line['shape']['patients']:,}"
            figures = [_time(line), f"{line['patients_per_second']:,.0f}", f"{line['load']:g}"]
            rows.append([line["mode"], count, *figures, _commit(line)])
        out += [_rubric(f"A whole predictor, {_place(scored[0])}"), *list_table(rows), "", *_commands(scored), ""]
    whole = [line for line in found.values() if line["mode"] == "full graph"]
    if whole:
        whole.sort(key=lambda line: (line["device"], line["shape"]["patients"], line["contestant"] != MINE))
        rows = [["patients", "contestant", "median [quartiles]", "edges/s", "cost per edge", "own memory", "process"]]
        for line in whole:
            figures = [_time(line), f"{line['edges_per_second'] / 1e6:.2f} M", f"{line['cost_per_edge_ratio']:.2f}"]
            count = f"{line['shape']['patients']:,}"
            rows.append([count, line["contestant"], *figures, _memory(line), f"{line['peak_bytes'] / 1e9:.2f} GB"])
        out += [_rubric(f"One pass over a whole graph, {_place(whole[0])}"), *list_table(rows), ""]
        out += [f"- {sentence}" for sentence in [*full_sentences(whole), *_busy(whole)]]
        out += ["", *_commands(whole), ""]
    return out


def train_command(lines: list[Line]) -> list[str]:
    """The table of whole trainings by two commits, one pair of rows for each command."""
    found = newest(lines, lambda line: (line["cohort"], line["backbone"], line["debias"], line["trained_by"]))
    rows = [["cohort", "backbone", "debias", "by", "epochs", "whole command", "an epoch", "times as fast, per epoch"]]
    for line in found.values():
        epoch = line["seconds_of_epochs"] / line["epochs"]
        ratios = f"{line['times_as_fast']:.1f}, {line['times_as_fast_per_epoch']:.1f}"
        times = [f"{line['seconds']:.0f} s", f"{epoch:.1f} s", ratios]
        rows.append([*(line[key] for key in ("cohort", "backbone", "debias")), f"``{line['trained_by'][:8]}``"])
        rows[-1] += [str(line["epochs"]), *times]
    return [*list_table(rows), "", *_commands(list(found.values())), ""]


def full_sentences(whole: Sequence[Line]) -> list[str]:
    """What the figures of the pass over a million patients say."""
    said = []
    for line in whole:
        if line["contestant"] == MINE and line["shape"]["patients"] >= FULL_PATIENTS and line["device"] == "cpu":
            kept = _verdict(line["peak_bytes"] <= FULL_BYTES)
            said.append(
                f"{line['shape']['patients']:,} patients take {line['seconds']:.1f} s and "
                f"{line['peak_bytes'] / 1e9:.1f} GB in all; the bar of {FULL_BYTES / 1e9:.0f} GB is {kept}."
            )
            kept = _verdict(line["cost_per_edge_ratio"] <= FULL_RATIO)
            said.append(
                f"An edge costs {line['cost_per_edge_ratio']:.2f} times what it costs on the smallest graph; "
                f"the bar of {FULL_RATIO} is {kept}."
            )
    return said


def faster_sentence(name: str, mine: Line, plain: Line, bar: float | None, other: str = PLAIN) -> str:
    """How many times as fast as plain PyG, and whether that keeps the bar; no word of it when the spreads overlap.

    Without a bar only how many times.
    """
    other = other.replace("pyg", "PyG")
    ratio = plain["seconds"] / mine["seconds"]
    if mine["seconds_low"] <= plain["seconds_high"] and plain["seconds_low"] <= mine["seconds_high"]:
        return f"The spreads of {name} and {other} overlap ({ratio:.2f} times as fast): no difference."
    said = f"{name} is {ratio:.2f} times as fast as {other}"
    return f"{said}." if bar is None else f"{said}; the bar of {bar:g} is {_verdict(ratio >= bar)}."


def shape_sentences(members: dict[tuple[str, str, str], Line]) -> list[str]:
    """What the figures of one shape's encoder say.

    Args:
        members: (part, mode, contestant) -> line.
    """
    mine, plain = members.get(("encoder", BOTH, MINE)), members.get(("encoder", BOTH, PLAIN))
    if mine is None or plain is None:
        return ["auto or plain PyG was not measured: nothing to compare."]
    said = [f"Forward and backward: {faster_sentence(MINE, mine, plain, FASTER)}"]
    if "step_bytes" in mine and "step_bytes" in plain:
        share = mine["step_bytes"] / max(plain["step_bytes"], 1)
        whole = mine["peak_bytes"] / max(plain["peak_bytes"], 1)
        sentence = f"It needs {share:.0%} of plain PyG's own memory ({whole:.0%} of the whole process's peak)"
        most = MEMORY_SHARE.get(mine["shape"]["modalities"])
        bar = f"; the bar of {most:.0%} is {_verdict(share <= most)}" if most else ""
        said.append(f"{sentence}{bar}.")
    times = mine["times_bare_products"]
    said.append(
        f"It takes {times:.2f} times as long as the bare matrix products; the bar of {PRODUCTS_TIMES:.1f} is "
        f"{_verdict(times <= PRODUCTS_TIMES)}."
    )
    own = [line for (part, mode, name), line in members.items() if part == "encoder" and mode == BOTH]
    best = min((line for line in own if line["contestant"] != PRODUCTS), key=lambda line: line["seconds"])
    if best["contestant"] != MINE and best["seconds_high"] < mine["seconds_low"]:
        said.append(f"{best['contestant']} is faster than auto here: the choice of auto was not the best.")
    differ = max(line.get("float64_gradients_differ", 0.0) for line in own)
    said.append(f"Before, outputs and gradients in float64 agreed with plain PyG's to {differ:.0e}.")
    return [*said, *_busy(own)]


def _shape_section(members: dict[tuple[str, str, str], Line]) -> list[str]:
    any_line = next(iter(members.values()))
    shape = any_line["shape"]
    title = f"{shape['patients']:,} patients x {shape['modalities']} hubs, density {shape['density']:g}"
    width = f"{shape['channels']} channels, {shape['layers']} layers, {any_line['dtype']}"
    out = [_rubric(f"{title}, {width}, {_place(any_line)}")]
    encoder = dict.fromkeys(name for part, _, name in members if part == "encoder")
    header = ["encoder", "forward", "forward+backward", "plain / it", "it / products", "GB/s", "own memory", "process"]
    rows = [header]
    for name in encoder:
        one, both = members.get(("encoder", "forward", name)), members.get(("encoder", BOTH, name))
        if one is None or both is None:
            continue
        figures = [_time(one), _time(both), f"{both['speedup_over_plain']:.2f}", f"{both['times_bare_products']:.2f}"]
        rate = f"{both['bytes_per_second'] / 1e9:.1f}"
        process = f"{both['peak_bytes'] / 1e9:.2f} GB" if "peak_bytes" in both else ""
        rows.append([name, *figures, rate, _memory(both), process])
    out += [*list_table(rows), ""]
    out += [f"- {sentence}" for sentence in shape_sentences(members)]
    parts = [part for part in dict.fromkeys(part for part, _, _ in members) if part != "encoder"]
    for part in parts:
        names = dict.fromkeys(name for one, _, name in members if one == part)
        rows = [[part, "forward", "of copy bandwidth", "forward+backward", "of copy bandwidth"]]
        for name in names:
            row = [name]
            for mode in ("forward", BOTH):
                line = members.get((part, mode, name))
                row += [_time(line), f"{line['copy_share']:.0%}"] if line else ["", ""]
            rows.append(row)
        out += ["", *list_table(rows), ""]
    machine = f"The machine copies {any_line['copy_bytes_per_second'] / 1e9:.1f} GB/s"
    rate = next((line["matrix_flops_per_second"] for line in members.values() if "matrix_flops_per_second" in line), 0)
    out += ["", f"{machine} and multiplies matrices at {rate / 1e9:.0f} GFLOP/s. {_commit(any_line)}", ""]
    return [*out, *_commands(list(members.values())), ""]


def _key(line: Line) -> tuple[Any, str, str, str]:
    return _size(line), line["part"], line["mode"], line["contestant"]


def _size(line: Line) -> tuple[Any, ...]:
    sizes = {key: value for key, value in line["shape"].items() if key != "edges"}
    return (*sizes.items(), line["dtype"], line["device"])


def _place(line: Line) -> str:
    return f"{line['processor']}, {line['threads']} threads" if line["device"] == "cpu" else str(line["processor"])


def _time(line: Line) -> str:
    unit, size = next(
        ((unit, size) for unit, size in (("s", 1.0), ("ms", 1e-3)) if line["seconds"] >= size), ("us", 1e-6)
    )
    low, middle, high = (line[key] / size for key in ("seconds_low", "seconds", "seconds_high"))
    digits = 0 if middle >= 100 else 1
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}] {unit}"


def _memory(line: Line) -> str:
    return f"{line['step_bytes'] / 1e9:.3f} GB" if "step_bytes" in line else ""


def _verdict(kept: bool) -> str:
    return "**kept**" if kept else "**missed**"


def _busy(lines: Sequence[Line]) -> list[str]:
    load = max((line["load"] for line in lines if line["load"] > line["threads"] / 2), default=None)
    return [] if load is None else [f"The machine was busy with other work (load {load} before): times are rough."]


def _rubric(title: str) -> str:
    return f".. rubric:: {title}\n"


def _commit(line: Line) -> str:
    return f"``{line['commit'][:8]}``{' +' if line['dirty'] else ''}"


def _commands(lines: Sequence[Line]) -> list[str]:
    shown = dict.fromkeys((line["command"], str(line["time"])[:10]) for line in lines)
    return [f"``{command}`` ({day})\n" for command, day in shown]
