"""How figures are written in reports."""

from __future__ import annotations

import math

from gdsfd.evaluation.metrics.estimate import Estimate

__all__ = ["DASH", "count", "interval", "number", "per_hundred", "percent", "spelled"]

DASH = "–"


def number(value: float, digits: int = 3, signed: bool = False) -> str:
    """A figure with a true minus sign; a dash for NaN.

    Example:
        >>> number(0.81249), number(-0.0123, signed=True)
        ('0.812', '−0.012')
    """
    if not math.isfinite(value):
        return DASH
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("−" if value < 0 else "+" if signed else "") + text


def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage; the space before the sign never breaks.

    Example:
        >>> percent(0.0834)
        '8.3\xa0%'
    """
    return f"{share * 100:.{digits}f}\N{NO-BREAK SPACE}%" if math.isfinite(share) else DASH


def per_hundred(share: float) -> str:
    """A share as a whole number of 100."""
    return f"{share * 100:.0f}" if math.isfinite(share) else DASH


def interval(estimate: Estimate, digits: int = 3, as_percent: bool = False) -> str:
    """A figure with its interval.

    Example:
        >>> interval(Estimate(0.81, 0.77, 0.85))
        '0.810 (0.770 to 0.850)'
    """
    show = (lambda value: percent(value)) if as_percent else (lambda value: number(value, digits))
    if not estimate.defined:
        return DASH
    ends = f" ({show(estimate.low)} to {show(estimate.high)})" if estimate.has_interval else ""
    return show(estimate.value) + ends


def count(n: int, one: str, many: str | None = None) -> str:
    """A number of things.

    Example:
        >>> count(1, "patient"), count(2520, "patient")
        ('1 patient', '2,520 patients')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def spelled(name: str) -> str:
    """A name from a spec as words: underscores become spaces.

    Example:
        >>> spelled("hospital_mortality")
        'hospital mortality'
    """
    return name.replace("_", " ")
