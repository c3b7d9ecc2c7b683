"""Modules outside of gdsfd that declare parts."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

import gdsfd.plugins
from gdsfd.errors import InputError
from gdsfd.plugins import load_entry_points, load_plugins, loaded_plugins, plugin_needs, require_plugins
from gdsfd.registry import REGISTRIES, Registry

DECLARES = "from gdsfd.registry import REGISTRIES\n\n@REGISTRIES['sound'].register('{name}')\nclass {name}:\n    pass\n"


@pytest.fixture
def sounds(monkeypatch):
    monkeypatch.setattr(gdsfd.plugins, "_loaded", {})
    monkeypatch.setattr(gdsfd.plugins, "_asked", False)
    before = set(sys.modules)
    yield Registry("sound")
    del REGISTRIES["sound"]
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_module_in_the_working_directory(sounds, tmp_path, monkeypatch):
    (tmp_path / "my_sounds.py").write_text(DECLARES.format(name="beep"))
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    load_plugins(["my_sounds"])
    assert "beep" in sounds
    assert loaded_plugins() == ("my_sounds",)
    assert sys.path == path
    assert plugin_needs([("sound", "beep")]) == [{"part": "sound", "name": "beep", "module": "my_sounds"}]


def test_a_file_by_its_path(sounds, tmp_path):
    file = tmp_path / "other_sounds.py"
    file.write_text(DECLARES.format(name="buzz"))
    load_plugins([str(file), str(file)])
    assert sounds.plugin_of("buzz") == "other_sounds"


def test_what_cannot_be_imported_is_wrong_input(sounds, tmp_path):
    broken = tmp_path / "broken_sounds.py"
    broken.write_text("1 / 0\n")
    for module, why in (("no_such_module_here", "ModuleNotFoundError"), (str(broken), "ZeroDivisionError")):
        with pytest.raises(InputError, match=f"--plugin .*{why}"):
            load_plugins([module])
    with pytest.raises(InputError, match="no file"):
        load_plugins([str(tmp_path / "gone.py")])
    assert "broken_sounds" not in sys.modules
    assert loaded_plugins() == ()


def test_entry_points_are_asked_when_a_name_is_unknown(sounds, tmp_path, monkeypatch):
    (tmp_path / "installed_sounds.py").write_text(DECLARES.format(name="ring"))
    (tmp_path / "failing_sounds.py").write_text("raise RuntimeError('no')\n")
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint(name, name, "gdsfd.plugins") for name in ("failing_sounds", "installed_sounds")]
    monkeypatch.setattr(gdsfd.plugins, "entry_points", lambda group: points if group == "gdsfd.plugins" else [])
    with pytest.warns(UserWarning, match="plug-in 'failing_sounds' .*RuntimeError: no"):
        assert "ring" in sounds
    load_entry_points()  # once: no second warning


def test_what_a_file_needs_is_told_and_never_imported(sounds, tmp_path, monkeypatch):
    (tmp_path / "needed_sounds.py").write_text("raise AssertionError('imported by a name in a file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    needs = [{"part": "sound", "name": "hum", "module": "needed_sounds"}]
    with pytest.raises(InputError, match=r"model 'run' needs the sound 'hum', .*--plugin needed_sounds"):
        require_plugins(needs, "model 'run'")
    with pytest.raises(InputError, match="needs the smell 'rose'"):
        require_plugins([{"part": "smell", "name": "rose", "module": "x"}], "model 'run'")
    sounds.register("hum")(type("hum", (), {}))
    require_plugins(needs, "model 'run'")


def test_built_in_parts_are_no_plugins(sounds):
    sounds.register("tone")(Registry)
    assert plugin_needs([("sound", "tone")]) == []
