"""Identifiers that need no word before them, and how numbers go on."""

import pytest

from ds_pipeline.masking.text.text import TextRedactor

REDACTOR = TextRedactor("patterns", processes=1)


@pytest.mark.parametrize(("text", "kind", "found"), [
    ("mrz: P<UTOERIKSSON<<ANNA<<<<<<<<<<", "ID", "P<UTOERIKSSON<<ANNA<<<<<<<<<<"),
    ("it is 00000000<0<0004 on the card", "ID", "00000000<0<0004"),
    ("merge m_88213 please", "ID", "m_88213"),
    ("see SUB.441.902 now", "ID", "SUB.441.902"),
    ("duplicate accounts 4471920 and 551-0028", "ID", "4471920"),
    ("duplicate accounts 4471920 and 551-0028", "ID", "551-0028"),
    ("passport_scan.pdf, number ZE000509, valid", "ID", "ZE000509"),
    ("plate KX51 0ZZ, grey van", "ID", "KX51 0ZZ"),
    ("her badge 4471, called", "ID", "4471"),
    ("gate code 4471, leave it", "ID", "4471"),
    ("collect the parcel; id P4482917 shown", "ID", "P4482917"),
    ("my license number D123-4567-8901 was rejected", "ID", "D123-4567-8901"),
    ("password is Tr0ub4dor&3, please log in", "ID", "Tr0ub4dor&3"),
    ("the API key sk_" + "live_" + "9aF3kLmQ2xZ7 was pasted", "ID", "sk_" + "live_" + "9aF3kLmQ2xZ7"),
    ("exp 09/27 cvv 1234", "CARD", "1234"),
    ("exp 09/27 cvv 1234", "CARD", "09/27"),
    ("reach me at yuki(dot)tanaka(at)example(dot)jp", "EMAIL", "yuki(dot)tanaka(at)example(dot)jp"),
    ("or skype live:marco.rossi_3 later", "ID", "live:marco.rossi_3"),
    ("ring oh seven seven double-oh nine hundred one two three if you must", "PHONE",
     "oh seven seven double-oh nine hundred one two three"),
    ("no answer, 20 12 34 56. Later", "PHONE", "20 12 34 56"),
    ("or 912 34 567 after six", "PHONE", "912 34 567"),
    ('"226016 Lucknow","9000000620"', "PHONE", "9000000620"),
    ("name in katakana: タナベ ユキ, for the label", "PERSON", "タナベ ユキ"),
    ("Surname BEKELE\nGiven names DAWIT", "PERSON", "DAWIT"),
    ("113-5, Mugunghwa-ro 2beon-gil is the place", "LOCATION", "113-5, Mugunghwa-ro 2beon-gil"),
    ("at 177 unity close, off airport road", "LOCATION", "177 unity close, off airport road"),
    ("to 12 Elm St No: 4 D: 6 please", "LOCATION", "12 Elm St No: 4 D: 6"),
])  # fmt: skip
def test_it_is_found_as_a_whole(text: str, kind: str, found: str) -> None:
    spans = [(text[span.start : span.end], span.kind) for span in REDACTOR.find([text])[0]]

    assert (found, kind) in spans


@pytest.mark.parametrize("text", [
    "if a < b and b << c then d <<= 1",
    "one, two or three of them",
    "the ratio is 12/34 and 10 20 of 30",
    "variable x_1 and file_2 of 12",
    "3 Euro and 2-ro",
    "plate of food, plate 4",
    "my password is wrong and the code is 12",
    "the pin fell off, id please",
    "accounts and accounting since 2024 and 2025",
    "a line of 日本語の文章です here",
])  # fmt: skip
def test_what_only_resembles_it_stays(text: str) -> None:
    assert REDACTOR.find([text]) == [[]]


def test_a_user_name_made_of_a_name_is_an_echo_of_it() -> None:
    text = "sdlamini: my name is Sipho Dlamini"

    assert [text[span.start : span.end] for span in REDACTOR.find([text])[0]] == ["sdlamini", "Sipho Dlamini"]
