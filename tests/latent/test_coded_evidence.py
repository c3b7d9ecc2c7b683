from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from gdsfd.latent.coded_evidence import judge_coded, shift_of_classes
from gdsfd.latent.evidence import Evidence
from gdsfd.latent.gaussian_block import GaussianBlock
from gdsfd.latent.mixture import Mixture

PRACTICE = Evidence(2, (0.5, 0.5), {"pattern": 1e-9, "environment": 0.2}, 0.1, 4.0, 0.0, 0.0, "practice", "...")
NUMBERS = np.array([True, False])
PRESENCE = np.array([0.9, 0.5])


def mixture(in_numbers: list[float], in_codes: float) -> Mixture:
    """The outcome writes in the first of two numbers; classes shift numbers and the one component of codes."""
    stratum = np.array([np.zeros(2), np.array(in_numbers)])
    blocks = (
        GaussianBlock(np.array([[0.0, 0.0], [1.5, 0.0]]), stratum, np.eye(2)),
        GaussianBlock(np.zeros((2, 1)), np.array([[0.0], [in_codes]]), np.array([[4.0]])),
    )
    share = np.array([[0.9, 0.1], [0.1, 0.9]])
    return Mixture(share, {}, blocks, np.array([0, 0, 1]), share.mean(0))


def test_the_shift_of_classes_is_their_distance_in_standard_deviations():
    found = mixture([3.0, 4.0], 6.0)
    assert shift_of_classes(found, np.ones(2), NUMBERS) == pytest.approx(5.0)
    assert shift_of_classes(found, np.ones(2), ~NUMBERS) == pytest.approx(3.0)
    assert shift_of_classes(found, PRESENCE, ~NUMBERS) == pytest.approx(3.0 * 0.5**0.5)
    assert shift_of_classes(found, np.ones(2), np.ones(2, dtype=bool)) == pytest.approx(34**0.5)


def test_a_habit_is_a_practice_and_it_is_said_where_it_shows():
    found = judge_coded(PRACTICE, mixture([0.3, 0.0], 6.0), PRESENCE, NUMBERS, True)
    assert found.adjust
    assert found.sentence == (
        "2 kinds of practice were found in codes and categories, told by pattern; they write elsewhere than the "
        "outcome does (overlap 0.10) and are averaged out."
    )
    in_numbers_too = mixture([0.0, 2.0], 6.0)  # in other numbers than the outcome
    assert judge_coded(PRACTICE, in_numbers_too, PRESENCE, NUMBERS, True).adjust
    only = replace(mixture([0.0, 0.0], 6.0), blocks=mixture([0.0, 0.0], 6.0).blocks[1:], block=np.zeros(1, dtype=int))
    assert judge_coded(PRACTICE, only, PRESENCE[1:], NUMBERS[1:], True).adjust  # no numbers at all


@pytest.mark.parametrize(
    ("classes", "settled", "reason"),
    [
        (([0.0, 0.0], 6.0), False, "no end to their number"),
        (([0.0, 0.0], 60.0), True, "21 standard deviations apart in codes"),
        (([1.5, 0.5], 6.0), True, r"write where the outcome writes \(overlap 0.95\)"),
    ],
)
def test_diseases_flags_and_severity_are_none(classes, settled, reason):
    found = judge_coded(PRACTICE, mixture(*classes), PRESENCE, NUMBERS, settled)
    assert found.verdict == "cannot tell"
    assert not found.adjust
    assert re.search(reason, found.sentence), found.sentence


def test_what_was_no_practice_stays_as_it_was():
    severity = replace(PRACTICE, verdict="severity")
    assert judge_coded(severity, mixture([0, 0], 6.0), PRESENCE, NUMBERS, False) is severity
