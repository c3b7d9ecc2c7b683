"""A digest changes with every change of a file, and of JSON only with what it says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from gdsfd.file_digest import digest_of_file, digest_of_json


def test_a_file_s_digest_is_blake2b_of_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # more than one read
    (tmp_path / "a").write_bytes(content)
    assert digest_of_file(tmp_path / "a") == hashlib.blake2b(content, digest_size=16).hexdigest()
    for changed in (content[:-1], content[:-1] + b"\0", b""):
        (tmp_path / "b").write_bytes(changed)
        assert digest_of_file(tmp_path / "b") != digest_of_file(tmp_path / "a")


def test_json_is_what_it_says_whatever_its_layout() -> None:
    value = {"b": [1, 2.5, None, True, "ä"], "a": {"y": (1, 2), "x": {1: "number"}}}
    again = {"a": {"x": {"1": "number"}, "y": [1, 2]}, "b": [1, 2.5, None, True, "ä"]}
    assert digest_of_json(value) == digest_of_json(again)
    assert digest_of_json(value) == digest_of_json(json.loads(json.dumps(value, indent=3)))


@pytest.mark.parametrize(
    "other", [{"a": [1, 3, 2]}, {"a": [1, 2]}, {"b": [1, 2, 3]}, {"a": [1, 2, "3"]}, {"a": [1, 2, 3], "b": None}, {}]
)
def test_another_value_has_another_digest(other: dict[str, Any]) -> None:
    assert digest_of_json(other) != digest_of_json({"a": [1, 2, 3]})


def test_what_is_no_json_is_an_error() -> None:
    with pytest.raises(TypeError):
        digest_of_json({"a": object()})
