"""Why a payout failed, in words, whatever its gateway calls it."""

import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.event import Event
from models.people import Person
from service import notices
from service.gateways import failures
from service.gateways.stages import (
    IRIS_DOUBTFUL,
    IRIS_PASSING,
    WITHOUT_PAYMENT,
    XENDIT_PASSING,
    XENDIT_REFUSALS,
    XENDIT_STAGES,
)
from service.keys import Keys

DOCUMENTED = {*XENDIT_PASSING, *XENDIT_REFUSALS, *IRIS_PASSING, *IRIS_DOUBTFUL} | {
    status
    for status, stage in XENDIT_STAGES.items()
    if stage in WITHOUT_PAYMENT and status not in ("FAILED", "EXPIRED")
}
UNKNOWN = failures.in_words("")


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
def test_what_is_documented_has_words_of_its_own(code: str) -> None:
    words = failures.in_words(code)
    assert words != UNKNOWN
    assert code not in words.en


@given(st.text(max_size=80))
def test_every_failure_has_words_in_both_languages(code: str) -> None:
    for words in (failures.in_words(code), failures.came_back(code)):
        assert words.id.endswith(".")
        assert words.en.endswith(".")
        assert words.id != words.en


def test_a_code_that_nobody_knows_is_named() -> None:
    words = failures.in_words("SOMETHING_NEW")
    assert "(SOMETHING_NEW)" in words.id
    assert "(SOMETHING_NEW)" in words.en


def test_what_came_back_without_a_code_came_back() -> None:
    assert failures.came_back("failed") == failures.came_back("")
    assert failures.came_back("INVALID_DESTINATION") == failures.in_words("INVALID_DESTINATION")


@pytest.mark.parametrize(
    ("language", "body", "said"),
    [
        ("id", {"failure": "COMPLIANCE_REJECTED"}, "menolaknya setelah pemeriksaan"),
        ("en", {"failure": "COMPLIANCE_REJECTED"}, "refused it after a review"),
        ("en", {}, "gives no known reason"),
    ],
)
def test_a_resident_is_told_why(keys: Keys, language: str, body: dict[str, str], said: str) -> None:
    person = Person(phone="+6281234567890", name="Siti", language=language)
    body |= {"amount_idr": "50000", "channel": "BCA"}
    event = Event(bank_id=uuid4(), kind="payout_failed", body=json.dumps(body))
    message = notices.notice_of(event, person, keys)
    assert message is not None
    assert said in message.text
