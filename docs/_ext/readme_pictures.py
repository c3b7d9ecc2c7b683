"""The README's pictures: the way of the data, drawn here, and a page of a report, taken by a browser.

make pictures      # way_of_the_data.svg; and report.png, with chromium installed and demo/report there (make demo)
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"

INK, QUIET, EDGE, BOX = "#1f2933", "#5f6c7b", "#9fb3c8", "#f4f7fb"
CAUSAL, BIASED = "#1b7f79", "#b4632d"
#: Which of the three modalities each of five patients has: the first has all, the last none.
HAS = ((1, 1, 1), (1, 0, 1), (0, 1, 0), (1, 1, 0), (0, 0, 0))
STEPS = (
    ("exports", "CSV, Parquet, DataFrames", "one cohort table, several modalities"),
    ("cohort", "ids, splits, receipt", "vocabularies from training patients only"),
    ("graph", "an edge per observation", "absent: no edge, nothing imputed"),
    ("two streams", "encoders, a backbone", "what determines, what goes with it"),
    ("report", "metrics with intervals", "for whom; did debiasing help?"),
)
WIDTH, HEIGHT, STEP = 1120, 250, 224


def way_of_the_data() -> str:
    """The picture as SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" fill="{INK}">',
        "<title>The way of the data</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    drawings = (_exports, _cohort, _graph, _streams, _report)
    for k, ((name, what, how), draw) in enumerate(zip(STEPS, drawings)):
        x = k * STEP + 12
        parts.append(f'<rect x="{x}" y="12" width="200" height="150" rx="10" fill="{BOX}"/>')
        parts.append(draw(x))
        parts.append(_text(x + 100, 190, name, 17, INK, "600"))
        parts += [_text(x + 100, 212, what, 12, QUIET), _text(x + 100, 230, how, 11, QUIET)]
        if k + 1 < len(STEPS):
            parts.append(f'<path d="M{x + 202} 87h17m-6 -6l7 6l-7 6" fill="none" stroke="{QUIET}" stroke-width="2"/>')
    return "\n".join([*parts, "</svg>\n"])


def _text(x: float, y: float, text: str, size: int, colour: str, weight: str = "400") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="middle">{text}</text>'
    )


def _table(x: float, y: float, rows: int, columns: int, holes: tuple[tuple[int, int], ...] = ()) -> str:
    cells = [
        f'<rect x="{x + 17 * column}" y="{y + 13 * row}" width="15" height="11" rx="2" '
        f'fill="{"white" if (row, column) in holes else EDGE}" stroke="{EDGE}"/>'
        for row in range(rows)
        for column in range(columns)
    ]
    return "".join(cells)


def _exports(x: float) -> str:
    return (
        _table(x + 20, 30, 4, 3)
        + _table(x + 100, 30, 3, 4, ((1, 2), (2, 0)))
        + _table(x + 20, 100, 3, 4, ((0, 1),))
        + _table(x + 110, 90, 4, 3, ((3, 1), (1, 1)))
    )


def _cohort(x: float) -> str:
    lines = [_table(x + 30, 40, 7, 1)]
    for row, words in enumerate(("train", "train", "train", "tuning", "test", "test", "dropped: why")):
        lines.append(
            f'<text x="{x + 60}" y="{50 + 13 * row}" font-size="11" '
            f'fill="{BIASED if words.startswith("dropped") else QUIET}">{words}</text>'
        )
    return "".join(lines)


def _graph(x: float) -> str:
    patients = [(x + 50, 34 + 26 * k) for k in range(len(HAS))]
    modalities = [(x + 150, 47 + 39 * k) for k in range(3)]
    edges = [
        f'<path d="M{px} {py}L{mx} {my}" stroke="{EDGE}" stroke-width="2"/>'
        for (px, py), row in zip(patients, HAS)
        for (mx, my), has in zip(modalities, row)
        if has
    ]
    dots = [f'<circle cx="{px}" cy="{py}" r="8" fill="{INK}"/>' for px, py in patients]
    squares = [
        f'<rect x="{mx - 9}" y="{my - 9}" width="18" height="18" rx="4" fill="{QUIET}"/>' for mx, my in modalities
    ]
    return "".join([*edges, *dots, *squares])


def _streams(x: float) -> str:
    def stream(y: int, colour: str, name: str) -> str:
        return (
            f'<path d="M{x + 22} 87C{x + 50} 87 {x + 40} {y} {x + 70} {y}H{x + 118}" fill="none" stroke="{colour}" '
            f'stroke-width="10" opacity=".85"/>' + _text(x + 95, y - 12, name, 12, colour, "600")
        )

    way = f"M{x + 118} 52C{x + 150} 52 {x + 140} 87 {x + 168} 87"
    head = f'<path d="{way}" fill="none" stroke="{CAUSAL}" stroke-width="10" opacity=".85"/>'
    return stream(52, CAUSAL, "causal") + stream(122, BIASED, "biased") + head + _text(x + 182, 92, "p", 18, INK, "600")


def _report(x: float) -> str:
    rows = []
    for k, (low, middle, high) in enumerate(((70, 105, 140), (60, 98, 132), (85, 118, 150), (50, 92, 128))):
        y = 40 + 22 * k
        colour = CAUSAL if k == 2 else QUIET
        rows.append(
            f'<path d="M{x + low} {y}H{x + high}" stroke="{colour}" stroke-width="2"/>'
            f'<circle cx="{x + middle}" cy="{y}" r="4.5" fill="{colour}"/>'
        )
    rows.append(f'<path d="M{x + 98} 28V122" stroke="{EDGE}" stroke-dasharray="3 3"/>')
    rows.append(f'<path d="M{x + 40} 130H{x + 165}" stroke="{INK}"/>')
    return "".join(rows)


def take_report(report: Path, picture: Path) -> None:
    """The top of a report as a small PNG.

    Args:
        report: ``report.html``.
        picture: Where the picture goes.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("report.png needs chromium; the other picture is written")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--window-size=1000,1250",
        ]
        command += [f"--user-data-dir={folder}", f"--screenshot={picture}", report.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    from PIL import Image  # comes with matplotlib

    with Image.open(picture) as taken:
        small = taken.convert("RGB").quantize(48)
    small.save(picture, optimize=True)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "way_of_the_data.svg").write_text(way_of_the_data(), encoding="utf-8")
    report = ROOT / "demo" / "report" / "report.html"
    if not report.exists():
        raise SystemExit("report.png needs demo/report/report.html (make demo); the other picture is written")
    take_report(report, PICTURES / "report.png")
    sys.stdout.write(f"{PICTURES}\n")


if __name__ == "__main__":
    main()
