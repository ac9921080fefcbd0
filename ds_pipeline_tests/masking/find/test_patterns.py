"""Identifiers of a form of their own: where each begins and ends, and what has the form and is none."""

from collections.abc import Callable, Iterator

import pytest

from ds_pipeline.masking.find import patterns


def found(find: Callable[[str], Iterator[tuple[int, int]]], text: str) -> list[str]:
    return [text[start:end] for start, end in find(text)]


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        pytest.param("<jane.doe@example.co.uk>, thanks", ["jane.doe@example.co.uk"], id="in-brackets"),
        pytest.param("a@b.org;c@d.org", ["a@b.org", "c@d.org"], id="two"),
        pytest.param("jane%40example.com", ["jane%40example.com"], id="encoded"),
        pytest.param("jane&#64;example.com", ["jane&#64;example.com"], id="html"),
        pytest.param("jane@[192.168.0.1]", ["jane@[192.168.0.1]"], id="machine"),
        pytest.param("maria dot quispe at example dot com ok", ["maria dot quispe at example dot com"], id="spoken"),
        pytest.param("3 for 2@1.50", [], id="price"),
        pytest.param("meet @ noon", [], id="no-domain"),
        pytest.param("look at dot com prices", [], id="words"),
    ],
)
def test_an_email_address_is_found_from_end_to_end(text: str, emails: list[str]) -> None:
    assert found(patterns.find_emails, text) == emails


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        pytest.param("(see https://x.org/a?b=c).", ["https://x.org/a?b=c"], id="signs-behind-it-stay"),
        pytest.param("jane-doe.github.io/cv, ok", ["jane-doe.github.io/cv"], id="without-scheme"),
        pytest.param("sftp://host/x y", ["sftp://host/x"], id="scheme"),
        pytest.param("the end.It was", [], id="no-blank-after-a-full-stop"),
        pytest.param("jane@example.com", [], id="domain-of-an-email"),
        pytest.param("version 1.2.3", [], id="version"),
    ],
)
def test_a_url_ends_before_the_signs_of_the_sentence(text: str, urls: list[str]) -> None:
    assert found(patterns.find_urls, text) == urls


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        pytest.param("from 255.255.255.255.", ["255.255.255.255"], id="highest"),
        pytest.param("from 256.1.1.1", [], id="octet-above-255"),
        pytest.param("2001:db8::ff00:42:8329", ["2001:db8::ff00:42:8329"], id="six"),
        pytest.param("::ffff:0:192.0.2.1", ["192.0.2.1", "::ffff:0:192.0.2.1"], id="four-in-six"),
        pytest.param("::1 and ::", [], id="names-nobody"),
        pytest.param("at 12:30:45", [], id="time"),
    ],
)
def test_an_address_of_a_machine_has_octets_or_three_groups(text: str, addresses: list[str]) -> None:
    assert found(patterns.find_ips, text) == addresses


@pytest.mark.parametrize(
    ("text", "macs"),
    [
        pytest.param("00:1B:44:11:3A:b7", ["00:1B:44:11:3A:b7"], id="colons"),
        pytest.param("00-1b-44-11-3a-b7", ["00-1b-44-11-3a-b7"], id="hyphens"),
        pytest.param("00:1b-44:11-3a:b7", [], id="mixed"),
        pytest.param("00:1b:44:11:3a:b7:01", [], id="seven-pairs"),
    ],
)
def test_a_network_card_has_six_pairs_with_one_separator(text: str, macs: list[str]) -> None:
    assert found(patterns.find_macs, text) == macs


@pytest.mark.parametrize(
    ("text", "ibans"),
    [
        pytest.param("NO9386011117947", ["NO9386011117947"], id="shortest"),
        pytest.param("MT84MALT011000012345MTLCAST001S", ["MT84MALT011000012345MTLCAST001S"], id="letters"),
        pytest.param("GB29 NWBK 6016 1331 9268 19 and 20", ["GB29 NWBK 6016 1331 9268 19"], id="a-number-behind-it"),
        pytest.param("gb29nwbk60161331926819x", ["gb29nwbk60161331926819"], id="glued-to-a-letter"),
        pytest.param("GB29NWBK60161331926891", [], id="two-digits-swapped"),
        pytest.param("NO93 8601 1117", [], id="too-short"),
    ],
)
def test_an_iban_ends_where_its_country_says(text: str, ibans: list[str]) -> None:
    assert found(patterns.find_ibans, text) == ibans


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("123-45-6789", ["123-45-6789"], id="hyphens"),
        pytest.param("123-45 6789", [], id="two-separators"),
        pytest.param("000-45-6789", [], id="area-000"),
        pytest.param("666-45-6789", [], id="area-666"),
        pytest.param("123-00-6789", [], id="group-00"),
        pytest.param("123-45-0000", [], id="serial-0000"),
        pytest.param("my SSN is 123456789.", ["123456789"], id="after-its-word"),
        pytest.param("SSN: 1234567890", [], id="ten-digits"),
    ],
)
def test_a_social_security_number_is_one_that_can_be_given(text: str, numbers: list[str]) -> None:
    assert found(patterns.find_ssns, text) == numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param("ab 12 34 56 c", ["ab 12 34 56 c"], id="lower-case"),
        pytest.param("QQ123456C", ["QQ123456C"], id="the-example-of-forms"),
        pytest.param("GB123456C", [], id="prefix-never-given"),
        pytest.param("DA123456C", [], id="letter-never-given"),
        pytest.param("AB123456E", [], id="suffix-never-given"),
    ],
)
def test_a_national_insurance_number_has_letters_that_are_given(text: str, numbers: list[str]) -> None:
    assert found(patterns.find_ninos, text) == numbers


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        pytest.param("D.O.B. 1/2/80", ["1/2/80"], id="short"),
        pytest.param("geb. am 3. März 1980", ["3. März 1980"], id="german"),
        pytest.param("born in 1980, in May", ["1980"], id="year"),
        pytest.param("14/02/1975 is my birthday", ["14/02/1975"], id="before-the-word"),
        pytest.param("born on a Monday", [], id="no-date"),
        pytest.param("delivered 14/02/1975", [], id="another-word"),
        pytest.param("born on\n14/02/1975", [], id="on-another-line"),
    ],
)
def test_a_birth_date_is_a_date_beside_the_word_for_it(text: str, dates: list[str]) -> None:
    assert found(patterns.find_birth_dates, text) == dates


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        pytest.param("accounts 4471920, 4471921 and 4471922", ["4471920", "4471921", "4471922"], id="a-list"),
        pytest.param("account no: 447", [], id="fewer-than-four-signs"),
        pytest.param("account no: 4471", ["4471"], id="four-signs"),
        pytest.param("account 2011-12-05", [], id="date"),
        pytest.param("account 12.50", [], id="price"),
        pytest.param("account is closed since 2011", [], id="year"),
        pytest.param("reg KX51 0ZZ", ["KX51 0ZZ"], id="plate"),
        pytest.param("the number 4471920", [], id="no-word-for-it"),
    ],
)
def test_an_id_is_a_number_after_the_name_of_what_it_comes_from(text: str, ids: list[str]) -> None:
    assert found(patterns.find_cued_ids, text) == ids


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("my username is jd_1980, ok", ["jd_1980"], id="after-its-word"),
        pytest.param("username: sdlamini", ["sdlamini"], id="uncommon-word"),
        pytest.param("username: hello", [], id="common-word"),
        pytest.param("user=jane.d", ["jane.d"], id="field"),
        pytest.param("user=sdlamini", [], id="letters-alone-in-a-field"),
        pytest.param("thanks @jane_d!", ["jane_d"], id="handle"),
        pytest.param("thanks @everyone", [], id="common-word-after-its-sign"),
        pytest.param("a@bcd.org", [], id="email"),
    ],
)
def test_a_user_name_is_announced_and_no_common_word(text: str, names: list[str]) -> None:
    assert found(patterns.find_user_names, text) == names


@pytest.mark.parametrize("find", [
    patterns.find_emails, patterns.find_urls, patterns.find_ips, patterns.find_macs, patterns.find_ibans,
    patterns.find_ssns, patterns.find_ninos, patterns.find_birth_dates, patterns.find_cued_ids,
    patterns.find_user_names,
])  # fmt: skip
def test_nothing_is_found_in_nothing(find: Callable[[str], Iterator[tuple[int, int]]]) -> None:
    assert found(find, "") == []
    assert found(find, "the lamp was broken when it came") == []
