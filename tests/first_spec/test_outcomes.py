"""The outcome: candidates, and which values are positive."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec.outcomes import find_outcome, label_values, outcome_candidates
from tests.first_spec.tables import table_of

STAYS = table_of(
    "stays",
    stay=range(40),
    sex=["f", "m"] * 20,
    status=["Alive", "Alive", "Alive", "Expired"] * 10,
    grade=[0, 1, 2, 3] * 10,
    death_date=[None, None, None, "2150-01-01"] * 10,
    flag=["Y", None] * 20,
    odd=["blue", "green"] * 20,
    marked=["1", "0", "unknown", "0"] * 10,
)
LABS = table_of("labs", stay=[1, 1, 2], status=["ok", "ok", "bad"], value=[1, 2, 3])


def test_candidates_come_from_tables_with_one_row_each():
    found = outcome_candidates([STAYS, LABS])
    assert "stays.status" in found
    assert "labs.status" not in found
    assert "stays.stay" not in found


def test_a_column_is_found_in_any_case_with_its_table_where_needed():
    assert find_outcome([STAYS, LABS], "GRADE") == (STAYS, "grade")
    assert find_outcome([STAYS, LABS], "labs.status") == (LABS, "status")
    assert find_outcome([STAYS, LABS], "status") == (STAYS, "status")  # the other has several rows per patient
    with pytest.raises(InputError, match="write it with its table"):
        find_outcome([STAYS, table_of("more", id=[1, 2], status=["a", "b"])], "status")
    with pytest.raises(InputError, match="Did you mean 'grade'"):
        find_outcome([STAYS], "grad")


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (["Alive", "Expired"], "Expired"),
        (["ja", "nein"], "ja"),
        (["oui", "non"], "oui"),
        (["1.0", "0.0"], "1"),
        (["true", "false"], "true"),
        (["Responder", "Non-responder"], "Responder"),
        (["case", "control"], "case"),
    ],
)
def test_plain_pairs(values, positive):
    guess = label_values(table_of("t", x=values * 10), "x")
    assert guess.positive == [positive]
    assert len(guess.negative) == 1


@pytest.mark.parametrize("column", ["grade", "odd", "marked"])
def test_what_is_not_plain_is_asked(column):
    if column == "marked":
        guess = label_values(STAYS, column)
        assert (guess.positive, guess.negative, guess.missing) == (["1"], ["0"], ["unknown"])
        return
    with pytest.raises(InputError, match="which of its values is positive"):
        label_values(STAYS, column)


def test_what_the_user_says():
    guess = label_values(STAYS, "grade", ["1.0", "2", "3"])
    assert (guess.positive, guess.negative) == (["1", "2", "3"], ["0"])
    assert [guess.label(cell) for cell in ("2.0", "0", None, "7")] == [True, False, None, None]
    guess = label_values(STAYS, "grade", ["3"], ["0"])
    assert (guess.positive, guess.negative) == (["3"], ["0"])
    assert label_values(STAYS, "grade", classes=["0", "1", "3"]).classes == ["0", "1", "3"]
    with pytest.raises(InputError, match="no such value"):
        label_values(STAYS, "status", ["expired!"])


def test_a_date_or_a_lone_flag_is_an_outcome_by_being_there():
    guess = label_values(STAYS, "death_date")
    assert guess.derive == "CASE WHEN death_date IS NULL THEN 0 ELSE 1 END"
    assert (guess.column, guess.label(None), guess.label("2150-01-01")) == ("death_date_known", False, True)
    assert label_values(STAYS, "flag", ["Y"]).derive is not None
    deaths = table_of("death", stay=[3, 7], death_date=["2150-01-01"] * 2)
    with pytest.raises(InputError, match="--cohort"):
        label_values(deaths, "death_date")
    assert label_values(deaths, "death_date", joined=True).derive is not None


def test_surviving_as_the_positive_class_is_said():
    """Risks would be chances to survive, which a reader of `mortality` may take for the other."""
    table = table_of("t", alive_30d=[1, 0, 1, 1], vital=["alive", "dead", "alive", "dead"], died=[1, 0, 0, 0])
    assert "--positive 0 predicts death" in " ".join(label_values(table, "alive_30d").notes)
    assert "surviving" not in " ".join(label_values(table, "died").notes)
    assert "surviving" not in " ".join(label_values(table, "vital").notes)  # dead is positive there
    assert "surviving" not in " ".join(label_values(table, "alive_30d", positive=["0"]).notes)
