"""How times may be written: whole texts that each expression takes, and near misses that it does not."""

from __future__ import annotations

import re

import pytest

from gdsfd.cohort.times import forms

TAKEN = {
    "STAMP": ["2020-03-04", "2020-3-4", "2020/03/04", "2020-03-04 05:06", "2020-03-04T05:06:07", "2020-3-4 5:06:07.25"],
    "ZONED_STAMP": ["2020-03-04 05:06Z", "2020-03-04T05:06:07+01", "2020-03-04T05:06:07.5 -0530", "2020-3-4 5:06 UTC"],
    "ANY_STAMP": ["2020-03-04", "2020-03-04 05:06 pm", "2020-03-04 05:06:07AM", "2020-03-04T05:06:07+01:00"],
    "DATE_ONLY": ["2020-03-04", "2020/3/4"],
    "DURATION": ["05:06", "1:02:03", "30:00:00", "-00:30", "2 days", "2 days, 3:04:05", "-1 day 23:00", "+4:05:06.7"],
    "HALF_CLOCK": ["1:02 am", "12:59PM", "09:00:00.5 pm"],
    "LIKE_A_DATE": ["03/04/2020", "4.3.20 05:06", "2020-03-04T05", "1/2/3 pm"],
    "HALF_END": ["2020-03-04 05:06 pm", "5AM"],
    "ZONE_END": ["2020-03-04 05:06Z", "05:06:07.8 +0100"],
}  # fmt: skip
REFUSED = {
    "STAMP": ["2020-03", "20-03-04", "2020-3/4", "2020-03-04 05", "2020-03-04 05:06Z", " 2020-3-4"],
    "ZONED_STAMP": ["2020-03-04Z", "2020-03-04 05:06", "2020-03-04 05:06 CET", "2020-03-04 05:06+1"],
    "ANY_STAMP": ["2020-03-04 pm", "2020-03-04 05:06 pm Z", "2020-03-04 05:06 noon"],
    "DATE_ONLY": ["2020-03-04 ", "2020-03-04 00:00", "04.03.2020"],
    "DURATION": ["5:6", "05:60", "1:02:60", "2 weeks", "12345678:00", "2 days,3:04:05 h", "1,5"],
    "HALF_CLOCK": ["13:00 pm", "0:30 am", "5 pm", "5:60 pm"],
    "LIKE_A_DATE": ["03/2020", "ICD 03/04/2020", "1.2.3.4", "2020-03-04x"],
    "HALF_END": ["exam", "stam", "5 xam"],
    "ZONE_END": ["2020-03-04 05:06", "jazz", "blood:Z"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in TAKEN.items() for text in texts])
def test_taken(name: str, text: str) -> None:
    assert re.search(getattr(forms, name), text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_refused(name: str, text: str) -> None:
    assert not re.search(getattr(forms, name), text)


def test_a_text_is_of_one_form() -> None:
    """A form that took another's texts would decide by the order of the questions what a time means."""
    disjoint = ("STAMP", "ZONED_STAMP", "DURATION", "HALF_CLOCK")
    for name in disjoint:
        for text in TAKEN[name]:
            assert [other for other in disjoint if re.search(getattr(forms, other), text)] == [name], text
