"""Free text with its identifiers replaced by their kind: 'call <PERSON_1> on <PHONE> or mail <EMAIL>'.

Finding is in detection.py, for each distinct text once and on all cores; what depends on the row is in rows.py.
Presidio and spaCy are imported on the first text, not with this module.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ds_pipeline import engine as engines
from ds_pipeline.errors import SourceError
from ds_pipeline.masking.people.owners import RowOwners
from ds_pipeline.masking.people.prepared import PreparedText
from ds_pipeline.masking.people.typos import TypoIndex
from ds_pipeline.masking.reading.spans import Found
from ds_pipeline.masking.text.remembered import remembered
from ds_pipeline.masking.text.rows import redact_row, with_echoes

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

    from ds_pipeline.masking.text.detection import Detector

_CACHED_LINES = 10_000
_PREPARED = 4_096
_PARALLEL_FROM = 800_000  # characters, some 6 s of one core; below, starting workers costs more than it saves
_TASKS_PER_PROCESS = 8


class TextRedactor:
    """Replaces identifiers in texts; `entities` counts what was replaced so far, by kind and never by value.

    The texts of a row are one conversation: its persons are numbered together, by first appearance, and the owner of
    the row is one of them. The same row gives the same characters, whatever the other rows and however many processes.
    """

    def __init__(
        self,
        engine: str = "embedded",
        *,
        recognizers: "Sequence[EntityRecognizer] | None" = None,
        processes: int | None = None,
    ) -> None:
        """The engine finds names and places; the recognizers of recognizers.py find the rest.

        Args:
            engine: 'embedded' (shipped), 'en_core_web_sm' or 'en_core_web_lg' (if installed), or 'patterns' (only
                names after words that announce them).
            recognizers: exactly these, and no engine.
            processes: at most so many; None is one per core. Few texts are done in this one.
        """
        self._engine, self._recognizers = engine, recognizers
        self._processes = engines.cores(is_raw=True) if processes is None else processes
        self.entities: Counter[str] = Counter()

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        """The spans that would be replaced in each text, each text a row of its own.

        Raises:
            SourceError: a pattern did not finish on a text.
            ConfigError: the engine is unknown or not installed.
        """
        found = self._find(list(texts), where="Texts")
        return [with_echoes([PreparedText(text)], [spans])[0] for text, spans in zip(texts, found, strict=True)]

    def redact(self, texts: pd.Series, owners: RowOwners | None = None) -> pd.Series:
        """The texts with each identifier as its kind in angle brackets; null stays the null it was.

        Args:
            texts: each text is a row of its own.
            owners: whose row each text is, by `OwnerIndex.rows`.

        Returns:
            The index and name of `texts`; its dtype, or object for categories.

        Raises:
            SourceError: a cell is not text, or a pattern did not finish on one.
            ConfigError: the engine is unknown or not installed.
        """
        return self.redact_table(texts.to_frame(), owners).iloc[:, 0]

    def redact_table(self, texts: pd.DataFrame, owners: RowOwners | None = None) -> pd.DataFrame:
        """Several columns of text of the same rows, with placeholders that agree across the columns of a row.

        Args, returns and raises as `redact`, for each column.
        """
        if owners is not None and len(owners) != len(texts):
            raise SourceError(
                f"Texts to redact: expected an owner (or none) for each of {len(texts)} rows, found {len(owners)}."
            )
        columns = [_cells(texts.iloc[:, number]) for number in range(texts.shape[1])]
        codes, uniques = pd.factorize(np.concatenate([*columns, np.empty(0, dtype=object)]), use_na_sentinel=True)
        where = f"Column {', '.join(repr(str(name)) for name in texts.columns)}"
        found = self._find(list(uniques), where=where)
        by_row = codes.reshape(len(columns), len(texts)).T
        results = [column.copy() for column in columns]
        for number, redacted in enumerate(self._rows(uniques, found, by_row, owners)):
            texts_of_row = iter(redacted)
            for column in np.flatnonzero(by_row[number] >= 0):
                results[column][number] = next(texts_of_row)
        series = [
            pd.Series(result, index=texts.index, dtype=dtype if isinstance(dtype, pd.StringDtype) else object)
            for result, dtype in zip(results, texts.dtypes, strict=True)
        ]
        table = pd.concat(series, axis=1) if series else pd.DataFrame(index=texts.index)
        table.columns = texts.columns
        return table

    def redact_lines(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines one by one, redacted, each with the line end it had; an identifier broken by one is not found."""
        typos = TypoIndex()

        @lru_cache(_CACHED_LINES)
        def redact(body: str) -> tuple[str, Counter[str]]:
            redacted, kinds = redact_row([PreparedText(body)], self._find([body], where="Input"), None, typos)
            return redacted[0], kinds

        for line in lines:
            body = line.rstrip("\r\n")
            redacted, kinds = redact(body)
            self.entities.update(kinds)
            yield redacted + line[len(body) :]

    def _rows(
        self, uniques: np.ndarray, found: list[list[Found]], by_row: np.ndarray, owners: RowOwners | None
    ) -> Iterator[list[str]]:
        """The texts of each row, redacted; rows of the same texts that have no owner are done once."""
        prepared = lru_cache(_PREPARED)(lambda code: PreparedText(str(uniques[code])))
        typos = TypoIndex()
        without_owner: dict[tuple[int, ...], tuple[list[str], Counter[str]]] = {}
        for number, row in enumerate(by_row.tolist()):
            codes = tuple(code for code in row if code >= 0)
            owner = owners[number] if owners is not None and codes else None
            if owner is None and codes in without_owner:
                redacted, kinds = without_owner[codes]
            else:
                redacted, kinds = redact_row(
                    [prepared(code) for code in codes], [found[code] for code in codes], owner, typos
                )
                if owner is None:
                    without_owner[codes] = redacted, kinds
            self.entities.update(kinds)
            yield redacted

    @cached_property
    def _detector(self) -> "Detector":
        from ds_pipeline.masking.text.detection import Detector

        return Detector(self._engine, self._recognizers)

    def _find(self, texts: list[str], *, where: str) -> list[list[Found]]:
        try:
            if self._recognizers is None:
                return remembered(self._engine, texts, self._find_new)
            return self._detector.find(texts)
        except TimeoutError:
            raise SourceError(
                f"{where}: a pattern did not finish on a text, and what was not read may not pass. The longest text has "  # noqa: E501
                f"{max(map(len, texts))} characters. Set such rows aside at ingestion, or give the column the treatment "  # noqa: E501
                "'drop'."
            ) from None

    def _find_new(self, texts: list[str]) -> list[list[Found]]:
        parallel = self._processes > 1 and sum(map(len, texts)) >= _PARALLEL_FROM
        return self._find_parallel(texts) if parallel else self._detector.find(texts)

    def _find_parallel(self, texts: list[str]) -> list[list[Found]]:
        """In processes that load the engine once each."""
        from ds_pipeline.masking.text.detection import find_spans

        size = -(-len(texts) // (self._processes * _TASKS_PER_PROCESS))
        parts = [texts[start : start + size] for start in range(0, len(texts), size)]
        find = partial(find_spans, self._engine)
        found = engines.run(find, parts, suits="loky", n_jobs=self._processes, is_raw=True)
        return [spans for part in found for spans in part]


def _cells(texts: pd.Series) -> np.ndarray:
    cells = texts.astype(object)
    if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
        wrong = [cell for cell in cells[cells.notna()] if not isinstance(cell, str)]
        advice = (
            "Some are bytes: decode them at the source, with its encoding."
            if any(isinstance(cell, bytes | bytearray) for cell in wrong)
            else "Declare the column as a string in sources.yaml, or give it the treatment 'drop'."
        )
        raise SourceError(
            f"Column '{texts.name}': expected text to redact, found {len(wrong)} cells of another type. {advice}"
        )
    return cells.to_numpy(dtype=object, copy=True)
