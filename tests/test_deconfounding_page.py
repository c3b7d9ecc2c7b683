"""The guide to deconfounding: what it shows runs, every setting is named, and its table is that of the stored lines."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

from gdsfd.evaluation.numbers import number
from gdsfd.nn.deconfound.config import PrototypeConfig

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deconfounding.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
LINES = ROOT / "benchmarks" / "results" / "ordered_because_ill.jsonl"
SPLITS = ("test", "test_unbiased", "test_shifted_missingness")


def test_what_the_page_shows_runs(tmp_path):
    assert len(BLOCKS) == 3
    code = "\n".join(BLOCKS).replace("patients=2000", "patients=400")
    short = code.replace("seed=0).fit(graph)", "seed=0, max_epochs=2, members=1, guard_folds=0).fit(graph)")
    assert short.count("max_epochs=2") == 2
    done = subprocess.run([sys.executable, "-c", short], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Crowd(" in done.stdout
    assert "What predictions are averaged over" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_every_setting_is_named():
    for field in dataclasses.fields(PrototypeConfig):
        assert re.search(rf"`{field.name}[`=]|{field.name}=", PAGE), field.name


def test_the_table_is_that_of_the_stored_lines():
    lines = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
    for world in dict.fromkeys(line["world"] for line in lines):
        for mode in dict.fromkeys(line["mode"] for line in lines):
            mine = [line for line in lines if (line["world"], line["mode"]) == (world, mode)]
            cells = [world, f"`{mode}`", f"{sum(line['tells_nats'][0] for line in mine) / len(mine):.2f}"]
            gains = [[line["debiased"][split] - line["reference"][split] for line in mine] for split in SPLITS]
            gains.append([line["evidence"]["difference"] for line in mine if line["evidence"]])
            for each in gains:
                if each:
                    ends = " to ".join(number(end, signed=True) for end in (min(each), max(each)))
                    cells.append(f"{number(sum(each) / len(each), signed=True)} ({ends})")
                else:  # the network failed on tuning patients in all seeds, which ends the comparison
                    cells.append("–")
            cells.append(f"{sum(line['choice'] == 'debiased' for line in mine)} of {len(mine)}")
            assert f"| {' | '.join(cells)} |" in PAGE
