from __future__ import annotations

from gdsfd.errors import cell_text, cut_text, near_names, shown


def test_long_cells_are_cut_wherever_they_are_listed() -> None:
    note = "n" * 1_000_000
    assert cell_text(note) == "'" + "n" * 80 + "…' (1,000,000 characters)"
    assert cut_text(note) == "n" * 80 + "… (1,000,000 characters)"
    assert len(shown([note] * 9)) < 5 * 120
    assert len(cell_text(list(range(100_000)))) < 120
    assert cell_text("a" * 80) == repr("a" * 80)
    assert cell_text("two\nlines") == "'two\\nlines'"
    assert cell_text(1.5) == "1.5"


def test_near_names_compares_only_the_beginning_of_endless_names() -> None:
    said = near_names("y" * 100_000, ["x" * 100_000 + str(k) for k in range(50)])  # minutes, if compared whole
    assert len(said) < 2_000
