import pytest

from ds_pipeline.masking.find.addresses import find_addresses
from ds_pipeline.masking.reading.spans import Found, join


def places(text: str) -> list[str]:
    spans = join(text, [Found(start, end, 1.0, "LOCATION") for start, end in find_addresses(text)])
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    "text",
    [
        "12 elm st apt 4",
        "12 Elm St Apt 4, Springfield, IL 62704",
        "Flat 3b, 22 Baker Street, London NW1 6XE",
        "45 MAIN STREET, SPRINGFIELD",
        "350 5th Avenue",
        "Hauptstraße 12",
        "Musterweg 5, 80331 München",
        "Am Markt 3, 20095 Hamburg",
        "12 rue de la Paix, 75002 Paris",
        "Calle Mayor 5, 2º B",
        "C/ Mayor 221, 11009 Cádiz",
        "Via Roma 10, 00184 Roma",
        "ul. Długa 7/3, 00-238 Warszawa",
        "Keizersgracht 101, 1015 CH Amsterdam",
        "Storgatan 5, 111 22 Stockholm",
        "Mannerheimintie 12",
        "Szabadság út 12, Budapest",
        "Rua Augusta 1500, São Paulo",
        "PO Box 123",
        "K1A 0B6",
    ],
)
def test_an_address_is_found_from_end_to_end(text):
    assert places(f"Please note: {text}\n") == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zip: 90210", ["90210"]),
        ("postcode sw1a 1aa please", ["sw1a 1aa"]),
        ("Address:\nBergen 4\n5003 Bergen\n\nThanks", ["Bergen 4", "5003 Bergen"]),
        ("the address was Ahornweg 3, thanks", ["Ahornweg 3"]),
    ],
)
def test_words_announce_an_address(text, expected):
    assert places(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I bought 3 packs on the way",
        "string 12 and spring 2",
        "I have been waiting 10 days on the road",
        "pay via PayPal 20 times",
        "from 5 to 12 Jan",
        "my address is wrong",
        "ship to customers",
        "Place 3 orders",
        "AB12 CD is the code",
        "24 hour drive",
        "the city: none of these",
        "500 Internal Server Error",
    ],
)
def test_what_is_no_address_stays(text):
    assert places(text) == []
