"""SimulationConfig: the parameters of the structural causal model, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gdsfd.errors import InputError, near_names, shown
from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.missingness import MECHANISMS

__all__ = ["SPLITS", "SimulationConfig", "option_names"]

#: The splits written, in order. The last three are further evaluation sets, each as large as ``test``.
SPLITS: tuple[str, ...] = ("train", "tuning", "test", "test_unbiased", "test_flipped", "test_shifted_missingness")

#: Knobs that the first version did not have.
_ADDED = ("practices", "graded", "interactions", "environment", "coded")

#: Distance between the outcome classes along the causal content when ``separable``, in standard deviations.
SEPARABLE_STRENGTH = 9.0


@dataclass(frozen=True)
class SimulationConfig:
    """The knobs of the structural causal model (our formulation; see :mod:`gdsfd.simulation.population`).

    Args:
        patients: Patients in train, tuning and test together (60, 10 and 30 %). ``test_unbiased``, ``test_flipped``
            and ``test_shifted_missingness`` come on top, each as large as test, so 5,000 patients make 9,500 rows.
        confounding: P(U = Y), the share of patients whose care practice agrees with their outcome, in train, tuning,
            test and test_shifted_missingness. It is 0.5 in test_unbiased (U independent of Y) and ``1 - confounding``
            in test_flipped. 0.5: no confounding anywhere.
        mechanism: Why modalities are absent, a name of :data:`~gdsfd.simulation.missingness.MECHANISMS` for the
            modalities in ``informative``, or a mapping from modality to name. All others are absent at random.
        seed: Seed of every draw. The same configuration writes the same bytes.
        modalities: How many (2 to 8, in the order of the catalogue) or which.
        bias_modalities: The modalities that carry biased content. Elsewhere such columns are noise.
        informative: The modalities a single ``mechanism`` applies to. Default: imaging (the last one, without imaging).
        missing: Share of patients without a modality: one number for all or a mapping; default: the catalogue's rates.
        missing_slope: Log-odds of presence per unit of what drives it (U and Y count as -1 and 1).
        cell_missing: Share of a present modality's columns and items that are blank for a patient, at random.
        causal_strength: Distance between the outcome classes along all causal content, in standard deviations (d').
            2 with nothing missing is an AUROC of .92: outcomes stay noisy however much is known.
        bias_strength: The same distance between care practices along all biased content, as a multiple of
            ``causal_strength``. Above 1 the bias is easier to read than the causes, below 1 harder.
        separable: Make the causal content decide the outcome (d' of 9) instead.
        bias_causal: Let the biased content be a cause after all: it then agrees with the outcome with probability
            ``confounding`` in every split and has nothing to do with U (negative control N4).
        label_noise: Share of train and tuning labels that are flipped.
        unlabelled: Share of train and tuning labels that are blank.
        sensor_offset: Standard deviation of each laboratory analyser's constant error, in standard deviations of the
            test, with a tenth of it as relative error of the slope. Analysers are assigned independently of all else.
        repeats: Share of subjects with two or three patients. They share age, sex, outcome and some of their noise.
        sites: Number of hospitals; with two practices even ones follow practice 0, odd ones practice 1.
        site_fidelity: Share of patients who are in a hospital of their own practice rather than in any hospital.
            1: the hospital tells U exactly; 0: it says nothing.
        practices: How many care practices there are; see :mod:`gdsfd.simulation.practices`.
        graded: Make U a number instead of one of two practices.
        interactions: Let part of the causal content tell the outcome by products, bands and an exclusive-or of two
            modalities, which no single column shows; see :mod:`gdsfd.simulation.interactions`.
        environment: Whether the hospital stands on file.
        coded: Let the practice write in no number: in ``bias_modalities`` it shows in which of two codes stands for a
            finding and in which word fills a category, and in nothing else; see
            :mod:`gdsfd.simulation.coding_habits`.
        prevalence: P(Y = 1). With 0.5 the marginals of U, and so of sites and presence, are equal in all splits.
        rotate: Mix each embedding by a fixed random rotation, so that no component is purely causal or biased.

    Raises:
        InputError: A value is out of range or a name is unknown.
    """

    patients: int = 5000
    confounding: float = 0.9
    mechanism: str | Mapping[str, str] = "mnar"
    seed: int = 0
    modalities: int | tuple[str, ...] = 5
    bias_modalities: tuple[str, ...] = ("labs", "imaging")
    informative: tuple[str, ...] | None = None
    missing: float | Mapping[str, float] | None = None
    missing_slope: float = 1.5
    cell_missing: float = 0.1
    causal_strength: float = 2.0
    bias_strength: float = 1.5
    separable: bool = False
    bias_causal: bool = False
    label_noise: float = 0.0
    unlabelled: float = 0.02
    sensor_offset: float = 0.0
    repeats: float = 0.1
    sites: int = 8
    site_fidelity: float = 0.9
    prevalence: float = 0.5
    rotate: bool = False
    practices: int = 2
    graded: bool = False
    interactions: bool = False
    environment: bool = True
    coded: bool = False
    names: tuple[str, ...] = field(init=False, repr=False)  #: the modalities written, in order

    def __post_init__(self) -> None:
        for name in (
            "confounding",
            "label_noise",
            "unlabelled",
            "repeats",
            "site_fidelity",
            "cell_missing",
            "prevalence",
        ):
            _within(name, getattr(self, name), 0.0, 1.0)
        for name in ("causal_strength", "bias_strength", "sensor_offset"):
            _within(name, getattr(self, name), 0.0, 100.0)
        _within("cell_missing", self.cell_missing, 0.0, 0.9)
        _within("missing_slope", self.missing_slope, -20.0, 20.0)
        _within("prevalence", self.prevalence, 0.01, 0.99)
        _within("sites", self.sites, 2, 1000)
        _within("practices", self.practices, 2, 8)
        _within("patients", self.patients, 100, 10_000_000)
        _within("seed", self.seed, 0, 2**63 - 1)
        for name in ("separable", "bias_causal", "rotate", "graded", "interactions", "environment", "coded"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"simulation: expected true or false for {name}, got {getattr(self, name)!r}")
        for name in ("patients", "sites", "seed", "practices"):
            if int(getattr(self, name)) != getattr(self, name):
                raise InputError(f"simulation: {name} must be a whole number, got {getattr(self, name)!r}")
        _within("sites", self.sites, self.practices, 1000)
        if (self.practices > 2) + self.graded + self.bias_causal > 1:
            raise InputError(
                "simulation: more practices than two, graded and bias_causal each say what U is; choose one of them"
            )
        object.__setattr__(self, "names", self._chosen())
        _known("bias_modalities", self.bias_modalities, CATALOGUE)
        carriers = tuple(name for name in self.bias_modalities if name in self.names)
        object.__setattr__(self, "bias_modalities", carriers)
        writable = [name for name in carriers if CATALOGUE[name].kind == "codes" or CATALOGUE[name].levels]
        if self.coded and len(writable) < max(1, len(carriers)):
            able = [name for name in self.names if CATALOGUE[name].kind == "codes" or CATALOGUE[name].levels]
            raise InputError(
                "simulation: with coded a practice writes in codes and categories alone; expected bias_modalities "
                f"among {shown(able) if able else 'history, demographics, medications and ecg'}, got {shown(carriers)}"
            )
        for label, rate in (
            self.missing if isinstance(self.missing, Mapping) else {"all": self.missing or 0.0}
        ).items():
            _within(f"missing[{label!r}]", rate, 0.0, 0.95)
        if isinstance(self.missing, Mapping):
            _known("missing", self.missing, self.names)
        _known("informative", self.informative or (), CATALOGUE)
        if isinstance(self.mechanism, Mapping):
            _known("mechanism", self.mechanism, self.names)
        named = self.mechanism.values() if isinstance(self.mechanism, Mapping) else (self.mechanism,)
        _known("mechanism", named, MECHANISMS)

    def _chosen(self) -> tuple[str, ...]:
        """The modalities' names, in the order of the catalogue."""
        if isinstance(self.modalities, int):
            _within("modalities", self.modalities, 2, len(CATALOGUE))
            return tuple(CATALOGUE)[: self.modalities]
        _known("modalities", self.modalities, CATALOGUE)
        if len(set(self.modalities)) < 2:
            raise InputError(f"simulation: expected at least 2 different modalities, got {self.modalities!r}")
        return tuple(name for name in CATALOGUE if name in self.modalities)

    @property
    def separation(self) -> float:
        """Distance between the outcome classes along all causal content, in standard deviations."""
        return SEPARABLE_STRENGTH if self.separable else self.causal_strength

    def mechanism_of(self, modality: str) -> str:
        """Why a modality is absent: a name of :data:`~gdsfd.simulation.missingness.MECHANISMS`."""
        if isinstance(self.mechanism, Mapping):
            return self.mechanism.get(modality, "mcar")
        informative = self.informative
        if informative is None:
            informative = ("imaging",) if "imaging" in self.names else (self.names[-1],)
        return self.mechanism if modality in informative else "mcar"

    def rate_of(self, modality: str) -> float:
        """Share of patients without a modality."""
        default = CATALOGUE[modality].missing
        if self.missing is None:
            return default
        return float(self.missing.get(modality, default) if isinstance(self.missing, Mapping) else self.missing)

    def sizes(self) -> dict[str, int]:
        """Patients per split."""
        train, tuning = round(0.6 * self.patients), round(0.1 * self.patients)
        test = self.patients - train - tuning
        return dict(zip(SPLITS, (train, tuning, test, test, test, test)))

    def alignment(self, split: str) -> float:
        """P(U = Y) in a split; of graded or several practices the share that leans to the outcome's side."""
        if self.bias_causal:  # the biased content is then a cause of its own, and U goes its own way
            return 0.5
        return {"test_unbiased": 0.5, "test_flipped": 1.0 - self.confounding}.get(split, self.confounding)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy; ``SimulationConfig(**copy)`` makes the same cohort.

        Knobs added after the first version stand in it only where they were turned: what was simulated before keeps
        its ``truth.json`` byte for byte.
        """
        return {
            key: value
            for key, value in asdict(self).items()
            if key != "names" and not (key in _ADDED and value == getattr(type(self), key))
        }


def option_names() -> tuple[str, ...]:
    """The knobs a caller may set."""
    return tuple(entry.name for entry in fields(SimulationConfig) if entry.init)


def _within(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        ends = [f"{end:,.0f}" if float(end).is_integer() else f"{end:g}" for end in (low, high)]
        raise InputError(f"simulation: expected {name} between {' and '.join(ends)}, got {value!r}")


def _known(name: str, values: Any, known: Any) -> None:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"simulation: expected a list of names for {name}, got {values!r}")
    wrong = [value for value in values if value not in known]
    if wrong:
        raise InputError(f"simulation: {name} has the unknown name {shown(wrong)}.{near_names(str(wrong[0]), known)}")
