from datetime import date

import pytest

from ds_pipeline.masking.people.owner import Owner
from ds_pipeline.masking.people.prepared import PreparedText
from ds_pipeline.masking.people.typos import TypoIndex

ANNA = Owner(
    [
        ("name", "Anna Smithson"),
        ("email", "Anna.Smithson@acme.example"),
        ("phone", "+44 7700 900123"),
        ("address", "12 Elm Street, Apt 4, Springfield"),
        ("postcode", "SW1A 1AA"),
        ("id", "C-104477"),
        ("birth_date", date(1980, 3, 14)),
    ]
)
WILL = Owner([("name", "Will May")])


def found(owner: Owner, text: str) -> list[str]:
    spans = owner.find(PreparedText(text), TypoIndex())
    return [f"{span.kind} {text[span.start : span.end]}" for span in sorted(spans)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna Smithson wrote", "Anna Smithson"),
        ("ANNA SMITHSON WROTE", "ANNA SMITHSON"),
        ("smithson anna wrote", "smithson anna"),
        ("Smithson, Anna wrote", "Smithson, Anna"),
        ("A. Smithson wrote", "A. Smithson"),
        ("Anna S. wrote", "Anna S."),
        ("mr smithson wrote", "smithson"),
        ("told anna that", "anna"),
        ("anna's parcel", "anna"),
        ("anna_smithson", "anna_smithson"),
        ("user annasmithson here", "annasmithson"),
        ("Ánna Smíthson", "Ánna Smíthson"),
        ("Smitson wrote", "Smitson"),
        ("Smiithson wrote", "Smiithson"),
        ("Smithsan wrote", "Smithsan"),
        ("Simthson wrote", "Simthson"),
        ("An\u200bna Smith\u200bson", "An\u200bna Smith\u200bson"),
    ],
)
def test_the_name_of_the_owner_is_found_however_it_is_written(text, expected):
    assert found(ANNA, text) == [f"PERSON {expected}"]


@pytest.mark.parametrize(
    "text",
    [
        "a parcel for s.o. else",
        "Ann wrote",
        "Smithy wrote",
        "anno domini",
        "A. wrote",
        "the elm is a tree in our street",
    ],
)
def test_what_only_resembles_the_owner_stays(text):
    assert found(ANNA, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "will you call in may?",
        "Will you call me?",
        "it arrived. May I return it?",
        "WILL IT ARRIVE IN MAY?",
        "due May 3",
        "not in May",
    ],
)
def test_common_words_are_not_their_namesake(text):
    assert found(WILL, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I told Will twice", "Will"),
        ("will may wrote", "will may"),
        ("Will May", "Will May"),
        ("Regards,\nWill", "Will"),
        ("Will's parcel", "Will"),
        ("MAY, WILL", "MAY, WILL"),
    ],
)
def test_a_namesake_of_a_common_word_is_found_by_its_capital_or_its_company(text, expected):
    assert found(WILL, text) == [f"PERSON {expected}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 07700900123", "PHONE 07700900123"),
        ("on 07700 900-123 please", "PHONE 07700 900-123"),
        ("on 0044 7700.900.123", "PHONE 0044 7700.900.123"),
        ("on +44 (0) 7700 900123", "PHONE +44 (0) 7700 900123"),
        ("no c104477", "ID c104477"),
        ("no C 104-477!", "ID C 104-477"),
        ("anna.smithson@acme.example", "EMAIL anna.smithson@acme.example"),
        ("Anna.Smithson @ acme . example", "EMAIL Anna.Smithson @ acme . example"),
        ("anna.smithson (at) acme (dot) example", "EMAIL anna.smithson (at) acme (dot) example"),
        ("postcode sw1a1aa", "LOCATION sw1a1aa"),
        ("born 14/03/1980", "DATE_OF_BIRTH 14/03/1980"),
        ("1980-03-14 it was", "DATE_OF_BIRTH 1980-03-14"),
        ("on 14 March 1980", "DATE_OF_BIRTH 14 March 1980"),
        ("on March 14th, 1980", "DATE_OF_BIRTH March 14th, 1980"),
        ("14.3.80", "DATE_OF_BIRTH 14.3.80"),
        ("at 12 elm st", "LOCATION 12 elm st"),
        ("12, Elm Street, Springfield", "LOCATION 12, Elm Street, Springfield"),
        ("the springfield shop", "LOCATION springfield"),
    ],
)
def test_the_values_of_the_owner_are_found_in_any_grouping(text, expected):
    assert expected in found(ANNA, text)


@pytest.mark.parametrize("text", ["£104477", "15/03/1980", "07700 900124", "12 towels", "street 12", "4 apt"])
def test_other_values_are_not_the_owners(text):
    owner = Owner(
        [("id", "104477"), ("phone", "07700 900123"), ("birth_date", "1980-03-14"), ("address", "12 Elm Street")]
    )
    assert found(owner, text) == []


def test_a_short_number_is_taken_only_in_one_piece():
    owner = Owner([("id", "17850")])
    assert found(owner, "no 17850, 17 850 pcs, 178.50") == ["ID 17850"]


def test_written_out_umlauts_are_the_same_name():
    assert found(Owner([("name", "Jörg Müller")]), "joerg mueller") == ["PERSON joerg mueller"]


def test_names_in_other_scripts_are_found():
    assert found(Owner([("name", "Анна Смирнова")]), "пишет анна смирнова") == ["PERSON анна смирнова"]
