"""A NIK is checked, hidden, and read by its owner only. No engine decides this."""

from dataclasses import replace
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from service import niks
from service.keys import Keys
from service.niks import NikNotReadable, NikNotValid

BORN_1990 = "1207281507900001"


@pytest.mark.parametrize(
    "text",
    [BORN_1990, "1207 2815 0790 0001", "12.07.28.150790.0001", "1207285507900001"],
)
def test_a_nik_may_be_written_with_spaces_and_is_a_womans_as_well(text: str) -> None:
    assert len(niks.read(text)) == 16


@pytest.mark.parametrize(
    "text",
    [
        "120728150790001",
        "12072815079000011",
        "1207283213900001",
        "1207283002900001",
        "1207287215900001",
        "1207280007900001",
        "0007281507900001",
        "1207281507900000",
        "١٢٠٧٢٨١٥٠٧٩٠٠٠٠١",
        "",
    ],
)
def test_what_can_be_no_nik_is_refused(text: str) -> None:
    with pytest.raises(NikNotValid):
        niks.read(text)


@given(st.text(max_size=40))
def test_any_text_is_a_nik_or_refused(text: str) -> None:
    try:
        assert len(niks.read(text)) == 16
    except NikNotValid as refused:
        assert refused.fields[0].pointer == "/nik"


def test_others_see_its_last_four_digits() -> None:
    assert niks.masked(BORN_1990) == "••••••••••••0001"


def test_it_is_encrypted_for_one_person(keys: Keys) -> None:
    siti = uuid4()
    sealed = niks.seal(keys, siti, BORN_1990)
    assert BORN_1990 not in sealed
    assert sealed != niks.seal(keys, siti, BORN_1990)
    assert niks.unseal(keys, siti, sealed) == BORN_1990
    with pytest.raises(InvalidTag):
        niks.unseal(keys, uuid4(), sealed)


def test_the_key_can_be_replaced(keys: Keys) -> None:
    siti = uuid4()
    sealed = niks.seal(keys, siti, BORN_1990)
    rotated = replace(keys, pepper=b"another", peppers_before=(keys.pepper,))
    assert niks.unseal(rotated, siti, sealed) == BORN_1990
    assert keys.hash_of("nik", BORN_1990) in rotated.hashes_of("nik", BORN_1990)
    with pytest.raises(NikNotReadable):
        niks.unseal(replace(keys, pepper=b"another"), siti, sealed)
