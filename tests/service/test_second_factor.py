"""Codes of an app, secrets at rest, recovery codes: what needs no database."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from models.people import Role
from service.auth import Identity, caller_from, locked, recovery, totp
from service.errors import NotAllowed
from service.keys import Keys
from service.members import SecondFactorNotGiven

# The seed and the times of RFC 6238, Appendix B, of whose eight digits six are shown.
SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
NOW = datetime.fromtimestamp(1_111_111_111, UTC)
STEP = 1_111_111_111 // 30


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert totp.code_at(SEED, seconds // totp.STEP_S) == code


@pytest.mark.parametrize(
    ("off", "step"), [(-2, None), (-1, STEP - 1), (0, STEP), (1, STEP + 1), (2, None)]
)
def test_a_clock_may_be_off_by_half_a_minute(off: int, step: int | None) -> None:
    assert totp.step_of(SEED, totp.code_at(SEED, STEP + off), NOW) == step


@pytest.mark.parametrize("said", ["", "05047", "0504711", "٠٥٠٤٧١", "abcdef"])
def test_what_is_no_code_fits_no_step(said: str) -> None:
    assert totp.step_of(SEED, said, NOW) is None


def test_an_app_is_told_issuer_and_account() -> None:
    uri = totp.uri_of(SEED, account="+6281200000000")
    assert uri.startswith("otpauth://totp/Jumpa%20Madu:%2B6281200000000?")
    assert f"secret={SEED}" in uri
    assert len(totp.new_secret()) == 32


def test_a_secret_is_read_by_its_person_and_pepper_only(keys: Keys) -> None:
    mine, secret = uuid4(), totp.new_secret()
    kept = locked.lock(keys, mine, secret)
    assert locked.unlock(keys, mine, kept) == secret
    assert secret.encode() not in kept
    assert kept != locked.lock(keys, mine, secret)
    assert locked.unlock(keys, uuid4(), kept) is None
    assert locked.unlock(replace(keys, pepper=b"another"), mine, kept) is None
    assert locked.unlock(keys, mine, kept[:-1] + bytes([kept[-1] ^ 1])) is None


@pytest.mark.parametrize("said", ["abcde-fghjk", "ABCDE FGHJK", " abcdefghjk\n", "ab-cde-fgh-jk"])
def test_a_recovery_code_may_be_written_in_any_way(said: str) -> None:
    assert recovery.normal(said) == "abcdefghjk"


class Row(NamedTuple):
    """What the database says of a device and one part of its person."""

    proved_at: datetime | None
    bank_id: UUID
    role: str


@pytest.mark.parametrize(
    ("officers_prove", "proved", "is_operator"),
    [(False, False, True), (False, True, True), (True, True, True), (True, False, False)],
)
def test_officers_are_officers_once_they_proved_it(
    *, officers_prove: bool, proved: bool, is_operator: bool
) -> None:
    bank_id, other = uuid4(), uuid4()
    proved_at = NOW if proved else None
    rows = [Row(proved_at, bank_id, role) for role in (Role.RESIDENT, Role.OPERATOR)]
    caller = caller_from(Identity(uuid4(), uuid4(), officers_prove), rows)
    assert caller.has(bank_id, Role.RESIDENT)
    assert caller.has(bank_id, Role.OPERATOR) is is_operator
    assert caller.is_officer
    assert sorted(caller.memberships) == [(bank_id, "operator"), (bank_id, "resident")]
    if not is_operator:
        with pytest.raises(SecondFactorNotGiven):
            caller.act_in(bank_id, Role.OPERATOR)
    for where, role in ((bank_id, Role.TREASURER), (other, Role.OPERATOR)):
        with pytest.raises(NotAllowed):
            caller.act_in(where, role)
