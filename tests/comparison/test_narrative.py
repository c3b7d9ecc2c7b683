from __future__ import annotations

from gdsfd.comparison.comparison import Comparison
from gdsfd.comparison.narrative import arm_sentences, design_sentences, negative_sentences
from gdsfd.comparison.summary import summarise

ERM = {seed: 0.80 + 0.01 * seed for seed in range(6)}
UP = {seed: value + 0.05 + 0.002 * (seed % 2) for seed, value in ERM.items()}
DOWN = {seed: value - 0.05 - 0.002 * (seed % 2) for seed, value in ERM.items()}
ORACLE = {seed: value + 0.10 for seed, value in ERM.items()}
GUARD = {seed: "debiased" if seed else "reference" for seed in ERM}


def test_a_gain_is_said_with_its_interval_share_and_guard(lines):
    (design,) = summarise(lines({"none": ERM, "full": UP, "oracle": ORACLE}, guard=GUARD))
    said = " ".join(arm_sentences(design, "full"))
    assert said.startswith("full is better than ERM on test_unbiased: +0.051 [+0.050, +0.052] on muse.")
    assert "it covers 51 % on muse" in said
    assert "debiased used in 5 of 6 fits" in said
    assert negative_sentences(design) == []


def test_no_gain_is_said(lines):
    near = {seed: value + 0.0004 * (seed % 2) for seed, value in ERM.items()}
    (design,) = summarise(lines({"none": ERM, "full": near}, guard=GUARD))
    assert "No arm as delivered is better than ERM on test_unbiased." in negative_sentences(design)
    assert "full is equivalent to ERM, within 0.01 AUROC, on test_unbiased" in design_sentences(design)[0]


def test_harm_is_said_of_forced_networks_too(lines):
    (design,) = summarise(lines({"none": ERM, "dfd": dict(ERM), "dfd (forced)": DOWN}, guard=GUARD))
    assert "Worse than ERM on test_unbiased: dfd (forced) on muse." in negative_sentences(design)


def test_a_simpler_model_that_is_above_is_named(lines):
    (design,) = summarise(lines({"none": ERM, "full": UP, "boosting": {seed: 0.9 for seed in ERM}}, guard=GUARD))
    assert "boosting has a higher mean (0.900) on test_unbiased than full on muse; ERM on muse." in [
        sentence.replace("ERM on muse; full on muse", "full on muse; ERM on muse")
        for sentence in negative_sentences(design)
    ]


def test_one_seed_makes_no_verdict(lines):
    (design,) = summarise(lines({"none": {0: 0.8}, "full": {0: 0.9}}))
    assert "without an interval (one seed)" in design_sentences(design)[0]
    assert negative_sentences(design) == []


def test_held_out_environments_are_named_as_such(lines):
    erm = {(seed, name): 0.7 for seed in range(3) for name in "ab"}
    (design,) = summarise(lines({"none": erm, "full": dict(erm)}))
    assert "in held-out environments" in design_sentences(design)[0]


def test_an_arm_that_its_guard_declined_is_called_erm_wherever_it_stands(lines):
    declined = dict.fromkeys(ERM, "reference")
    arms = {"none": ERM, "full": dict(ERM), "full (forced)": DOWN, "boosting": {seed: 0.95 for seed in ERM}}
    records = lines(arms, guard=declined)
    (design,) = summarise(records)
    row = design.tables["test_unbiased"].row("muse", "full")
    assert (row.label, row.verdict) == ("full (declined: ERM)", "declined")
    said = design_sentences(design)
    assert said[0].startswith("full is declined by its guard in every fit: what it delivers is ERM, on muse.")
    assert not any("equivalent" in sentence for sentence in said)
    assert not any("full on muse" in sentence for sentence in negative_sentences(design))
    comparison = Comparison(records)
    assert "full (declined: ERM)" in comparison.html()
    frame = comparison.to_frame()
    assert set(frame[frame.arm == "full"].label) == {"full (declined: ERM)"}
    assert set(frame[frame.arm == "full"].verdict) == {"declined"}
    stored = comparison.summary()["designs"][0]["splits"]["test_unbiased"]
    assert {one["label"] for one in stored if one["arm"] == "full"} == {"full (declined: ERM)"}


def test_an_arm_declined_in_some_fits_says_in_how_many(lines):
    (design,) = summarise(lines({"none": ERM, "full": UP}, guard=GUARD))
    assert design.tables["test_unbiased"].row("muse", "full").label == "full (declined in 1 of 6)"
