from __future__ import annotations

import re

from gdsfd.comparison.page import page
from gdsfd.comparison.summary import summarise

ERM = {0: 0.80, 1: 0.82}
FULL = {0: 0.86, 1: 0.87}


def test_the_page_is_self_contained_and_escapes_names(lines):
    arms = {"none": ERM, "full": FULL, "full (forced)": FULL, "oracle": {0: 0.9, 1: 0.92}, "boosting": {0: 0.8, 1: 0.8}}
    records = lines(arms, guard={0: "debiased", 1: "reference"}, design="<ward>")
    text = page(summarise(records), {"training": "members = 1"}, ["mind & this"])
    assert "http" not in text.replace("http-equiv", "")
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "&lt;ward&gt;" in text
    assert "<ward>" not in text
    assert "mind &amp; this" in text
    assert "debiased used in 1 of 2 fits" in text
    assert '<svg class="plane"' in text


def test_one_seed_no_shift_and_nothing(lines):
    alone = lines({"none": {0: 0.8}, "full": {0: 0.81}}, split="test", alike=0.81)
    assert '<svg class="plane"' not in page(summarise(alone), {})
    assert "Nothing to compare" in page(summarise(lines({"none": {0: 0.8}})), {})
    assert page([], {})


def test_environments_have_columns(lines):
    erm = {(seed, name): 0.7 + 0.01 * seed for seed in range(2) for name in ("north", "south")}
    text = page(summarise(lines({"none": erm, "full": dict(erm)})), {})
    assert "By held-out environment" in text
    assert ">north</th>" in text
