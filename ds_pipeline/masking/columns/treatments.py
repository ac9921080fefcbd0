"""What a column may become at the boundary, besides a token or redacted text. Null stays null throughout."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.columns.spellings import bare
from ds_pipeline.masking.columns.uniques import map_unique

OTHER = "other"
_LETTER = re.compile(r"[^\W\d_]")
_UK_POSTCODE = re.compile(r"([A-Z]{1,2})\d[A-Z\d]?(?:\s*\d[A-Z]{2})?")
_OLDEST = 120
TEN_YEARS = range(10, 100, 10)


def keep(values: pd.Series) -> pd.Series:
    """A copy."""
    return values.copy()


def initial(names: pd.Series) -> pd.Series:
    """First letter of each name, upper case, with a full stop; null where there is no letter."""

    def first(name: object) -> str | None:
        if isinstance(name, str) and name.isascii() and name[:1].isalpha():
            return f"{name[0].upper()}."  # what the rest would give, without the search
        letter = _LETTER.search(unicodedata.normalize("NFC", str(name)))
        return f"{letter[0].upper()[0]}." if letter else None

    return map_unique(names, first)


def prefix(postcodes: pd.Series) -> pd.Series:
    """Postcode area, upper case: the leading letters of a UK postcode, the first two characters of any other."""

    def area(postcode: object) -> str | None:
        text = unicodedata.normalize("NFKC", str(postcode)).strip().upper()
        uk = _UK_POSTCODE.fullmatch(text)
        return (uk[1] if uk else text[:2]) or None

    return map_unique(postcodes, area)


def categories(values: pd.Series, *, kept: Sequence[str]) -> pd.Series:
    """The listed values as they are listed, whatever their case and blanks; any other as 'other'."""
    exact, alike = frozenset(kept), {bare(value): value for value in reversed(kept)}
    return map_unique(values, lambda value: str(value) if value in exact else alike.get(bare(str(value)), OTHER))


def age_band(birth_dates: pd.Series, *, at: pd.Series, starts: Sequence[int] = TEN_YEARS) -> pd.Series:
    """Age in completed years at the instant `at` of the same row, as '0-9', '10-19', ..., '80-89', '90+'.

    Args:
        birth_dates: dates or timestamps, not text; the time of day is ignored.
        at: timestamps on the same index; their calendar day counts in the zone they carry.
        starts: the ages at which a band begins, ascending; the first band begins at 0.

    Returns:
        dtype string, the index and name of `birth_dates`. Someone born on 29 February turns on 1 March.

    Raises:
        SourceError: a birth date is text, is after `at`, is more than 120 years before it, or has no `at`.
    """
    born, now = _as_dates(birth_dates), _as_dates(at)
    birthday_ahead = (now.month < born.month) | ((now.month == born.month) & (now.day < born.day))
    years = np.asarray(now.year - born.year - birthday_ahead, dtype=float)  # NaN where either is missing
    known = ~np.isnat(born.to_numpy())
    wrong = int((known & ~((born <= now) & (years <= _OLDEST))).sum())
    if wrong:
        raise SourceError(
            f"Column '{birth_dates.name}': {wrong} birth dates lie after '{at.name}', more than {_OLDEST} years before "
            f"it, or it is missing. Give the column a range in sources.yaml, so that ingestion sets "
            "such rows aside."
        )
    lows = [0, *starts]
    names = [*(f"{low}-{above - 1}" for low, above in pairwise(lows)), f"{lows[-1]}+", None]
    bands = np.where(known, np.searchsorted(lows, years, side="right") - 1, -1)
    of_row = np.array(names, dtype=object)[bands]
    return pd.Series(pd.array(of_row, dtype="string"), index=birth_dates.index, name=birth_dates.name)


def _as_dates(values: pd.Series) -> pd.DatetimeIndex:
    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
        try:
            return pd.DatetimeIndex(values).tz_localize(None).normalize()
        except ValueError:  # a date outside what a timestamp can hold
            raise _not_dates(values) from None
    try:
        codes, uniques = pd.factorize(values.astype(object), use_na_sentinel=True)
    except TypeError:  # lists or dicts
        raise _not_dates(values) from None
    if not all(isinstance(value, date) for value in uniques):
        raise _not_dates(values)  # to_datetime would guess from text whether day or month comes first
    try:
        instants = pd.DatetimeIndex(pd.to_datetime(np.append(np.asarray(uniques, dtype=object), [None])))
    except ValueError:  # a date outside what a timestamp can hold, or mixed zones
        raise _not_dates(values) from None
    return instants.tz_localize(None).normalize().take(codes)  # the last one answers code -1, null


def _not_dates(values: pd.Series) -> SourceError:
    return SourceError(
        f"Column '{values.name}': expected dates, found {values.dtype} with values that are not. "
        "Declare the type of the column in sources.yaml."
    )
