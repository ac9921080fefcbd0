"""A text in which the scan still finds an identifier after the masking is withheld whole; the run goes on.

No recognizer sees every name, and the scan knows the names of all customers: a text that mentions another customer whom
the masking did not see must not stop the week, and must not pass. What was withheld is counted and said.
"""

import numpy as np
import pandas as pd

from ds_pipeline.boundary.leak_check import raw_identifiers
from ds_pipeline.boundary.scan import texts_with_identifiers
from ds_pipeline.errors import LeakError
from ds_pipeline.workbench import Workbench

WITHHELD = "<WITHHELD>"
MAX_SHARE = 0.02  # of the texts of a column; more than that is no stray name, but a masking that does not work
FEW = 20  # texts that may always be withheld


def with_texts_withheld(bench: Workbench, masked: pd.DataFrame, columns: list[str], *, where: str) -> pd.DataFrame:
    """The masked rows with the texts that still hold an identifier replaced by WITHHELD.

    Args:
        columns: of redacted text.

    Raises:
        LeakError: more than MAX_SHARE of the texts of a column would be withheld.
    """
    for name in columns:
        codes, uniques = pd.factorize(masked[name].to_numpy(dtype=object), use_na_sentinel=True)
        texts = list(uniques)
        is_leak = texts_with_identifiers(texts) | raw_identifiers(bench).texts_with_identifiers(texts)
        if not is_leak.any():
            continue
        cells = (codes >= 0) & is_leak[codes]
        withheld, texts_there = int(cells.sum()), int((codes >= 0).sum())
        if withheld > max(FEW, MAX_SHARE * texts_there):
            raise LeakError(
                f"{where}: column '{name}': an identifier is left in {withheld:,} of {texts_there:,} masked texts; at "
                f"most {MAX_SHARE:.0%} are withheld, beyond that the run stops. Nothing was written. Give the column "
                "the treatment drop, or declare the columns that hold names and numbers of the same people as direct "
                "identifiers, so that they are looked for in the texts."
            )
        masked = masked.assign(**{name: masked[name].mask(np.asarray(cells), WITHHELD)})
    return masked
