"""``gdsfd simulate``, small."""

from __future__ import annotations

import json
import tomllib

import pytest

from gdsfd.cli import main


def test_simulate_takes_options_and_settings(tmp_path, capsys):
    out = tmp_path / "exports"
    arguments = ["simulate", "--out", str(out), "--patients", "200", "--mechanism", "mcar", "--seed", "4"]
    assert main([*arguments, "--set", "label_noise=0.2", "--set", "modalities=3"]) == 0
    assert "gdsfd build" in capsys.readouterr().out
    truth = json.loads((out / "truth.json").read_text())["config"]
    assert (truth["patients"], truth["mechanism"], truth["seed"], truth["label_noise"]) == (200, "mcar", 4, 0.2)
    assert len(tomllib.loads((out / "spec.toml").read_text())["modality"]) == 3
    assert main(arguments) == 2
    assert "--force" in capsys.readouterr().err
    assert main([*arguments, "--force", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "labelnoise=0.2"], "Did you mean 'label_noise'"),
        (["--confounding", "1.5"], "confounding"),
        (["--mechanism", "mmar"], "mmar"),
        (["--preset", "labelnoise"], "label_noise"),
    ],
)
def test_wrong_simulation_options_write_nothing(tmp_path, capsys, options, message):
    assert main(["simulate", "--out", str(tmp_path / "exports"), *options]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
