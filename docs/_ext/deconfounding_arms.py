"""The arms of the studies of deconfounding, ``mode:setting=value:...``, in words and as points of an ablation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gdsfd.nn.adjustment.config import PrototypeConfig
from gdsfd.nn.streams.config import PRESETS, StreamConfig

REFERENCE = "none"
#: Ablation -> the settings that it varies. The rest of an arm's settings says which curve it belongs to.
ABLATIONS: dict[str, tuple[str, ...]] = {
    "strata": ("strata", "source"),
    "clusters": ("clusters",),
    "draws": ("draws",),
    "update": ("update", "refit_every", "decay"),
    "estimator": ("estimator",),
    "fusion": ("fusion",),
    "mass": ("mass",),
    "intervention": ("intervention", "consistency"),
    "weight": ("weight",),
}
#: Ablations of what arms without prototypes have, too.
_OF_ALL = ("intervention", "weight")
#: Values whose order is not that of the file.
_ORDERS = {
    "strata": ("pattern", "cluster", "environment", "pattern+cluster", "pattern+environment"),
    "estimator": ("exact", "sampled", "nwgm", "attention"),
    "fusion": ("concat", "add", "film", "gate", "cross_attention"),
    "mass": ("train", "uniform", "target"),
    "update": ("refit", "ema"),
}
#: Settings of arms whose lines were written before they were taken out, with what holds now.
_EARLIER = {"source": "biased", "fusion": "concat", "allocation": "proportional", "update": "refit", "decay": "0.99"}
_EARLIER |= {"per_patient": "False", "jitter": "0", "mass": "train"}
_WORDS = {"exact": "exact", "nwgm": "mean centre (nwgm)", "target": "target site", "ema": "EMA", "train": "training"}


@dataclass(frozen=True)
class Arm:
    """An arm taken apart.

    Args:
        name: As it stands in the lines.
        mode: Its mode.
        given: The settings that differ from the mode's.
    """

    name: str
    mode: str
    given: dict[str, str] = field(default_factory=dict)

    def value(self, setting: str) -> str:
        """A setting, given or by default; empty where the mode has no such setting."""
        if setting in self.given:
            return self.given[setting]
        parts = PRESETS.get(self.mode)
        inner = parts.prototypes if parts is not None else None
        prototypes = inner or (PrototypeConfig() if self.has_prototypes else None)
        source: StreamConfig | PrototypeConfig | None = parts if hasattr(parts, setting) else prototypes
        found = getattr(source, setting, _EARLIER.get(setting, "") if source is not None else "")
        return "+".join(found) if isinstance(found, tuple) else f"{found:g}" if isinstance(found, float) else str(found)

    @property
    def has_prototypes(self) -> bool:
        """Whether predictions are averaged over strata."""
        parts = PRESETS.get(self.mode)
        own = {*PrototypeConfig.__dataclass_fields__, *_EARLIER} - set(StreamConfig.__dataclass_fields__)
        return (parts is not None and parts.prototypes is not None) or bool(own & set(self.given))

    @property
    def placebo(self) -> str:
        """``random``, ``shuffled`` or ``none``."""
        return self.given.get("placebo", "none")

    @property
    def real(self) -> str:
        """The name of the same arm without its placebo."""
        return ":".join(part for part in self.name.split(":") if not part.startswith("placebo="))


@dataclass(frozen=True)
class Point:
    """An arm's place in an ablation.

    Args:
        arm: The arm.
        curve: What it has in common with the others of its curve, in words.
        label: The value varied, in words.
        order: Where the value stands along the axis.
        number: The value as a number; None where it is a word.
        default: Whether the value is the mode's own.
    """

    arm: str
    curve: str
    label: str
    order: tuple[float, str]
    number: float | None
    default: bool


def read_arm(name: str) -> Arm:
    """Takes an arm's name apart."""
    mode, *settings = name.split(":")
    given = {}
    for each in settings:
        setting, _, value = each.partition("=")
        number = as_number(value)
        given[setting] = f"{number:g}" if number is not None else value
    arm = Arm(name, mode)
    # A setting that says what holds anyway makes no other arm.
    return Arm(name, mode, {setting: value for setting, value in given.items() if value != arm.value(setting)})


def arm_words(name: str) -> str:
    """An arm as it stands in tables."""
    if name == REFERENCE:
        return "ERM"
    mode, *settings = name.split(":")
    return f"``{mode}``" + "".join(f", {each.replace('=', ' ').replace('_', ' ')}" for each in settings)


def as_number(value: str) -> float | None:
    """A value as a number; None if it is a word."""
    try:
        return float(value)
    except ValueError:
        return None


def curves(names: Iterable[str], ablation: str) -> dict[str, list[Point]]:
    """The arms that belong to an ablation, by curve; a curve has at least two points.

    Settings without effect are seen through: without clusters in the strata there is one per pattern, and the exact
    average stands beside drawn ones as all strata.
    """
    found: dict[str, dict[str, Point]] = {}
    for name in names:
        point = _point(read_arm(name), ablation)
        if point is not None:
            found.setdefault(point.curve, {}).setdefault(point.label, point)
    return {
        curve: sorted(points.values(), key=lambda point: point.order)
        for curve, points in found.items()
        if len(points) > 1
    }


def _point(arm: Arm, ablation: str) -> Point | None:
    keys = ABLATIONS[ablation]
    if arm.mode == REFERENCE or (ablation not in _OF_ALL and not arm.has_prototypes):
        return None
    rest = {setting: value for setting, value in arm.given.items() if setting not in keys}
    values = {key: arm.value(key) for key in keys}
    default = not any(key in arm.given for key in keys)
    if ablation == "clusters":
        factors = arm.value("strata").split("+")
        if "cluster" in factors:
            rest["strata"], default = "+".join(factors), False
        else:
            rest["strata"], values["clusters"] = "+".join([*factors, "cluster"]), "1"
    if ablation == "draws":
        if arm.value("estimator") not in ("sampled", "exact"):
            return None
        if arm.value("estimator") == "exact":
            values["draws"], default = "all", False
        rest["estimator"] = "sampled"
    if ablation == "intervention" and as_number(values["intervention"]) == 0:
        values = {"intervention": "0"}
    first = values[keys[0]]
    other = [f"{key.replace('_', ' ')} {values[key]}" for key in keys[1:] if key in arm.given and key in values]
    label = ", ".join([_WORDS.get(first, first.replace("+", " × ").replace("_", " ")), *other])
    number = None if other else as_number(first)
    ranks = _ORDERS.get(ablation, ())
    rank = number if number is not None else float(ranks.index(first)) if first in ranks else 1e9
    words = [f"{setting.replace('_', ' ')} {value.replace('+', ' × ')}" for setting, value in sorted(rest.items())]
    return Point(arm.name, ", ".join([arm.mode, *words]), label, (rank, label), number, default)
