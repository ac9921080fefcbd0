from ds_pipeline.masking.text.placeholders import People


def numbers(mentions: list[str], owner: tuple[str, ...] = ()) -> list[int]:
    people = People(owner)
    return [int(people.placeholder(mention, is_owner=False).strip("<>").split("_")[1]) for mention in mentions]


def test_persons_are_numbered_by_first_appearance():
    assert numbers(["Anna Smith", "Bob Jones", "Anna Smith"]) == [1, 2, 1]


def test_a_part_of_a_name_in_any_case_is_the_same_person():
    assert numbers(["Anna Smith", "Anna", "SMITH", "smith anna", "Smith, Anna", "Mrs Smith", "Ánna"]) == [1] * 7


def test_a_part_comes_before_the_whole():
    assert numbers(["Anna", "Anna Smith", "Anna Jones"]) == [1, 1, 2]


def test_initials_stand_for_the_words_they_begin():
    assert numbers(["Anna Smith", "A. Smith", "Anna S.", "B. Smith"]) == [1, 1, 1, 2]


def test_an_initial_first_and_the_name_later_is_one():
    assert numbers(["A. Smith", "Anna Smith"]) == [1, 1]


def test_the_owner_is_one_person_even_under_two_surnames():
    people = People(["anna", "smith", "jones"])
    assert people.placeholder("Bob", is_owner=False) == "<PERSON_1>"
    assert people.placeholder("Anna Smith", is_owner=True) == "<PERSON_2>"
    assert people.placeholder("mrs jones", is_owner=False) == "<PERSON_2>"
    assert people.placeholder("Smihtson", is_owner=True) == "<PERSON_2>"
