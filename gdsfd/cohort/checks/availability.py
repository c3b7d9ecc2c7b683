"""Warnings about who has what: modalities, sites, labels and splits that mislead or cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gdsfd.cohort.patient_facts import PatientFacts
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import SurvivalFields
from gdsfd.errors import cell_text, shown

__all__ = ["SMALL_ENVIRONMENT", "presence_findings"]

_MANY_EMPTY, _EMPTY_SHARE = 20, 0.02  #: patients without any modality from whom on a missing file is suspected
SMALL_ENVIRONMENT = 10  #: environments with fewer patients are too small to be judged on their own
FEW_OUTCOMES = 3  #: outcomes whose unlabelled patients are told one by one


def presence_findings(facts: PatientFacts, new: bool = False) -> list[Finding]:
    """Modalities nobody in train has or whole environments lack, patients with nothing, splits with one class, small
    environments, unlabelled patients.

    Args:
        facts: The facts of a cohort.
        new: Whether these are new patients, whom nobody trains on.
    """
    absent = _absent_from_new(facts) if new else _absent_from_train(facts)
    return [*absent, *_modalities(facts), *_nothing(facts), *_environments(facts), *_labels(facts, new)]


def _absent_from_new(facts: PatientFacts) -> Iterator[Finding]:
    for column, modality in enumerate(facts.modalities):
        if not facts.presence[:, column].any():
            text = "no new patient has it: the model predicts each as it does a training patient without it"
            yield Finding("presence", modality, text, 0.0)


def _absent_from_train(facts: PatientFacts) -> Iterator[Finding]:
    train = facts.splits.get("train", np.zeros(len(facts.split), bool))
    in_train = facts.presence[train].sum(0)
    for column, modality in enumerate(facts.modalities):
        have = int(facts.presence[:, column].sum())
        if train.any() and not in_train[column]:
            who = f"{have:,} others have it" if have else "and nobody else"
            yield Finding(
                "presence", modality, f"no training patient has it ({who}): a model cannot learn from it", 0.0
            )


def _modalities(facts: PatientFacts) -> Iterator[Finding]:
    large = {name: members for name, members in facts.environments.items() if members.sum() >= SMALL_ENVIRONMENT}
    for column, modality in enumerate(facts.modalities):
        have = int(facts.presence[:, column].sum())
        lacking = [name for name, members in large.items() if not facts.presence[members, column].any()]
        if have and lacking:
            yield Finding(
                "presence",
                modality,
                f"{len(lacking)} of {len(large)} environments with {SMALL_ENVIRONMENT} or more patients lack it wholly "
                f"({shown(lacking)}): its presence gives the environment away",
                float(len(lacking)),
            )


def _nothing(facts: PatientFacts) -> Iterator[Finding]:
    empty = int((~facts.presence.any(1)).sum())
    if empty:
        text = f"{empty:,} of {len(facts.split):,} patients have no modality at all; they stay, as nodes without edges"
        by_chance = float(np.prod(1 - facts.presence.mean(0))) * len(facts.split)
        if len(facts.modalities) > 1 and empty >= max(_MANY_EMPTY, _EMPTY_SHARE * len(facts.split), 3 * by_chance):
            text += (
                f", and {by_chance:,.0f} would if modalities were absent independently: is a file missing with all "
                "that was recorded of some patients (a shard, a year, a ward)?"
            )
        yield Finding("presence", "patients", text, empty / len(facts.split))


def _environments(facts: PatientFacts) -> Iterator[Finding]:
    small = {
        name: int(members.sum()) for name, members in facts.environments.items() if members.sum() < SMALL_ENVIRONMENT
    }
    if small:
        yield Finding(
            "environment",
            "environment",
            f"{len(small)} of {len(facts.environments)} environments have fewer than {SMALL_ENVIRONMENT} patients "
            f"({shown(small)}; {sum(small.values()):,} patients together): too few to judge on their own",
            float(len(small)),
        )


def _unlabelled(facts: PatientFacts, new: bool) -> Iterator[Finding]:
    """A finding per outcome; of many outcomes one that names those with the most."""
    labelled = {name: members for name, _, _, members in facts.classes}
    shares = {name: float((~members).mean()) for name, members in labelled.items() if not members.all()}
    losses = "" if new else "training losses and "
    if len(shares) > FEW_OUTCOMES:
        most = sorted(shares, key=lambda name: -shares[name])[:FEW_OUTCOMES]
        yield Finding(
            "labels",
            "outcomes",
            f"{len(shares):,} of {len(labelled):,} have unlabelled patients (most of all "
            f"{', '.join(f'{name} {shares[name]:.1%}' for name in most)}): these are kept in the graph, left out of "
            f"that outcome's {losses}metrics",
            shares[most[0]],
        )
        return
    for name, share in shares.items():
        count = int((~labelled[name]).sum())
        yield Finding(
            "labels",
            name,
            f"{count:,} of {len(labelled[name]):,} patients ({share:.1%}) are unlabelled: kept in the graph, "
            f"left out of {losses}metrics",
            share,
        )


def _events(facts: PatientFacts, fields: SurvivalFields) -> Iterator[Finding]:
    """Of a time to an event: patients without it are in the notes, unlabelled intervals are what censoring is."""
    happened = (facts.y == 1).any(1)
    for name, members in facts.splits.items():
        known, events = int((facts.labelled & members).sum()), int((happened & members).sum())
        if not known or not events:
            what = "no labelled patient" if not known else f"no event among its {known:,} labelled patients"
            yield Finding("labels", fields.name, f"split {name!r} has {what}: nothing can be judged on it")


def _labels(facts: PatientFacts, new: bool) -> Iterator[Finding]:
    if facts.survival is not None:
        yield from _events(facts, facts.survival)
        return
    yield from _unlabelled(facts, new)
    for outcome in facts.outcomes:
        own = [entry for entry in facts.classes if entry[0] == outcome.name]
        labelled = own[0][3]
        for name, members in facts.splits.items():
            found = [label for _, label, those, _ in own if (those & members).any()]
            known = int((labelled & members).sum())
            if known == 0:
                yield Finding(
                    "labels", outcome.name, f"split {name!r} has no labelled patient: nothing can be judged on it"
                )
            elif len(found) == 1:
                yield Finding(
                    "labels",
                    outcome.name,
                    f"split {name!r} has one class only ({cell_text(found[0])}, {known:,} labelled patients): "
                    "AUROC and AUPRC cannot be worked out on it",
                    float(known),
                )
            elif len(found) < len(own):
                absent = [label for _, label, *_ in own if label not in found]
                yield Finding(
                    "labels",
                    outcome.name,
                    f"split {name!r} has no patient of {shown(absent)}: a mean over classes leaves them out there",
                    float(len(absent)),
                )
