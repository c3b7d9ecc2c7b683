"""What may be overwritten, and files that appear whole or not at all."""

from __future__ import annotations

import pytest

from gdsfd.atomic_write import atomic_file
from gdsfd.cli.output import check_out_file, check_out_folder
from gdsfd.errors import InputError


def test_new_and_empty_folders_are_free(tmp_path):
    check_out_folder(tmp_path / "new", "graph.json", "graph", force=False)
    (tmp_path / "empty").mkdir()
    check_out_folder(tmp_path / "empty", "graph.json", "graph", force=False)
    assert not (tmp_path / "new").exists()


def test_own_results_need_force_and_others_are_never_touched(tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    for folder, name in ((own, "graph.json"), (other, "thesis.docx")):
        folder.mkdir()
        (folder / name).write_text("{}")
    with pytest.raises(InputError, match=r"there is a graph already; .* --force"):
        check_out_folder(own, "graph.json", "graph", force=False)
    check_out_folder(own, "graph.json", "graph", force=True)
    for force in (False, True):
        with pytest.raises(InputError, match="not empty and holds no graph"):
            check_out_folder(other, "graph.json", "graph", force=force)


def test_a_file_is_no_folder_and_a_folder_no_file(tmp_path):
    (tmp_path / "p.csv").write_text("")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(InputError, match="expected a folder, got a file"):
        check_out_folder(tmp_path / "p.csv", "graph.json", "graph", force=True)
    with pytest.raises(InputError, match="expected a file's name, got a folder"):
        check_out_file(tmp_path / "d.csv", (".csv",), force=True)
    with pytest.raises(InputError, match=r"the file exists; .* --force"):
        check_out_file(tmp_path / "p.csv", (".csv",), force=False)
    check_out_file(tmp_path / "p.csv", (".csv",), force=True)


def test_the_ending_says_the_format(tmp_path):
    with pytest.raises(InputError, match=r"ends with \.csv or \.parquet"):
        check_out_file(tmp_path / "p.xlsx", (".csv", ".parquet"), force=False)


def test_links_to_files_and_folders_are_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "p.csv").symlink_to(tmp_path / "disk" / "real.csv")
    with atomic_file(tmp_path / "p.csv") as temporary:
        temporary.write_text("1")
    assert (tmp_path / "p.csv").is_symlink()
    assert (tmp_path / "disk" / "real.csv").read_text() == "1"
    (tmp_path / "new").symlink_to(tmp_path / "disk" / "graph")
    check_out_folder(tmp_path / "new", "graph.json", "graph", force=False)  # to nothing yet
    (tmp_path / "taken").symlink_to(tmp_path / "disk")
    with pytest.raises(InputError, match="not empty and holds no graph"):
        check_out_folder(tmp_path / "taken", "graph.json", "graph", force=True)


def test_places_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written: expected a folder at .*, got a file"):
        check_out_folder(tmp_path / "file" / "graph", "graph.json", "graph", force=False)
    with pytest.raises(InputError, match=r"cannot be written: expected a folder at .*, got a file"):
        check_out_file(tmp_path / "file" / "p.csv", (".csv",), force=False)
