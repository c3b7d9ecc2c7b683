from __future__ import annotations

import pytest

from gdsfd.cohort.spec.name_patterns import matching_names

LOINC = "Glucose [Mass/volume] in Blood"
NAMES = ["pid", LOINC, "Glucose [Moles/volume] in Blood", "e_0", "e_1", "e_10", "sbp_1", "what?", "a*", "ab", "Größe"]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (LOINC, [LOINC]),
        ("Glucose [Mass/volume]*", [LOINC]),
        ("Glucose [*", [LOINC, "Glucose [Moles/volume] in Blood"]),
        ("e_*", ["e_0", "e_1", "e_10"]),
        ("e_[01]", ["e_0", "e_1"]),
        ("e_?", ["e_0", "e_1"]),
        ("what?", ["what?"]),
        ("a*", ["a*"]),  # the column, not the pattern
        ("Gro\u0308\u00dfe", ["Größe"]),
        ("E_*", []),
        ("x", []),
    ],
)
def test_a_name_means_itself_and_anything_else_may_be_a_pattern(entry: str, found: list[str]) -> None:
    assert matching_names(entry, NAMES)[0] == found
