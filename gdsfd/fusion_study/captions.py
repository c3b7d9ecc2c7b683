"""What a study's figures and tables are called on its page, and how to read them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Caption", "caption_of"]


class Caption(NamedTuple):
    """What stands above a figure or a table.

    Args:
        title: Its name.
        words: How to read it.
        folded: Whether it is shown only when asked for.
    """

    title: str
    words: str = ""
    folded: bool = False


_CAPTIONS = {
    "gains": Caption("What is gained in AUROC", "The grey band is what counts as no difference."),
    "alone": Caption("Each modality alone", "AUROC of gradient boosting trained on one modality."),
    "had_everyone_been_measured": Caption(
        "Had everyone been measured",
        "What a modality adds to all others: among those who have it, and weighted to everybody. The tipping point is "
        "how many times an unseen reason would have to change the odds of being measured to bring the gain to 0.",
    ),
    "minus_concat": Caption("AUROC less that of concatenation", "The grey band is what counts as no difference."),
    "learners": Caption(
        "Learners",
        "A calibration slope below 1 means risks that are too extreme, an intercept below 0 risks that are too high. "
        "Holm: p after correction for the number of learners.",
    ),
    "environments_left_out": Caption("Each environment after training on the others"),
    "hidden_at_random": Caption(
        "Modalities hidden at random",
        "The floor is boosting trained on patients who lose as many: a learner below it is confused by absence.",
    ),
    "ranks": Caption(
        "Who leads",
        "Places by AUROC, the best on top. Where lines cross, the order depends on why modalities are missing.",
    ),
    "conditions": Caption("AUROC by what test patients lose"),
    "in_short": Caption(
        "In short",
        "Area: where the curve above lies between the best single modality (0) and all that is there (1); below 0 it "
        "falls under the best single one. Swing: AUROC with modalities hidden in those without the outcome less that "
        "with them hidden in those with it; far from 0, a learner reads absence itself.",
    ),
    "rank_agreement": Caption(
        "Whether the order of learners survives",
        "Kendall's tau with the order as patients come, and with the order when modalities are hidden at random.",
    ),
    "one_modality_at_a_time": Caption("AUROC with one modality hidden, and with one left", folded=True),
    "regret": Caption("Regret", "Floor less AUROC; above 0 the absence itself confuses.", True),
    "alerts_and_calibration": Caption(
        "Alerts under each condition", "At the threshold chosen on tuning patients as they come.", True
    ),
    "presence_alone": Caption("What presence gives away", "AUROC of a model that sees who has what, and no value."),
    "gaps": Caption("Gaps between groups", "Beside what chance makes of groups without any gap.", True),
    "what_fusion_changes": Caption("What fusion changes in the gaps"),
    "availability_or_model": Caption("Availability or model?", "The gap, and what is left with equal patterns.", True),
}


def caption_of(name: str) -> Caption:
    """The caption of a figure or a table; of one that has none, its name in words."""
    if name.startswith("train_by_test_"):
        learner = name.removeprefix("train_by_test_")
        return Caption(f"{learner}: trained under, and tested under", "AUROC; training down, test patients across.")
    if name.startswith("trained_under_"):
        return Caption(f"{name.removeprefix('trained_under_')} by what training patients lost", "", True)
    return _CAPTIONS.get(name, Caption(name.replace("_", " ").capitalize()))
