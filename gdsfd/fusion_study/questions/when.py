"""Question 1: when does fusion help?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gdsfd.fusion_study.answer import Answer, Material, signed
from gdsfd.fusion_study.differences import difference
from gdsfd.fusion_study.measured import gains_if_measured
from gdsfd.fusion_study.placebo import placebos
from gdsfd.fusion_study.questions.when_details import gain_forest, gains_in_detail
from gdsfd.fusion_study.resampled import resampled

__all__ = ["when"]

#: The additive control: every modality scores by itself, scores are added.
ADDITIVE = "late:fusion=sum"
_KINDS = {
    "interaction": "most of what fusion gains here is interaction",
    "additive": "most of what fusion gains here is additive",
}
_LOOKS = ("as_it_looks", "if_measured")


def when(material: Material) -> Answer:
    """What all modalities together add to the best single one, each to the others, and how much of it is interaction.

    Sets of modalities are those of gradient boosting, retrained on each, so that one model class is compared with
    itself. Interaction is the best network that fuses less the one that only adds (``late:fusion=sum``).
    """
    plan = material.plan
    fitted = set(material.means["learner"])
    means = {
        name: float(np.nanmean(material.by_seed(f"boosting, only {name}")))
        for name in plan.modalities
        if f"boosting, only {name}" in fitted
    }
    rows: list[dict[str, Any]] = []

    def add(what: str, learner: str, reference: str) -> None:
        found = difference(material, learner, reference)
        named = {"gain": found.mean, "gain_low": found.low, "gain_high": found.high, "verdict": found.verdict}
        rows.append({"contrast": what, **named})

    best = max(means, key=lambda name: means[name], default="")
    if best:
        add(f"all modalities minus the best single one ({best})", "boosting", f"boosting, only {best}")
    for name in plan.modalities:
        if f"boosting, without {name}" in fitted:
            add(f"all modalities minus all but {name}", "boosting", f"boosting, without {name}")
    fusing = {
        each.name: float(np.nanmean(material.by_seed(each.name)))
        for each in plan.contenders
        if each.network and each.name != ADDITIVE and each.name in fitted
    }
    network = max(fusing, key=lambda name: fusing[name], default="")
    kind = ""
    if network and ADDITIVE in fitted:
        add(f"interaction: {network} minus the sum of modalities' own scores", network, ADDITIVE)
        kind = _kind(material, network, f"boosting, only {best}") if best else ""
    measured: Any = gains_if_measured(material)
    table = pd.DataFrame(rows, columns=["contrast", "gain", "gain_low", "gain_high", "verdict"])
    alone = pd.DataFrame({"modality": list(means), "auroc_alone": list(means.values())})
    tables = {"gains": table, "alone": alone.sort_values("auroc_alone", ascending=False, ignore_index=True)}
    if len(measured):
        tables["had_everyone_been_measured"] = measured
    figures = {"gains": gain_forest(rows, "contrast", plan.margin)}
    placebo: Any = placebos(material)
    if best:
        more = gains_in_detail(material, best)
        tables, figures = {**tables, **more.tables}, {**figures, **more.figures}
    if len(placebo):
        tables["placebo"] = placebo
    said = [*_sentences(rows, best, means, plan.margin, kind), *_if_measured(measured, plan.margin)]
    if len(placebo) and (placebo["verdict"] == "better").any():
        said.append("Beware: a modality dealt out anew between patients, which can tell nothing, seems to help.")
    facts = {"best_single": best, "alone": means, "gains": rows, "kind_of_gain": kind}
    return Answer(1, tuple(said), tables, figures, facts)


def _kind(material: Material, network: str, single: str) -> str:
    """Whether most of a network's gain over a single modality is interaction: more or less than half of it.

    What is judged is the mean of the network and the single one less the additive control: above 0 where the control
    has less than half of the gain.
    """
    parts = [np.array(material.by_seed(name)) for name in (network, single, ADDITIVE)]
    total = resampled(parts[0] - parts[1], *material.sizes)
    excess = resampled((parts[0] + parts[1]) / 2 - parts[2], *material.sizes)
    if not total.low > 0:
        return ""
    return "interaction" if excess.low > 0 else "additive" if excess.high < 0 else "undecided"


def _sentences(
    rows: list[dict[str, Any]], best: str, means: dict[str, float], margin: float, kind: str = ""
) -> list[str]:
    if not best:
        return ["There is one modality, so nothing to fuse."]
    gain = rows[0]
    word = {
        "better": "Fusion helps here",
        "no difference": "Fusion makes no difference here",
        "worse": "Fusion harms here",
    }.get(gain["verdict"], "Whether fusion helps here is undecided")
    width = signed(gain["gain"], gain["gain_low"], gain["gain_high"])
    said = [
        f"{word}: all modalities together have {width} AUROC over the best single one ({best}, {means[best]:.3f}), by "
        "gradient boosting."
    ]
    start = "all modalities minus all but "
    one_less = [row for row in rows if row["contrast"].startswith(start) and row["verdict"] == "better"]
    needed = [row["contrast"].removeprefix(start) for row in one_less]
    inter = next((row for row in rows if row["contrast"].startswith("interaction")), None)
    if needed:
        second = f"Beside all others {_listed(needed)} still {'adds' if len(needed) == 1 else 'add'} {margin:g} or more"
    else:
        second = f"No modality adds {margin:g} or more to all others beyond doubt"
    if inter is not None:
        second += (
            f"; interaction between modalities is worth {signed(inter['gain'], inter['gain_low'], inter['gain_high'])}"
        )
        second += f" ({inter['verdict']})"
    if kind in _KINDS:
        second += f", so {_KINDS[kind]}"
    return [*said, second + "."]


def _if_measured(measured: Any, margin: float) -> list[str]:
    """The modality whose gain depends most on who was measured."""
    if not len(measured) or not measured["if_measured"].notna().any():
        return []
    apart = (measured["as_it_looks"] - measured["if_measured"]).abs()
    row = measured.loc[apart.idxmax()]
    looks, gain = (signed(*(float(row[f"{name}{end}"]) for end in ("", "_low", "_high"))) for name in _LOOKS)
    word = "about as much" if float(apart.max()) < margin else "something else"
    said = f"On those who have {row['modality']} it looks like {looks}; had everyone been measured, {word}: {gain}."
    return [said if not row["warning"] else f"{said} But {row['warning']}."]


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
