"""What a line says of a study, and that nothing about single patients is in it."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

from gdsfd.fusion_study.questions.robust import robust
from gdsfd.fusion_study.questions.which import which
from gdsfd.fusion_study.study import Study
from tests.fusion_study.material import material

SCRIPTS = Path(__file__).parents[1] / "benchmarks"


def test_a_line_has_answers_and_tables_of_all_patients_together(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    script = importlib.import_module("real_studies")
    made = material({("concat", "natural"): 1.0, ("boosting", "natural"): 0.8}, seeds=(0,), patients=60)
    facts = [{**each, "seconds_with_predictions": 2.0} for each in made.fits]
    (tmp_path / "fits.jsonl").write_text("".join(json.dumps(each) + "\n" for each in facts))
    answers = (which(made), robust(made))
    line = script.line_of(Study(tmp_path, made.plan, answers), "support2")
    assert line["sentences"]["2"] == list(answers[0].sentences)
    assert [row["learner"] for row in line["tables"]["2_learners"]] == list(answers[0].tables["learners"]["learner"])
    assert (line["fits"], line["seconds_of_fits"], line["patients"]) == (2, 4, {"train": 800, "test": 60})
    text = json.dumps(line, allow_nan=False)
    assert '"p0"' not in text
    assert line["command"] == "python benchmarks/real_studies.py support2 --out studies"
