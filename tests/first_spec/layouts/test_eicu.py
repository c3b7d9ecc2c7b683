"""The layout against the headers of the real files: recognised, and every column that it names is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.first_spec.layouts import LAYOUTS
from gdsfd.first_spec.layouts.eicu import EICU
from tests.first_spec.layouts.headers import check_layout


@pytest.mark.data
def test_it_is_what_the_files_are(data_dir: Path) -> None:
    check_layout(EICU, data_dir / "eicu_demo", LAYOUTS)
