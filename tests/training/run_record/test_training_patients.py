"""Whom a run has seen: recognised by hash, by id and by person, and not by chance."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gdsfd.errors import InputError
from gdsfd.training.run_record.training_patients import TrainingPatients


def graph(ids, subjects=None, split=None):
    patient = SimpleNamespace(id=list(ids), subject=list(subjects or ids), split=list(split or ["new"] * len(ids)))
    return {"patient": patient}


TRAINED = graph(
    ["s1", "s2", "s3", "s4", "s5"], ["p1", "p1", "p2", "p3", "p4"], ["train", "train", "tuning", "test", "test"]
)


def test_training_and_tuning_patients_are_recognised():
    own = TrainingPatients.of(TRAINED)
    assert own.roles(TRAINED).tolist() == ["train", "train", "tuning", "", ""]


def test_a_further_stay_of_a_person_trained_on_is_recognised():
    own = TrainingPatients.of(TRAINED)
    assert own.roles(graph(["s9", "s8", "s7"], ["p1", "p9", "p2"])).tolist() == ["train", "", "tuning"]


def test_without_the_persons_the_ids_decide():
    own = TrainingPatients.of(TRAINED)
    there = graph(["s1", "p1", "s3"])  # p1 is a stay here, whatever the persons are called in training
    assert own.roles(there).tolist() == ["train", "", "tuning"]
    assert (own.compares(there), own.compares(TRAINED)) == ("id", "id and person")
    without = TrainingPatients.of(graph(["1", "2"], split=["train", "test"]))
    assert without.roles(graph(["7", "2"], ["1", "x"])).tolist() == ["", ""]  # person 1 is not patient 1
    assert without.roles(graph(["1", "2"], ["id 1", "2"])).tolist() == ["train", ""]  # a blank subject


@pytest.mark.parametrize("writing", ["{:03d}", "{}.0", " {} ", "{:05d}.00"])
def test_another_writing_of_all_ids_is_seen_through(writing):
    own = TrainingPatients.of(graph([str(number) for number in range(1, 9)], split=["train"] * 4 + ["test"] * 4))
    there = graph([writing.format(number) for number in range(1, 9)])
    assert own.roles(there).tolist() == ["train"] * 4 + [""] * 4


def test_plain_writing_does_not_mix_up_ids_of_one_cohort():
    trained = graph(["007", "7", "A1", "a1"], split=["train", "test", "train", "test"])
    assert TrainingPatients.of(trained).roles(trained).tolist() == ["train", "", "train", ""]


def test_of_new_patients_also_those_are_seen_whose_ids_alone_were_rewritten():
    """A spreadsheet takes the zeros off 007 and leaves 1234: with only 1234 recognised, 007 would be judged."""
    own = TrainingPatients.of(graph(["007", "1234", "0099", "5"], split=["train", "train", "tuning", "test"]))

    class New(dict):
        receipt = SimpleNamespace(new=True)

    there = New(graph(["7", "1234", "99", "5"]), receipt=None)
    assert own.roles(there).tolist() == ["train", "train", "tuning", ""]


def test_it_is_salted_anew_and_holds_no_id(tmp_path):
    first, second = TrainingPatients.of(TRAINED), TrainingPatients.of(TRAINED)
    assert first.salt != second.salt
    for key in first.hashes:
        assert not np.isin(first.hashes[key], second.hashes[key], kind="sort").any()
    assert (np.diff(first.hashes["train", "id"].astype(object)) > 0).all()  # their order tells nothing


def test_it_survives_storing_and_refuses_what_is_damaged():
    own = TrainingPatients.of(TRAINED)
    arrays = own.arrays()
    again = TrainingPatients.from_arrays(own.salt, own.subject_is_id, arrays, "t.safetensors")
    assert again.roles(TRAINED).tolist() == own.roles(TRAINED).tolist()
    with pytest.raises(InputError, match=r"t\.safetensors: damaged \(no salt\)"):
        TrainingPatients.from_arrays(None, False, arrays, "t.safetensors")
    arrays["train.id"] = arrays["train.id"].astype(np.float64)
    with pytest.raises(InputError, match=r"t\.safetensors: damaged \(no hashes of training patients\)"):
        TrainingPatients.from_arrays(own.salt, False, arrays, "t.safetensors")
