"""A text in which the scan still finds an identifier after the masking is withheld whole; the run goes on.

No recognizer sees every name, and the scan knows the names of all customers: a text that mentions another customer whom
the masking did not see must not stop the week, and must not pass. What was withheld is counted and said.

Withheld for what the scan knows only later, a past text would tell that it came: hardly any may be withheld for that.
"""

import numpy as np
import pandas as pd

from ds_pipeline.boundary.leak_check import raw_columns_in, raw_identifiers
from ds_pipeline.boundary.raw_identifiers import NEVER
from ds_pipeline.boundary.scan import texts_with_identifiers
from ds_pipeline.errors import LeakError
from ds_pipeline.workbench import Workbench

WITHHELD = "<WITHHELD>"
MAX_SHARE = 0.02  # of the texts of a column; more than that is no stray name, but a masking that does not work
FEW = 20  # texts that may always be withheld
MAX_LATER_SHARE = 0.001  # for what became known only after their week, which SQL would see and no replay finds


def with_texts_withheld(
    bench: Workbench, masked: pd.DataFrame, columns: list[str], *, where: str, weeks: np.ndarray | None
) -> tuple[pd.DataFrame, np.ndarray]:
    """The masked rows with the texts that still hold an identifier replaced by WITHHELD.

    And of each row how many of its texts were withheld for what became known only after its week.

    Args:
        columns: of redacted text.
        weeks: the number of the week of each row; None where no SQL sees the rows.

    Raises:
        LeakError: more than MAX_SHARE of the texts of a column would be withheld, or more than MAX_LATER_SHARE for an
            identifier that became known only after the week of the text.
    """
    later = np.zeros(len(masked), dtype=int)
    for name in columns:
        codes, uniques = pd.factorize(masked[name].to_numpy(dtype=object), use_na_sentinel=True)
        texts = list(uniques)
        known_from = np.where(texts_with_identifiers(texts), 0, raw_identifiers(bench).known_from(texts))
        if (known_from == NEVER).all():
            continue
        cells = (codes >= 0) & (known_from[codes] < NEVER)
        withheld, texts_there = int(cells.sum()), int((codes >= 0).sum())
        if withheld > max(FEW, MAX_SHARE * texts_there):
            raise LeakError(
                f"{where}: column '{name}': an identifier is left in {withheld:,} of {texts_there:,} masked texts; at "
                f"most {MAX_SHARE:.0%} are withheld, beyond that the run stops. Nothing was written. Give the column "
                "the treatment drop, or declare the columns that hold names and numbers of the same people as direct "
                "identifiers, so that they are looked for in the texts."
            )
        if weeks is not None:
            is_later = cells & (known_from[codes] > weeks)
            _require_few_later(bench, masked[name][is_later].tolist(), texts_there, where=f"{where}: column '{name}'")
            later += is_later
        masked = masked.assign(**{name: masked[name].mask(np.asarray(cells), WITHHELD)})
    return masked, later


def _require_few_later(bench: Workbench, texts: list[str], texts_there: int, *, where: str) -> None:
    if len(texts) > MAX_LATER_SHARE * texts_there:
        names = " and ".join(raw_columns_in(bench, texts, whole=True))
        raise LeakError(
            f"{where}: {len(texts):,} of {texts_there:,} masked texts hold a value of {names} that became known only "
            f"after the week of the text; at most {1000 * MAX_LATER_SHARE:g} in 1,000 may. Withheld, they would tell a "
            "past week what came later. Nothing was written. "
            f'If {names} names nobody, as a code, declare it identifies: "no"; if it was known earlier, correct '
            "known_at of its table; else give the texts the treatment drop."
        )
