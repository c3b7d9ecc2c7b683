"""Fits that have ended of all, and how long the rest will take."""

from __future__ import annotations

import math

from gdsfd.comparison.countdown import Countdown, seconds_left


def key(seed, backbone, arm):
    return ("graph", None, seed, backbone, arm)


def record(seed, backbone, arm, seconds, guard=0.0):
    made = dict(zip(("design", "holdout", "seed", "backbone", "arm"), key(seed, backbone, arm)))
    return {**made, "seconds": seconds, "guard_seconds": guard}


ASKED = [
    key(seed, *row)
    for seed in (0, 1)
    for row in (("", "boosting"), ("muse", "none"), ("muse", "full"), ("muse", "full (forced)"))
]


def test_what_comes_along_is_no_fit_and_nothing_is_known_at_first():
    ended: list = []
    countdown = Countdown(ASKED, lambda: ended)
    assert countdown.words("graph, seed 0: boosting") == "0 of 6 fits done; now graph, seed 0: boosting"
    ended.append(record(0, "", "boosting", 2.0))
    assert countdown.words("x") == "1 of 6 fits done, 2 s each; now x"  # a tree tells nothing of networks


def test_what_is_left_is_what_the_like_took():
    ended = [record(0, "", "boosting", 2.0), record(0, "muse", "none", 10.0), record(0, "muse", "full", 20.0, 30.0)]
    ended.append({**record(0, "muse", "full (forced)", 20.0)})
    # 2 + 10 + 50 s of the other seed
    assert Countdown(ASKED, lambda: ended).words("x") == "3 of 6 fits done, 21 s each, about 62 s left; now x"
    assert Countdown(ASKED, lambda: ended, at_once=2).words("x").count("about 31 s left") == 1
    other = [record(7, "muse", "none", 1000.0)]
    assert Countdown(ASKED, lambda: ended + other).words("x").startswith("3 of 6 fits done, 21 s each")


def test_a_word_that_comes_when_all_has_ended_is_not_said():
    asked = [key(0, "muse", "full")]
    ended = [record(0, "muse", "full", 20.0, 30.0)]
    assert Countdown(asked, lambda: ended).words("graph, seed 0: muse full: guard") == "1 of 1 fits done, 50 s each"


def test_another_backbone_is_guessed_by_the_arm_then_by_the_kind():
    ended = {key(0, "muse", "none"): 4.0, key(0, "muse", "full"): 8.0}
    assert seconds_left([key(0, "concat", "full")], ended) == 8.0
    assert seconds_left([key(0, "concat", "dfd")], ended) == 6.0
    assert math.isnan(seconds_left([key(0, "", "logistic")], ended))
    assert seconds_left([], {}) == 0.0
