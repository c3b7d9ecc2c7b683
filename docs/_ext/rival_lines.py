"""Lines of a first look at the rivals as one table: forced networks and models beside the margin, by evaluation set."""

from __future__ import annotations

from pathlib import Path

from debiasing_lines import run_lines
from result_lines import commit_words
from rst_table import list_table

from gdsfd.comparison.fit_log import read_fits
from gdsfd.comparison.fits import ORACLE, REFERENCE

SPLITS = ("test", "test_unbiased", "test_flipped")


def rivals(file: Path) -> list[str]:
    """A table per design, a row per backbone and arm whatever the guard says, the best on ``test_unbiased`` first."""
    records = read_fits(file)
    out: list[str] = []
    for design in dict.fromkeys(record["design"] for record in records):
        fits: dict[tuple[str, str], list[dict]] = {}
        for record in records:
            forced = record["arm"].endswith(" (forced)")
            if record["design"] == design and (forced or "guard" not in record):
                fits.setdefault((record["backbone"], record["arm"].removesuffix(" (forced)")), []).append(record)
        seeds = sorted({record["seed"] for own in fits.values() for record in own})
        rows = [["backbone", "arm", *(f"``{split}``" for split in SPLITS)]]
        for (backbone, arm), own in sorted(fits.items(), key=lambda item: -_mean(item[1], "test_unbiased")):
            name = "ERM" if arm == REFERENCE else arm if arm == ORACLE else f"``{arm}``"
            figures = [f"{_mean(own, split):.3f}" for split in SPLITS]
            missing = "" if len(own) == len(seeds) else f" ({len(own)} of {len(seeds)} seeds)"
            rows.append([backbone or "–", name + missing, *figures])
        which = ", ".join(map(str, seeds))
        out += [f".. rubric:: {design}, seeds {which}", "", *list_table(rows), ""]
    for line in run_lines(file):
        settings = ", ".join(f"{name} = {value}" for name, value in line["settings"].items())
        out.append(f"``{line['command']}`` ({str(line['time'])[:10]}, {commit_words(line)}; {settings})\n")
    return out


def _mean(own: list[dict], split: str) -> float:
    return sum(record["splits"][split]["auroc"] for record in own) / len(own)
