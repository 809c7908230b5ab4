"""The codes that people say to each other: they follow from what they are about."""

import pytest

from models.base import new_id
from service.keys import CODE_DIGITS, Keys


def test_a_payouts_code_is_its_own(keys: Keys) -> None:
    payout_id = new_id()
    code = keys.payout_code(payout_id)
    assert (len(code), code.isdecimal()) == (CODE_DIGITS, True)
    assert keys.payout_code(payout_id) == code
    # One in a million would be the same by chance, in both of two.
    others = (new_id(), new_id())
    assert any(keys.payout_code(other) != code for other in others)
    assert any(keys.handover_code(one) != keys.payout_code(one) for one in others)


def test_only_the_code_itself_is_taken(keys: Keys) -> None:
    payout_id = new_id()
    code = keys.payout_code(payout_id)
    assert keys.is_payout_code(payout_id, code)
    wrong = f"{(int(code) + 1) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"
    assert not keys.is_payout_code(payout_id, wrong)


@pytest.mark.parametrize("said", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef"])
def test_what_is_no_code_is_not_taken(keys: Keys, said: str) -> None:
    assert not keys.is_payout_code(new_id(), said)
