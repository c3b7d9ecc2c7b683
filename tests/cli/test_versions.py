"""``gdsfd versions`` prints what ``gdsfd.show_versions`` does, and takes no arguments of its own."""

from __future__ import annotations

import gdsfd
from gdsfd.cli import main


def test_the_versions_are_printed(capsys):
    assert main(["versions"]) == 0
    printed = capsys.readouterr()
    gdsfd.show_versions()
    assert printed.out == capsys.readouterr().out
    assert gdsfd.__version__ in printed.out
    assert printed.err == ""


def test_other_words_are_refused(capsys):
    assert main(["versions", "torch"]) == 2
    assert "unrecognized arguments: torch" in capsys.readouterr().err
