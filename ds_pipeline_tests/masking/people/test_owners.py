import pandas as pd
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.people.owners import OwnerIndex
from ds_pipeline.masking.people.prepared import PreparedText
from ds_pipeline.masking.people.typos import TypoIndex


def index(*rows: tuple) -> OwnerIndex:
    return OwnerIndex.from_frame(pd.DataFrame(rows, columns=["id", "kind", "value", "known_from"]))


def kinds(owner, text: str) -> list[str]:
    return [span.kind for span in owner.find(PreparedText(text), TypoIndex())] if owner else []


def test_a_value_is_used_from_the_week_in_which_it_became_known():
    owners = index((7, "name", "Anna Smith", 10), (7, "phone", "07700 900123", 12))
    text = "Anna Smith, 07700900123"
    assert owners.owner(7, 9) is None
    assert kinds(owners.owner(7, 11), text) == ["PERSON"]
    assert kinds(owners.owner(7, 12), text) == ["PERSON", "PHONE"]


def test_an_owner_does_not_depend_on_what_becomes_known_later_nor_on_order():
    rows = [(7, "name", "Anna Smith", 10), (7, "name", "Anna Jones", 20), (8, "name", "Bo Berg", 1)]
    early, late = index(*rows[:1]), index(*reversed(rows))
    assert kinds(early.owner(7, 15), "anna jones") == kinds(late.owner(7, 15), "anna jones") == ["PERSON"]
    assert late.owner(7, 15).name_words == {"anna", "smith"}
    assert late.owner(7, 20).name_words == {"anna", "smith", "jones"}


def test_rows_have_the_owner_of_their_id_and_week():
    owners = index(("a", "name", "Anna Smith", 10))
    frame = pd.DataFrame({"id": ["a", None, "a", "b"], "week": [10, 10, 9, 10]}, index=[5, 5, 6, 7])
    rows = owners.rows(frame["id"], frame["week"])
    assert [owner is not None for owner in rows] == [True, False, False, False]


def test_an_owner_is_made_once():
    owners = index(("a", "name", "Anna Smith", 1))
    assert owners.owner("a", 1) is owners.owner("a", 5)


def test_missing_ids_and_values_are_skipped():
    assert index((None, "name", "Anna", 1), ("a", "name", None, 1)).owner("a", 1) is None


@pytest.mark.parametrize(
    "row",
    [("a", "shoe size", "9", 1), ("a", "name", "Anna", None), ("a", None, "Anna", 1)],
    ids=["kind", "week", "none"],
)
def test_a_frame_that_does_not_fit_is_an_error_without_values(row):
    with pytest.raises(SourceError, match="Known values of owners") as refusal:
        index(row)
    assert "Anna" not in str(refusal.value)


def test_rows_without_a_week_are_an_error():
    with pytest.raises(SourceError, match="without a week"):
        index(("a", "name", "Anna", 1)).rows(pd.Series(["a"]), pd.Series([None], dtype="Int64"))
