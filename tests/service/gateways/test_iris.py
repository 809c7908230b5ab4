"""What only Iris does: created first, approved then, and keys that are forgotten."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.gateways import (
    Gateway,
    GatewayNotReached,
    Missing,
    NamesNotTold,
    Order,
    Refused,
    Reported,
    Stage,
    Unknown,
)
from tests.service.gateways.standing import (
    SETTLES_S,
    House,
    adapter,
    house,
    known,
    order,
    read,
    settle,
)

TOO_LONG = timedelta(hours=25)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house("iris", tmp_path_factory.mktemp("iris")) as running:
        yield running


@pytest.fixture
async def gateway(there: House) -> AsyncIterator[Gateway]:
    opened = adapter("iris", there.url)
    yield opened
    await opened.close()


async def created_only(there: House, payout: Order) -> Order:
    """A payout that was created, and whose approval failed."""
    stranger = adapter("iris", there.url, approver_key="IRIS-of-somebody-else")
    said = await stranger.send(payout)
    await stranger.close()
    assert said == Unknown("The approval was answered 401.", known(payout, said).gateway_id)
    return known(payout, said)


def long_ago(payout: Order) -> Order:
    return replace(payout, first_sent_at=datetime.now(UTC) - TOO_LONG)


async def test_one_that_is_only_created_is_approved_by_another_send(
    there: House, gateway: Gateway
) -> None:
    payout = await created_only(there, order())
    assert there.payouts(payout)[0]["status"] == "queued"
    # Its number is known by now, so that its key may be forgotten.
    for later in (payout, long_ago(payout)):
        assert await gateway.find(later) == Missing(may_send=True)
    assert await gateway.send(long_ago(payout)) == Reported(Stage.SENT, payout.gateway_id)
    assert len(there.payouts(payout)) == 1


async def test_approving_again_does_nothing(there: House, gateway: Gateway) -> None:
    payout, _ = await settle(gateway, order())
    assert await gateway.send(payout) == Reported(Stage.SENT, payout.gateway_id)
    there.advance(SETTLES_S)
    assert await gateway.send(payout) == Reported(Stage.PAID, payout.gateway_id)
    assert [one["line_type"] for one in there.payouts(payout)[0]["lines"]].count("TRANSACTION") == 1


async def test_an_approver_who_says_no_is_heard(there: House, gateway: Gateway) -> None:
    payout = await created_only(there, order())
    there.http.post(
        "/iris/api/v1/payouts/reject",
        json={"reference_nos": [payout.gateway_id], "reject_reason": "no"},
        auth=("IRIS-approver-of-tests", ""),
    ).raise_for_status()
    for asking in (gateway.send, gateway.find):
        assert await asking(payout) == Reported(Stage.FAILED, payout.gateway_id, "rejected")


async def test_a_doubtful_failure_frees_nothing_for_the_money_may_be_gone(
    there: House, gateway: Gateway
) -> None:
    before_idr = await gateway.balance_idr()
    payout, _ = await settle(gateway, order("0011"))
    there.advance(SETTLES_S)
    assert await gateway.balance_idr() < before_idr - payout.amount_idr
    unsure = Unknown("It failed, and only a callback says why.", payout.gateway_id)
    assert await gateway.find(payout) == unsure
    # Sending again only approves again, and is told the same.
    assert await gateway.send(payout) == unsure
    # Nor does it end when its number was lost, and it is found in the statements.
    assert await gateway.find(long_ago(replace(payout, gateway_id=""))) == unsure
    told = [read(gateway, one) for one in there.calls(payout, 3)]
    assert Reported(Stage.SENT, payout.gateway_id, "005") in [one.report for one in told if one]
    assert Stage.FAILED not in {one.report.stage for one in told if one}


async def test_with_a_key_that_may_be_forgotten_nothing_is_sent(
    there: House, gateway: Gateway
) -> None:
    payout = long_ago(order())
    assert isinstance(await gateway.send(payout), Unknown)
    assert await gateway.find(payout) == Missing(may_send=False)
    assert there.payouts(payout) == []


async def test_what_can_never_be_taken_is_not_looked_for(gateway: Gateway) -> None:
    for payout in (
        replace(order(), channel_code="DANA", account_number="BCA"),
        replace(order(), channel_code="BANK_OF_NOWHERE"),
    ):
        assert await gateway.find(long_ago(payout)) == Missing(may_send=False)


async def test_without_its_first_instant_nobody_knows_whether_the_key_is_kept(
    gateway: Gateway,
) -> None:
    assert await gateway.find(replace(order(), first_sent_at=None)) == Missing(may_send=False)


async def test_a_paid_one_whose_number_was_lost_is_found_in_the_statements(
    there: House, gateway: Gateway
) -> None:
    first = order(amount_idr=77_000)
    twins = [(await settle(gateway, replace(first, key=order().key)))[0] for _ in range(3)]
    there.advance(SETTLES_S)
    # Of the same amount to the same account: only the notes tell them apart.
    for payout in twins:
        lost = long_ago(replace(payout, gateway_id=""))
        assert await gateway.find(lost) == Reported(Stage.PAID, payout.gateway_id)
    assert await gateway.find(long_ago(first)) == Missing(may_send=False)


async def test_a_key_is_forgotten_after_a_day(there: House) -> None:
    """Why the adapter has to go by the first instant: without, there would be two."""
    payout = await created_only(there, order())
    there.advance(24 * 3600 + 1)
    await created_only(there, replace(payout, gateway_id=""))
    assert len(there.payouts(payout)) == 2
    assert {one["status"] for one in there.payouts(payout)} == {"queued"}


async def test_it_says_whose_an_account_is(there: House, gateway: Gateway) -> None:
    there.do("holders", account="5551234567", name="SITI NURAINI")
    assert await gateway.holder_of("BCA", "555-123-4567") == "SITI NURAINI"
    assert await gateway.holder_of("BCA", "5551230001") is None
    assert await gateway.holder_of("BCA", "BCA 555") is None
    with pytest.raises(NamesNotTold):
        await gateway.holder_of("DANA", "08123456789")


async def test_names_are_not_told_by_xendit_or_by_nobody() -> None:
    xendit, nobody = (adapter(kind, "http://127.0.0.1:1") for kind in ("xendit", "iris"))
    with pytest.raises(NamesNotTold):
        await xendit.holder_of("BCA", "5551234567")
    with pytest.raises(GatewayNotReached):
        await nobody.holder_of("BCA", "5551234567")
    await xendit.close()
    await nobody.close()


async def test_a_lost_creation_pays_nothing_until_it_is_sent_again(there: House) -> None:
    hasty = adapter("iris", there.url, timeout_s=0.3)
    payout = order("0004")
    assert await hasty.send(payout) == Unknown("TimeoutError")
    there.advance(3 * SETTLES_S)
    assert there.payouts(payout)[0]["status"] == "queued"
    assert await hasty.find(payout) == Missing(may_send=True)
    await hasty.close()


async def test_a_creation_that_is_refused_says_nothing_of_an_earlier_one(
    there: House, gateway: Gateway
) -> None:
    hasty = adapter("iris", there.url, timeout_s=0.3)
    payout = order("0004")
    assert await hasty.send(payout) == Unknown("TimeoutError")
    await hasty.close()
    there.do("burst", count=1)
    assert await gateway.find(payout) == Missing(may_send=True)
    assert isinstance(await gateway.send(payout), Refused)
    assert there.payouts(payout)[0]["status"] == "queued"


async def test_a_name_without_latin_letters_is_refused(gateway: Gateway) -> None:
    refused = await gateway.send(replace(order(), account_holder_name="王芳"))
    assert refused == Refused("400", try_again=False)
