from __future__ import annotations

import json
from typing import Any

import pytest

from gdsfd.errors import InputError
from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.config import SPLITS, SimulationConfig


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confounding": 1.2}, "confounding between 0 and 1, got 1.2"),
        ({"patients": 60}, "patients between 100 and 10,000,000, got 60"),
        ({"confounding": "high"}, "confounding between 0 and 1, got 'high'"),
        ({"patients": 10}, "patients between 100"),
        ({"patients": 200.5}, "patients must be a whole number"),
        ({"modalities": 1}, "modalities between 2 and 8"),
        ({"modalities": ("labs",)}, "at least 2 different"),
        ({"modalities": ("labs", "imagin")}, "Did you mean 'imaging'"),
        ({"mechanism": "mnra"}, "mechanism has the unknown name 'mnra'. Did you mean"),
        ({"mechanism": {"image": "mnar"}}, "mechanism has the unknown name 'image'"),
        ({"mechanism": {"labs": "never"}}, "unknown name 'never'"),
        ({"missing": {"ecg": 0.5}}, "missing has the unknown name 'ecg'"),
        ({"missing": 0.99}, "between 0 and 0.95"),
        ({"bias_modalities": "labs"}, "expected a list of names"),
        ({"informative": ("xray",)}, "informative has the unknown name 'xray'"),
        ({"modalities": 2.5}, "expected a list of names for modalities, got 2.5"),
        ({"bias_modalities": None}, "expected a list of names for bias_modalities, got None"),
        ({"sites": 1}, "sites between 2"),
        ({"sites": 2, "practices": 3}, "sites between 3"),
        ({"practices": 9}, "practices between 2 and 8"),
        ({"practices": 3, "graded": True}, "each say what U is"),
        ({"bias_causal": True, "graded": True}, "each say what U is"),
        ({"interactions": 1}, "expected true or false for interactions, got 1"),
        ({"prevalence": 0.0}, "prevalence between 0.01"),
        ({"patients": 10**12}, "patients between 100"),
        ({"seed": -1}, "seed between 0"),
        ({"bias_strength": float("nan")}, "bias_strength between 0 and 100, got nan"),
        ({"missing": float("inf")}, "between 0 and 0.95, got inf"),
        ({"patients": True}, "patients between 100"),
        ({"rotate": "no"}, "expected true or false for rotate, got 'no'"),
    ],
)
def test_wrong_values_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SimulationConfig(**options)


def test_a_copy_through_json_is_the_same() -> None:
    config = SimulationConfig(mechanism={"labs": "mar"}, missing={"labs": 0.3}, bias_modalities=("labs",))
    stored = json.loads(json.dumps(config.to_dict()))
    copy = SimulationConfig(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in stored.items()}
    )
    assert copy == config


def test_knobs_of_later_designs_stand_in_the_copy_only_where_turned() -> None:
    assert not {"practices", "graded", "interactions", "environment"} & set(SimulationConfig().to_dict())
    config = SimulationConfig(graded=True, environment=False)
    assert SimulationConfig(**config.to_dict()) == config


def test_one_mechanism_is_for_imaging_and_a_mapping_for_whom_it_names() -> None:
    single = SimulationConfig(mechanism="mar")
    assert {name: single.mechanism_of(name) for name in single.names} == {
        name: "mar" if name == "imaging" else "mcar" for name in single.names
    }
    chosen = SimulationConfig(mechanism="mar", informative=("labs", "vitals"))
    assert [name for name in chosen.names if chosen.mechanism_of(name) == "mar"] == ["labs", "vitals"]
    mapped = SimulationConfig(mechanism={"labs": "mnar_outcome"})
    assert (mapped.mechanism_of("labs"), mapped.mechanism_of("imaging")) == ("mnar_outcome", "mcar")
    without = SimulationConfig(modalities=("labs", "ecg"))
    assert (without.mechanism_of("labs"), without.mechanism_of("ecg")) == ("mcar", "mnar")


def test_modalities_stand_in_the_order_of_the_catalogue() -> None:
    assert SimulationConfig(modalities=("notes", "labs")).names == ("labs", "notes")
    assert SimulationConfig(modalities=3).names == tuple(CATALOGUE)[:3]
    assert SimulationConfig(modalities=("vitals", "notes")).bias_modalities == ()


@pytest.mark.parametrize("patients", [100, 101, 1234])
def test_main_splits_add_up_to_the_patients(patients: int) -> None:
    sizes = SimulationConfig(patients=patients).sizes()
    assert list(sizes) == list(SPLITS)
    assert sizes["train"] + sizes["tuning"] + sizes["test"] == patients
    assert {sizes[name] for name in SPLITS[2:]} == {sizes["test"]}
