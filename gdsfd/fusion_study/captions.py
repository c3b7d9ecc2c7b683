"""What a study's figures and tables are called on its page, and how to read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Caption", "caption_of"]


class Caption(NamedTuple):
    """What stands above a figure or a table.

    Args:
        title: Its name.
        words: How to read it.
        folded: Whether it is shown only when asked for.
        columns: Column of a table -> what stands above it, where its name in words does not say it.
    """

    title: str
    words: str = ""
    folded: bool = False
    columns: Mapping[str, str] = MappingProxyType({})

    def heading(self, column: str) -> str:
        """What stands above a column."""
        return self.columns.get(column) or " ".join(_WORDS.get(word, word) for word in column.split("_"))


#: Words of columns that are written otherwise on a page.
_WORDS = {
    "auroc": "AUROC",
    "auprc": "average precision",
    "brier": "Brier score",
    "holm": "(Holm)",
    "tpr": "found",
    "fpr": "falsely alarmed",
    "ppv": "right alarms",
    "q": "Q",
}

_CAPTIONS = {
    "gains": Caption("What is gained in AUROC", "The grey band is what counts as no difference."),
    "alone": Caption("Each modality alone", "AUROC of gradient boosting trained on one modality."),
    "had_everyone_been_measured": Caption(
        "Had everyone been measured",
        "What a modality adds to all others: among those who have it, and weighted to everybody. The tipping point is "
        "how many times an unseen reason would have to change the odds of being measured to bring the gain to 0.",
        columns=MappingProxyType({"effective": "patients they are worth, weighted"}),
    ),
    "gains_in_strata": Caption(
        "For whom",
        "The gain over the best single modality, among some patients. Below 50 patients, or 10 of either class, strata "
        "are too few.",
    ),
    "do_strata_differ": Caption(
        "Do strata differ?",
        "Cochran's Q; share: of the spread between strata that is not chance. Outcomes of the same patients are not "
        "independent, which makes Q too small, never too large.",
    ),
    "decision_curve": Caption(
        "Net benefit",
        "True positives per patient less what false ones cost, over the risks from which one would act. Difference: "
        "all modalities less the best single one.",
        columns=MappingProxyType(
            {
                "threshold": "acting from a risk of",
                "everybody": "act on everybody",
                "reference": "best single modality",
                "learner": "all modalities",
            }
        ),
    ),
    "what_each_modality_is_worth": Caption(
        "What each modality is worth", "Shapley values in AUROC: they add up to what all modalities have above .5."
    ),
    "learning_curve": Caption(
        "With fewer training patients",
        "A gain that still rises with the last patients would be larger with more of them.",
    ),
    "placebo": Caption(
        "Placebo",
        "A modality, and who has it, dealt out anew among patients, against boosting without it: nothing is to gain.",
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
    "groups": Caption(
        "Groups",
        "Average precision by chance is the prevalence. Rates and net benefit are at the threshold chosen on tuning "
        "patients, one for all. A slope below 1: risks too extreme; an intercept below 0: risks too high.",
    ),
    "gaps_between_pairs_of_groups": Caption("Gaps between pairs of attributes", "Corrected among themselves.", True),
    "found_or_false_alarms": Caption(
        "Found, or falsely alarmed",
        "How much of the gap in both error rates is in who is found; by chance: the median of equal groups.",
    ),
    "figures_and_what_is_missing": Caption(
        "Figures of groups and what they lack", "Correlation over eight groups or more.", True
    ),
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
