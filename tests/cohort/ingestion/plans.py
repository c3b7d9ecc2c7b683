"""Plans of random cohorts: what hypothesis chooses and shrinks.

A plan is small and printable: the failing example that hypothesis prints can be pasted into a test. What fills the
cells is drawn from ``seed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

__all__ = ["HARMFUL", "KINDS", "CohortPlan", "Layout", "ModalityPlan", "Plan", "plans"]

KINDS = ("table", "events", "codes", "embedding")

#: Dirt that a spec without a word about it must refuse, as far as it lies on rows that count, by where it may stand.
HARMFUL_IN_COHORT = (
    *("repeated id", "endless id", "names alike", "internal name", "foreign encoding", "outcome spelled otherwise"),
    *("outcome that reads as missing", "absent class", "unreadable split time", "unclear split name"),
    *("subject in two splits", "origin unreadable"),
)
HARMFUL_IN_MODALITY = {
    "any": (
        *("near id", "endless id", "names alike", "internal name", "foreign encoding", "foreign rows only"),
        *("unparsable time", "ambiguous time", "mixed times", "zone on some", "epoch", "date in digits"),
    ),
    "table": ("odd number", "too large", "repeated row"),
    "events": ("odd number", "too large", "rare items only"),
    "codes": ("endless code",),
    "embedding": ("repeated row", "gap", "another length", "odd number", "too large"),
}
HARMFUL = frozenset(HARMFUL_IN_COHORT).union(*HARMFUL_IN_MODALITY.values())


@dataclass(frozen=True)
class Layout:
    """How a table lies on disk.

    Args:
        form: ``comma``, ``semicolon``, ``tab``, ``bar``, ``parquet``, or ``frame`` (a DataFrame, never on disk).
        encoding: Of text.
        gzipped: Of text.
        files: Number of files; those after the first have their columns in another order.
        line_end: Of text.
        above: What stands above the header: nothing, blank lines, or Excel's ``sep=``.
        padded: Whether blanks of several kinds stand around names and cells.
        typed: Whether columns that can be are numbers, truth values or timestamps (``parquet``, ``frame``).
    """

    form: str = "comma"
    encoding: str = "utf-8"
    gzipped: bool = False
    files: int = 1
    line_end: str = "\n"
    above: str = ""
    padded: bool = False
    typed: bool = False

    @property
    def text(self) -> bool:
        return self.form not in ("parquet", "frame")


@dataclass(frozen=True)
class CohortPlan:
    """The cohort table.

    Args:
        patients: Rows, before dirt.
        ids: How ids are written: ``numbers``, ``zeros``, ``letters``, or ``alike`` (as many spellings of few words).
        names: Style of the columns' names.
        layout: How it lies on disk.
        outcome: ``words``, ``numbers``, ``truth``, ``rest`` (``positive`` alone), ``classes`` or ``two`` outcomes.
        split: Kind of split.
        subjects: Whether two patients share a person.
        fitting: Whether a ``where`` filters the rows.
        blank_ids: Whether some ids are blank.
        dirt: Harmful dirt, or none.
    """

    patients: int = 12
    ids: str = "numbers"
    names: str = "plain"
    layout: Layout = Layout()
    outcome: str = "words"
    split: str = "column"
    subjects: bool = False
    filtered: bool = False
    blank_ids: bool = False
    dirt: str = ""


@dataclass(frozen=True)
class ModalityPlan:
    """One modality.

    Args:
        kind: Its kind.
        names: Style of the columns' names.
        layout: How it lies on disk.
        form: ``long``, ``wide`` or ``occurrence`` (events); ``columns`` or ``list`` (embedding); else without meaning.
        columns: How columns are chosen: ``named``, ``pattern`` or ``default``.
        time: ``none``, ``minutes``, ``duration``, ``timestamp``, ``zoned`` or ``date``.
        window: Start and end in minutes, or None.
        bin: Minutes per step.
        missing: Values declared missing; cells hold some of them.
        invalid: ``error`` or ``missing``.
        fewest: ``min_count`` or ``min_level_count``.
        filtered: Whether a ``where`` filters the rows.
        foreign: Whether rows of other patients are among them.
        blanks: Whether ids, times and values are blank here and there.
        repeated: Whether rows are repeated (``events`` and ``codes``, which may).
        nested: Codes: ``""``, ``separator`` or ``split_on``.
        dirt: Harmful dirt, or none.
    """

    kind: str = "table"
    names: str = "plain"
    layout: Layout = Layout()
    form: str = ""
    columns: str = "named"
    time: str = "none"
    window: tuple[int, int] | None = None
    bin: int = 60
    missing: tuple[Any, ...] = ()
    invalid: str = "error"
    fewest: int = 1
    filtered: bool = False
    foreign: bool = False
    blanks: bool = False
    repeated: bool = False
    nested: str = ""
    dirt: str = ""


@dataclass(frozen=True)
class Plan:
    """A whole cohort."""

    seed: int
    cohort: CohortPlan
    modalities: tuple[ModalityPlan, ...]


class _Chooser:
    """Turns bytes into choices, one each; of a zero, and of what follows the last, the first option."""

    def __init__(self, raw: bytes) -> None:
        self._left = list(raw)

    def one_of(self, *options: Any) -> Any:
        byte = self._left.pop(0) if self._left else 0
        return options[byte * len(options) // 256]

    def some(self, count: int) -> _Chooser:
        """The next bytes as a chooser of their own."""
        taken, self._left = self._left[:count], self._left[count:]
        return _Chooser(bytes(taken))


def plans() -> st.SearchStrategy[Plan]:
    """Cohorts of 8 to 40 patients with one to four modalities; one in three has harmful dirt.

    All is chosen from one string of bytes: hypothesis mutates what it draws in parts, and would try five near copies of
    each cohort. A failing plan still becomes small, as zeros choose what is plain.
    """
    return st.binary(min_size=_BYTES, max_size=_BYTES).map(_plan)


_OF_COHORT, _OF_MODALITY = 24, 28
_BYTES = 8 + _OF_COHORT + 4 * _OF_MODALITY


def _plan(raw: bytes) -> Plan:
    choose = _Chooser(raw)
    where = choose.one_of("nowhere", "nowhere", "nowhere", "nowhere", "cohort", "modality", "modality")
    count, first, step = choose.one_of(1, 1, 1, 1, 1, 1, 2, 3), choose.one_of(0, 1, 2, 3), choose.one_of(1, 3)
    kinds = [KINDS[(first + step * place) % 4] for place in range(count)]
    dirty = choose.one_of(*range(count)) if where == "modality" else -1
    harm = choose.one_of(*HARMFUL_IN_COHORT) if where == "cohort" else ""
    cohort = _cohort(choose.some(_OF_COHORT), harm)
    parts = []
    for place, kind in enumerate(kinds):
        time = "timestamp" if harm == "origin unreadable" and not place else ""
        parts.append(_modality(choose.some(_OF_MODALITY), kind, place == dirty, time))
    return Plan(int.from_bytes(raw[-4:], "big"), cohort, tuple(parts))


def _layout(choose: _Chooser) -> Layout:
    """Text in every shape, Parquet, DataFrames."""
    form = choose.one_of("comma", "comma", "comma", "semicolon", "tab", "bar", "parquet", "parquet", "frame", "frame")
    if form in ("parquet", "frame"):
        return Layout(form, files=choose.one_of(1, 2), typed=choose.one_of(False, True))
    return Layout(
        form=form,
        encoding=choose.one_of("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"),
        gzipped=choose.one_of(False, True),
        files=choose.one_of(1, 1, 3),
        line_end=choose.one_of("\n", "\r\n"),
        above=choose.one_of("", "", "blank", "sep"),
        padded=choose.one_of(False, True),
    )


def _cohort(choose: _Chooser, harm: str) -> CohortPlan:
    needed = {"unreadable split time": "time", "unclear split name": "column", "subject in two splits": "column"}
    outcome = choose.one_of("words", "numbers", "truth", "rest", "classes", "two")
    ids = choose.one_of("numbers", "zeros", "letters", "alike")
    split = choose.one_of("column", "subject", "time", "environment", "folds")
    fewest = 16 if outcome in ("classes", "two") else 8
    return CohortPlan(
        patients=choose.one_of(*range(fewest, 41)),
        ids=ids,
        names=choose.one_of("plain", "plain", "reserved", "odd"),
        layout=_layout(choose.some(8)),
        outcome="rest" if harm == "outcome that reads as missing" else outcome,
        split=needed.get(harm, split),
        subjects=harm == "subject in two splits" or choose.one_of(False, True),
        filtered=choose.one_of(False, True) and ids != "alike",
        blank_ids=choose.one_of(False, True),
        dirt=harm,
    )


def _modality(choose: _Chooser, kind: str, dirty: bool, time: str) -> ModalityPlan:
    harm = choose.one_of(*HARMFUL_IN_MODALITY["any"], *HARMFUL_IN_MODALITY[kind] * 3) if dirty else ""
    times = {
        **dict.fromkeys(["unparsable time", "ambiguous time", "zone on some"], "timestamp"),
        **dict.fromkeys(["mixed times", "epoch", "date in digits"], "minutes"),
    }
    any_time = choose.one_of("none", "none", "minutes", "minutes", "duration", "timestamp", "zoned", "date")
    time = time or times.get(harm) or any_time
    forms = {"events": ["long", "long", "wide", "occurrence"], "embedding": ["columns", "list"]}.get(kind, [""])
    if harm in ("odd number", "too large"):
        forms = [form for form in forms if form != "occurrence"]
    window = choose.one_of(None, (0, 1440), (-60, 480))
    invalid = choose.one_of("error", "error", "missing")
    nested = choose.one_of("", "separator", "split_on")
    form = choose.one_of(*forms)
    missing = choose.one_of((), (), (-1,), (-1, "NA"), ("NA", "not done"))
    return ModalityPlan(
        kind=kind,
        names=choose.one_of("plain", "plain", "reserved", "odd"),
        layout=_layout(choose.some(8)),
        form=form,
        columns=choose.one_of("named", "pattern", "default"),
        time=time,
        window=None if time == "none" else window,
        bin=choose.one_of(60, 45, 30, 1440),
        missing=() if form == "occurrence" else missing,  # it is about values
        invalid=invalid if harm == "odd number" and kind in ("table", "events") else "error",
        fewest=choose.one_of(1, 2, 5),
        filtered=choose.one_of(False, True),
        foreign=choose.one_of(False, True),
        blanks=choose.one_of(False, True),
        repeated=choose.one_of(False, True),
        nested=nested if kind == "codes" else "",
        dirt=harm,
    )
