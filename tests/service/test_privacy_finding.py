"""People are found in text however it is written. No engine decides this."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.privacy import TraceKind
from service.privacy import finding

SITI = uuid4()
ACCOUNT = finding.number("1234567890")
NAME = finding.name("Siti Nurhaliza Aminah")
assert ACCOUNT is not None
assert NAME is not None
FINDER = finding.finder_of(SITI, [finding.phone("+6281260001234"), ACCOUNT, NAME])


@pytest.mark.parametrize(
    "text",
    [
        "+6281260001234",
        '{"to":"6281260001234@s.whatsapp.net"}',
        "hubungi 0812-6000-1234 saja",
        "tel (0812) 6000.1234",
        "pada 2026-11-28 0812 6000 1234",
        "hp81260001234x",
    ],
)
def test_a_phone_is_found_as_people_write_it(text: str) -> None:
    assert {found.kind for found in FINDER.find(text)} == {TraceKind.PHONE}
    assert FINDER.without(text) != text
    assert list(FINDER.find(FINDER.without(text))) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ke 1234-567-890 a.n. SITI  nurhaliza AMINAH.", "ke … a.n. …."),
        ("Siti Nurhaliza", "Siti Nurhaliza"),
        ("Aminah Siti Nurhaliza", "Aminah Siti Nurhaliza"),
        ("0812-6000-12345", "0812-6000-12345"),
        ("12345678901", "12345678901"),
        ("Rp 81.260.001", "Rp 81.260.001"),
    ],
)
def test_only_the_whole_of_it_is_taken_out(text: str, left: str) -> None:
    assert FINDER.without(text) == left


def test_it_is_taken_out_of_every_text_of_a_thing() -> None:
    thing = {"a": ["081260001234", 7], "b": {"c": "x"}, "d": None}
    assert FINDER.without_in(thing) == {"a": ["…", 7], "b": {"c": "x"}, "d": None}


def test_what_would_be_too_common_is_not_looked_for() -> None:
    assert finding.name("Siti") is None
    assert finding.name("") is None
    assert finding.number("1234567") is None


def test_json_is_read_as_it_is_meant() -> None:
    assert finding.unescaped('"Andr\\u00e9a"') == '"Andréa"'


@given(st.text())
def test_any_text_can_be_looked_through(text: str) -> None:
    assert FINDER.without(text) == text or list(FINDER.find(text))


@given(
    st.text("0123456789", min_size=8, max_size=16),
    st.lists(st.text(finding.SEPARATORS, max_size=2)),
)
def test_what_is_found_is_there_once_separators_are_gone(digits: str, between: list[str]) -> None:
    """So that a database can be asked for rows that are worth a look."""
    divided = zip(digits, [*between, *[""] * len(digits)], strict=False)
    text = f"Tel. {''.join(digit + separator for digit, separator in divided)} rumah"
    wanted = finding.number(digits)
    assert wanted is not None
    found = [*finding.finder_of(uuid4(), [wanted]).find(text)]
    closed_up = "".join(letter for letter in text if letter not in finding.SEPARATORS)
    assert found
    assert wanted.value in closed_up
