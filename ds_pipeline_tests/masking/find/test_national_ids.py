import pytest

from ds_pipeline.masking.find.national_ids import find_national_ids


def numbers(text: str) -> list[str]:
    return [text[start:end] for start, end in find_national_ids(text)]


@pytest.mark.parametrize(
    "number",
    [
        "12345678Z",
        "X1234567L",
        "RSSMRA85T10A562S",
        "1 85 05 78 006 084 91",
        "44051401359",
        "529.982.247-25",
        "811218-9876",
        "131052-308T",
        "756.9217.0769.85",
        "86095742719",
        "2341 2341 2346",
        "11010519491231002X",
        "900101-1234567",
        "HEGG560427MVZRRL04",
        "A123456(3)",
        "12.345.678-5",
    ],
)
def test_a_number_with_right_check_digits_is_found(number):
    assert numbers(f"it is {number}, thanks") == [number]


@pytest.mark.parametrize(
    "number", ["12345678A", "RSSMRA85T10A562T", "12345678901", "529.982.247-26", "323456-7890", "1234-5678-9012"]
)
def test_a_number_with_wrong_check_digits_stays(number):
    assert numbers(f"order {number}") == []
