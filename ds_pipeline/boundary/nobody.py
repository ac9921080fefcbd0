"""Pseudonyms of words for nobody: what a source calls a guest, and sources.yaml does not say is no one."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.ingestion.nobody import candidates, words_for_nobody
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.workbench import Workbench


def undeclared_nobody(bench: Workbench, name: str, weeks: Iterable[pa.Table]) -> list[str]:
    """A line for each token column of a table in which a word for nobody is a person.

    Args:
        weeks: masked rows.
    """
    table, weeks, words = bench.use_case.sources.tables[name], list(weeks), pd.Series(candidates())
    lines = []
    for alias, domain in table.tokens.items():
        tokens = pa.chunked_array([week[alias].combine_chunks() for week in weeks], pa.string())
        named = dict(zip(tokenize(words, key=bench.key, domain=domain), words, strict=True))
        counts = {row["values"]: row["counts"] for row in pc.value_counts(tokens).to_pylist() if row["values"]}
        most = max((rows for token, rows in counts.items() if token not in named), default=0)
        found = words_for_nobody({word: counts.get(token, 0) for token, word in named.items()}, most)
        if found:
            said = ", ".join(f"{word}: {rows:,} rows" for word, rows in found.items())
            lines.append(
                f"{name}.{table.source_name(alias)}: a word for nobody is taken for a person there ({said}). If it is "
                "no one, list it in null_words of the column in sources.yaml, with the words that stand for it today."
            )
    return lines
