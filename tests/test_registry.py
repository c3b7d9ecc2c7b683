"""Parts by name."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.registry import REGISTRIES, Registry


@pytest.fixture
def colours():
    yield Registry("colour")
    del REGISTRIES["colour"]


def test_what_is_declared_is_found(colours):
    @colours.register("red")
    class Red:
        pass

    assert colours.find("red") is Red
    assert colours.names() == ("red",)
    assert "red" in colours
    assert "blue" not in colours
    assert 3 not in colours


def test_unknown_names_are_errors_with_a_suggestion(colours):
    colours.register("green")(type("Green", (), {}))
    with pytest.raises(InputError, match=r"paint: unknown colour 'gren'\. Did you mean 'green'\?"):
        colours.find("gren", "paint")
    with pytest.raises(InputError, match="unknown colour 7"):
        colours.find(7)


def test_a_name_belongs_to_one_part_but_a_module_may_be_run_twice(colours):
    def declare(name):
        colours.register("red")(type(name, (), {}))

    declare("Red")
    declare("Red")
    with pytest.raises(InputError, match="'red' is taken by Red of"):
        declare("Other")


@pytest.mark.parametrize("name", ["", "  ", 3, None])
def test_names_are_text(colours, name):
    with pytest.raises(InputError, match="must be a text"):
        colours.register(name)


def test_built_in_modules_are_imported_at_the_first_look(tmp_path, monkeypatch):
    (tmp_path / "late_parts.py").write_text(
        "from gdsfd.registry import REGISTRIES\nREGISTRIES['taste'].register('sweet')(len)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    tastes = Registry("taste", built_in=["late_parts"])
    try:
        assert "sweet" in tastes
        assert tastes.plugin_of("sweet") == "builtins"
    finally:
        del REGISTRIES["taste"]


def test_an_import_that_fails_is_told_each_time(tmp_path, monkeypatch):
    (tmp_path / "failing_parts.py").write_text("raise RuntimeError('half written')\n")
    monkeypatch.syspath_prepend(tmp_path)
    smells = Registry("smell", built_in=["failing_parts"])
    try:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="half written"):
                smells.find("rose")
    finally:
        del REGISTRIES["smell"]
