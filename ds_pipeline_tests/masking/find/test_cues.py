import pytest

from ds_pipeline.masking.find.cues import find_cued_names


def names(text: str) -> set[str]:
    return {text[start:end] for start, end in find_cued_names(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my name is anna smith and i live here", "anna smith"),
        ("My name is Will Turner.", "Will Turner"),
        ("MY NAME IS ANNA SMITH AND I WAIT", "ANNA SMITH"),
        ("Regards,\nAnna Smith", "Anna Smith"),
        ("thanks,\nbrian o'neill\n", "brian o'neill"),
        ("Kind regards,\n\nAnna van den Berg\nSales", "Anna van den Berg"),
        ("Mit freundlichen Grüßen\nKlaus Weber", "Klaus Weber"),
        ("thx\n\nrgds, alvarim", "alvarim"),
        ("Best,\nMay", "May"),
        ("From: Anna Smith <a@b.org>", "Anna Smith"),
        ("Dear Mr Patel, your order", "Patel"),
        ("Sehr geehrter Herr von der Leyen,", "von der Leyen"),
        ("hi anna, where is it", "anna"),
        ("This is Priya from Acme", "Priya"),
        ("Name: Smith, Anna", "Smith, Anna"),
        ('"name": "Anna Smith", "x": 1', "Anna Smith"),
        ("my wife Sanjana called", "Sanjana"),
        ("spelled D-I-L-R-U-K-S-H-I ok", "D-I-L-R-U-K-S-H-I"),
    ],
)
def test_words_announce_a_name(text, expected):
    assert expected in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear Customer,",
        "Hi team,",
        "I am German",
        "I'm Sorry",
        "To: Customer Support",
        "Thanks in advance,\nthe order is late",
        "customer: order not received",
        "Product name: Air Fryer",
        "call me back please",
        "Thank you so much for help",
        "Good morning, Could you help",
        "From: Monday to Friday",
    ],
)
def test_what_follows_a_cue_and_is_no_name_stays(text):
    assert names(text) == set()
