"""How figures, counts and names are told to people: one way for each, on pages, in documents and on the terminal."""

from __future__ import annotations

import math

import numpy as np

NOT_MEASURED = "not measured"


def significant(value: float | None, digits: int = 3) -> str:
    """Counts and large figures whole, with commas; others with a few significant digits."""
    if value is None or math.isnan(value):
        return NOT_MEASURED
    if abs(value) >= 10**digits / 10 or value == int(value):
        return f"{value:,.0f}"
    return str(np.format_float_positional(value, precision=digits, fractional=False, trim="-"))


def ratio(value: float | None, unknown: str = NOT_MEASURED) -> str:
    """Three decimals, so that the figures of a column stand below each other."""
    return f"{value:.3f}" if value is not None and math.isfinite(value) else unknown


def percent(share: float | None) -> str:
    """A share with one decimal."""
    return NOT_MEASURED if share is None else f"{100 * share:.1f} %"


def declared_percent(share: float) -> str:
    """A share that somebody declared, with the digits that it has."""
    return f"{100 * share:.4g} %"


def aligned(value: float | None, unknown: str = NOT_MEASURED) -> str:
    """A number to stand below others: whole ones and thousands without decimals, shares with three."""
    if value is None:
        return unknown
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def beside(value: float | None, threshold: float) -> str:
    """As aligned, with more decimals where it would look like what was asked, or like 0, without being it."""
    shown = aligned(value)
    if value and not shown.strip("-0."):
        return short(value, digits=2)
    if value is None or value == threshold or shown != aligned(threshold):
        return shown
    digits = (digit for digit in range(1, 7) if f"{value:.{digit}f}" != f"{threshold:.{digit}f}")
    fewest = next(digits, None)
    return str(value) if fewest is None else f"{value:,.{fewest}f}"


def short(value: float | None, *, digits: int = 4) -> str:
    """A count as a count, thousands whole, anything else with a few digits."""
    if value is None:
        return NOT_MEASURED
    is_whole = (value == int(value) and abs(value) >= 1) or abs(value) >= 1000
    return f"{value:,.0f}" if is_whole else f"{value:.{digits}g}"


def counted(count: int, one: str, many: str = "") -> str:
    """How many there are of what: 1 row, 2,000 rows; many is for a plural without s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def words(name: str) -> str:
    """A name of the configuration as words."""
    return name.replace("_", " ")
