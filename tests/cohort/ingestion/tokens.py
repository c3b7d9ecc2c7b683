"""How numbers and times are written, well and badly."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["AMBIGUOUS_TIMES", "ODD_NUMBERS", "TOO_LARGE", "UNPARSABLE_TIMES", "number_text", "time_text"]

#: No finite numbers as they are written, though some look like one.
ODD_NUMBERS = (
    *("1,5", "<5", "> 89", "7.4 mg/L", "1,200", "5 %", "12*", "(3)", "1 200", "５", "1_000", "0x1F", "1e400", "--5"),
    *("1e", "1.2.3", "3/4", "abc", "inf", "-Infinity", "nan", "n/a", "not done", "?", "1d", "1f", "5e 3", "٣"),
)
TOO_LARGE = ("1e39", "-4e38", "1" + "0" * 40)
UNPARSABLE_TIMES = ("soon", "2150-13-01", "2150-01-31 25:00", "2150-02-30 10:00", "10:00 CET", "2150-01-31 10:00 CET")
AMBIGUOUS_TIMES = ("03/04/2150", "03.04.2150 10:00", "3-4-2150", "31 Jan 2150")


def number_text(random: np.random.Generator) -> str:
    """A finite number, in one of the ways of writing one."""
    value = round(float(random.normal(80, 20)), 1)
    written = (
        *(f"{value}", f"{value}", f"{value}", f"{value:.0f}", f"{value:.3e}", f"{value:E}", f"+{abs(value)}"),
        *(f"0{abs(value)}", ".5", "5.", "-0", "1E2", "12345678901234567890", "9007199254740993", "16777217", "1e-45"),
    )
    return str(written[random.integers(len(written) if random.random() < 0.3 else 4)])


def time_text(minutes: float, stay: pd.Timestamp | None, form: str, random: np.random.Generator) -> str:
    """A time in minutes, as a duration, or as a timestamp counted from a patient's stay."""
    if form == "minutes":
        return str(random.choice([f"{minutes:g}", f"{minutes:.1f}", f"{minutes:.6e}"], p=[0.5, 0.4, 0.1]))
    if form == "duration":
        sign, seconds = "-" if minutes < 0 else "", round(abs(minutes) * 60)
        hours, rest = divmod(seconds, 3600)
        clock = f"{rest // 60:02d}:{rest % 60:02d}"
        if hours >= 24 and random.random() < 0.5:
            return f"{hours // 24} day {hours % 24:02d}:{clock}"
        return f"{sign}{hours:02d}:{clock}" if rest % 60 else f"{sign}{hours}:{clock[:2]}"
    stamp = (stay or pd.Timestamp("2150-06-01")) + pd.Timedelta(minutes=minutes)
    if form == "date":
        return str(stamp.date())
    if form == "zoned":
        shifted = stamp + pd.Timedelta(hours=2)
        return str(random.choice([f"{stamp.isoformat()}Z", f"{shifted.isoformat(sep=' ')}+02:00", f"{shifted}+0200"]))
    return str(
        random.choice(
            [str(stamp), stamp.isoformat(), f"{stamp:%Y/%m/%d %H:%M:%S}", f"{stamp} AM"], p=[0.5, 0.3, 0.2, 0]
        )
    )
