from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from gdsfd.errors import InputError
from gdsfd.latent.back_door import BackDoor
from gdsfd.latent.content import ContentReader
from tests.latent.drawn import BLOCK, a_mixture, draw
from tests.latent.test_mixture import slow_joint


@pytest.fixture
def model() -> BackDoor:
    mixture = a_mixture(2.5)
    reader = ContentReader(np.arange(6), BLOCK, np.zeros(6), np.ones(6), np.eye(6), BLOCK, np.full(3, -1))
    return BackDoor(reader, mixture, mixture.marginal, np.array([0.6, 0.4]))


def test_it_is_the_average_over_strata_patient_by_patient(model):
    seen, _, _ = draw(model.mixture, 30)
    content = np.clip(seen.content, -4, 4)
    found = model.predict_proba(content.astype(np.float32))
    seen = type(seen)(content.astype(np.float32).astype(float), seen.block, seen.views)
    for row in range(30):
        score = np.zeros(2)
        for y in range(2):
            plain = [slow_joint(model.mixture, seen, row, y, u, views=False) for u in range(2)]
            score[y] = np.log(np.sum(np.exp(plain - np.log(model.mixture.share[y])) * model.masses))
        assert found[row] == pytest.approx(softmax(score + np.log([0.6, 0.4])))
    assert model.predict_proba(content[:0].astype(np.float32)).shape == (0, 2)


def test_a_patient_with_nothing_has_the_prevalence(model):
    nothing = np.full((1, 6), np.nan, dtype=np.float32)
    assert model.predict_proba(nothing)[0] == pytest.approx([0.6, 0.4])


def test_masses_of_another_place_are_found_without_labels(model):
    """Where four patients of five are of the second class, whatever their outcome."""
    there = model.mixture.permuted(np.array([0, 1]))
    there = type(there)(np.tile([0.2, 0.8], (2, 1)), there.views, there.blocks, there.block, np.array([0.2, 0.8]))
    seen, y, _ = draw(there, 2000, seed=7)
    half = BackDoor(model.reader, model.mixture, model.masses, np.array([0.5, 0.5]))
    adapted = half.adapted(seen.content.astype(np.float32), rounds=60)
    assert adapted.masses == pytest.approx([0.2, 0.8], abs=0.06)
    table = seen.content.astype(np.float32)
    wrong = BackDoor(model.reader, model.mixture, np.array([0.98, 0.02]), half.prevalence)
    right, otherwise = (log_loss(y, each.predict_proba(table)) for each in (adapted, wrong))
    assert right < otherwise


def test_it_is_stored_as_arrays(model):
    table = draw(model.mixture, 40)[0].content.astype(np.float32)
    again = BackDoor.from_arrays(model.arrays(), "here", 6)
    assert (again.predict_proba(table) == model.predict_proba(table)).all()


def test_what_was_stored_before_codes_were_content_is_read_still(model):
    table = draw(model.mixture, 40)[0].content.astype(np.float32)
    before = {name: value for name, value in model.arrays().items() if name != "presence"}
    again = BackDoor.from_arrays(before, "here", 6)
    assert again.reader.numbers.all()
    assert (again.predict_proba(table) == model.predict_proba(table)).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": None}, "no array 'share'"),
        ({"masses": np.array([1.0])}, r"'masses': expected \(2,\)"),
        ({"scale": np.zeros(6)}, "not above 0"),
        ({"columns": np.arange(6) + 1}, "a column is out of range"),
        ({"outcome": np.full((2, 6), np.nan)}, "not finite"),
        ({"covariance": -np.eye(6)}, "covariance is not positive"),
        ({"block": np.array([0, 0, 0, 2, 2, 2])}, "modalities do not fit"),
        ({"block": np.zeros(6)}, "'block': got float64"),
        ({"presence": np.zeros(3)}, "'presence': got float64"),
        ({"presence": np.array([-1, -1])}, "modalities do not fit"),
        ({"presence": np.array([-1, -1, 6])}, "modalities do not fit"),
    ],
)
def test_damaged_arrays_are_refused(model, changes, message):
    arrays = {name: value for name, value in {**model.arrays(), **changes}.items() if value is not None}
    with pytest.raises(InputError, match=message):
        BackDoor.from_arrays(arrays, "here", 6)
