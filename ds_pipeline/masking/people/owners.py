"""Whose row a text is: the values known of each person, from the week in which each became known.

A value is looked for only in texts of its own owner, and only from that week on, so that a rebuild of a past week
never depends on what became known later. The values stay in memory: the index is built from raw rows, inside the
boundary, and is never written.
"""

from collections.abc import Iterator, Sequence
from typing import overload

import pandas as pd

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.people.owner import Owner

KINDS = frozenset({"name", "email", "phone", "address", "postcode", "id", "birth_date"})
_COLUMNS = ("id", "kind", "value", "known_from")
_KEPT_OWNERS = 4_096


class RowOwners(Sequence["Owner | None"]):
    """The owner of each row, as known in its week; None where the row has none or nothing is known of them."""

    def __init__(self, index: "OwnerIndex", ids: Sequence[object], weeks: Sequence[int]) -> None:
        self._index, self._ids, self._weeks = index, ids, weeks

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, row: int) -> "Owner | None": ...
    @overload
    def __getitem__(self, row: slice) -> "RowOwners": ...
    def __getitem__(self, row: int | slice) -> "Owner | RowOwners | None":
        if isinstance(row, slice):
            return RowOwners(self._index, self._ids[row], self._weeks[row])
        return self._index.owner(self._ids[row], self._weeks[row])


class OwnerIndex:
    """Values by person, in the order in which they became known."""

    def __init__(self, values: dict[object, list[tuple[int, str, object]]]) -> None:
        self._values = values
        self._owners: dict[tuple[object, int], Owner] = {}

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> "OwnerIndex":
        """From one row per known value.

        Args:
            frame: id (as in the rows of text; any hashable), kind (name, email, phone, address, postcode, id or
                birth_date), value (text; dates may be dates), known_from (ordinal of the week from which it may be
                used). Rows without an id or a value are skipped. A name may be whole or a part of one.

        Raises:
            SourceError: a column is missing, a kind is unknown, or a week is missing.
        """
        missing = [column for column in _COLUMNS if column not in frame]
        unknown = set() if missing else set(frame["kind"].dropna()) - KINDS
        if missing or unknown or frame["known_from"].isna().any() or frame["kind"].isna().any():
            raise SourceError(
                f"Known values of owners: expected the columns {', '.join(_COLUMNS)} with a kind and a week in each row, "  # noqa: E501
                f"found {', '.join(missing) or 'all of them'} missing and {len(unknown)} unknown kinds. "
                f"Known kinds: {', '.join(sorted(KINDS))}."
            )
        known = frame.dropna(subset=["id", "value"]).drop_duplicates(list(_COLUMNS))
        values: dict[object, list[tuple[int, str, object]]] = {}
        rows = zip(known["id"], known["kind"], known["value"], known["known_from"].astype(int), strict=True)
        for owner, kind, value, week in rows:
            values.setdefault(owner, []).append((week, kind, value))
        for known_of_one in values.values():
            known_of_one.sort(key=lambda one: (one[0], one[1], str(one[2])))
        return cls(values)

    def rows(self, ids: pd.Series, weeks: pd.Series) -> RowOwners:
        """The owners of rows, by the id and the week (ordinal) of each; a missing id is a row without owner.

        Raises:
            SourceError: a row has no week, or the two are not of the same rows.
        """
        if not ids.index.equals(weeks.index) or weeks.isna().any():
            raise SourceError("Owners of texts: expected an id and a week for each row; found rows without a week.")
        return RowOwners(
            self,
            [owner if known else None for owner, known in zip(ids, ids.notna(), strict=True)],
            weeks.astype(int).tolist(),
        )

    def owner(self, owner_id: object, week: int) -> Owner | None:
        """What is known of the person in that week."""
        values = [] if owner_id is None else list(self._known(owner_id, week))
        if not values:
            return None
        key = (owner_id, len(values))
        if key not in self._owners:
            if len(self._owners) >= _KEPT_OWNERS:
                self._owners.clear()
            self._owners[key] = Owner(values)
        return self._owners[key]

    def _known(self, owner_id: object, week: int) -> Iterator[tuple[str, object]]:
        for known_from, kind, value in self._values.get(owner_id, ()):
            if known_from > week:
                return
            yield kind, value
