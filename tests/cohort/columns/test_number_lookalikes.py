from __future__ import annotations

import pytest

from gdsfd.cohort.columns.number_lookalikes import is_missing_word, judge_texts

DECORATED = [
    "8,4",
    "7.4 mg/L",
    "7.4mg/L",
    "€5",
    "5 €",
    "$1,200.50",
    "95%",
    "95 %",
    "38 °C",
    "38°C",
    "<0.01",
    ">90",
    "≤ 5",
    "<=5",
    ">=5",
    "~3",
    "less than 5",
    "ca. 5",
    "7.4 H",
    "7.4 L",
    "7.4*",
    "7.4 *",
    "(7.4)",
    "7.4 (high)",
    "7.4 (H)",
    "↑ 7.4",
    "H 7.4",
    "−7.4",
    "７.４",
    "٧٫٤",
    "7,4e3",
    "1.2x10^3",
    "1.2 × 10³",
    "1,200",
    "1 200",
    "1\u202f200",
    "1\xa0200",
    "1'200",
    "1’200",
    "1_000",
    "1.234,5",
    "1.234.567",
    "12,34,567",
    "7.4,",
    "8,",
    "+7,1",
    "'7.4",
    '="7.4"',
    "=7.4",
    "<0.01 ng/mL",
    "7.4 mmol/l H",
    "12 bpm",
    "60 ml/min/1.73m2",
    "60 mL/min/1.73 m²",
    "4.5 10^9/L",
    "4.5 x10^9/L",
    "4.5 10*3/uL",
    "4.5 K/uL",
    "150 G/l",
    "70 kg",
    "170cm",
    "5 years",
    "12 mm/h",
    "3.2 U/L",
    "15 sec",
    "100,000 copies/mL",
    "5.0 mcg/kg/min",
    "98.6 F",
    "12 ± 3",
    "7.4 µmol/L",
    "7.4 μmol/L",
    "2 L/min",
    "30 mL/kg/h",
    "1e400",
]
CATEGORIES = [
    "E11.9",
    "V45.1",
    "1+",
    "2+",
    "1 +",
    "Stage 3",
    "0-10",
    "10-20",
    "18-64",
    "40-49 years",
    "A+",
    "O",
    "12:30",
    "2020-01-05",
    "05.01.2020",
    "05/01/2020",
    "01/2020",
    "ward 3",
    "NYHA II",
    "III",
    "T2N0M0",
    "3+4",
    "Site 12",
    "B12",
    "COVID-19",
    "1,2,3",
    "192.168.1.1",
    "(555) 123-4567",
    "12-lead",
    "030 123 456",
    "12345-6789",
    "yes",
    "positive",
    "G2P1",
    "5 West 2",
]


@pytest.mark.parametrize("text", DECORATED)
def test_decorations_count_as_numbers_whatever_their_share(text: str) -> None:
    others = [f"{k}.5" for k in range(3)]
    found = judge_texts([text, *others], [100, 1, 1, 1], [False, True, True, True])
    assert found.decorated == 100, found
    assert found.mostly_numbers


@pytest.mark.parametrize("text", CATEGORIES)
def test_names_of_categories_are_not_numbers(text: str) -> None:
    many = [text, *(f"{text}{k}" for k in "abc")]
    assert judge_texts(many, [10] * 4, [False] * 4).decorated == 0


def test_what_a_category_may_be_called_needs_many_numbers() -> None:
    def decorated(texts: list[str]) -> int:
        return judge_texts(texts, [10] * len(texts), [False] * len(texts)).decorated

    assert decorated(["1 vessel", "2 vessel", "3 vessel"]) == 0
    assert decorated([f"{k} vessel" for k in range(12)]) == 120
    assert decorated([f"{k}A" for k in range(20)] + [f"{k}B" for k in range(20)]) == 0  # beds
    assert decorated([f"{k}Y" for k in range(20)]) == 200  # ages of DICOM
    assert decorated([f"{k} North" for k in range(9)] + [f"{k} West" for k in range(9)]) == 0  # wards
    assert decorated(["1/5", "2/5", "5/5"]) == 0
    assert decorated([f"{110 + k}/{70 + k}" for k in range(12)]) == 120
    assert decorated(["<65", ">=65"]) == 0  # two groups
    assert judge_texts(["<0.01", "0.3"], [99, 1], [False, True]).mostly_numbers  # a limit of detection
    assert decorated([f"Site {k}" for k in range(40)]) == 0
    assert decorated([f"Hb {k}.5" for k in range(12)]) == 120


@pytest.mark.parametrize("word", ["NA", "n/a", ".", "-", "?", "Unknown", "not  done", "PENDING", "#N/A", "None", "inf"])
def test_words_for_no_value_are_taken_off_before_shares_are_worked_out(word: str) -> None:
    assert is_missing_word(word)
    found = judge_texts([word, "1", "2.5", "ward"], [900, 50, 30, 20], [False, True, True, False])
    assert (found.missing, found.words[word]) == (900, 900)
    assert found.mostly_numbers
    assert not judge_texts([word, "a", "b"], [900, 50, 50], [False] * 3).mostly_numbers
