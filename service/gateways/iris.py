"""Midtrans Iris: one key creates payouts, another approves them.

Nothing is paid before it is approved. So a payout whose creation was never answered pays
nothing, and is created again under its key; Iris keeps keys for 24 hours, this adapter
trusts them for 23. From the moment its `reference_no` is known, everything goes by that.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from service.gateways import (
    Answer,
    Channel,
    Finding,
    GatewayNotReached,
    Missing,
    NotGenuine,
    Notice,
    NotReadable,
    Order,
    Refused,
    Reported,
    Stage,
    Unknown,
    iris_orders,
)
from service.gateways.accounts import IrisAccount
from service.gateways.amounts import whole_rupiah, with_vat
from service.gateways.coverage import covered_by
from service.gateways.destinations import AccountNotValid, plain_words
from service.gateways.failures import NO_SUCH_DESTINATION
from service.gateways.reading import as_list, as_object, id_in, object_in
from service.gateways.stages import (
    IRIS_DOUBTFUL,
    IRIS_EMPTY,
    IRIS_FAILED,
    IRIS_PASSING,
    IRIS_STAGES,
    WITHOUT_PAYMENT,
)
from service.gateways.wire import Heard, NotAnswered, NotSent, Wire

KEY_LASTS = timedelta(hours=23)
# Nothing is wrong with the payout: the operator has to mend the account's keys.
_NOT_ALLOWED = (401, 403)


class IrisGateway:
    """One account at Midtrans Iris. Its approver must not need a one-time password."""

    def __init__(self, account: IrisAccount, client: httpx.AsyncClient) -> None:
        self.name = account.name
        self._account = account
        self._client = client
        self._creator = account.creator_key.get_secret_value()
        self._approver = account.approver_key.get_secret_value()
        self._wire = Wire(client, account.base_url, account.timeout_s)

    async def channels(self) -> Sequence[Channel]:
        """Where it can pay to; it tells no limits, so they are ours. Raises GatewayNotReached."""
        heard = await self._read("/beneficiary_banks")
        banks = as_list(heard.fields.get("beneficiary_banks"))
        told = [id_in(as_object(one), "code") for one in banks]
        fee_idr = with_vat(self._account.fee_idr, self._account.vat_permille)
        ours = [covered_by("iris")[code] for code in told if code in covered_by("iris")]
        if not ours:
            raise GatewayNotReached("It tells no channel that can be read.")
        return [
            Channel(one.code, one.name, one.is_wallet, one.minimum_idr, one.maximum_idr, fee_idr)
            for one in ours
        ]

    async def send(self, order: Order) -> Answer:
        """Create and approve; goes on where an earlier call was cut off, and never pays twice.

        An Unknown names the `reference_no` as soon as there is one: with it in the order the
        payout is only ever approved, whose second time does nothing. Without it, and with a
        first try so long ago that the key may be forgotten, nothing is sent at all.
        """
        if order.gateway_id:
            return await self._approve(order.gateway_id)
        if order.first_sent_at is not None and not _is_kept(order.first_sent_at):
            return Unknown("Iris may have forgotten the key.")
        created = await self._create(order)
        return await self._approve(created) if isinstance(created, str) else created

    async def find(self, order: Order) -> Finding:
        """How far the payout is; changes nothing. There is no search by key.

        By `reference_no` if that is known. A queued payout waits for its approval, which only
        another send brings: Missing(may_send=True). If the number isn't known, the creation may
        be repeated while the key is kept, counted from `first_sent_at`: Missing(may_send=True).
        Nobody was asked for that, so it is no proof that nothing is under way; nor is a Refused
        of the repeated creation, for an earlier one may stand there all the same.
        After that it is looked for in the statements, where all that was paid stands; what
        isn't there is Missing(may_send=False), and so is all without `first_sent_at`: a person
        looks into Iris's dashboard, for it may still be queued there and approved by hand.

        A failed payout is Unknown: why it failed stands in callbacks only, and after 005 to 007
        the money may be gone all the same. Its callback ends it, or a person. One that was paid
        before has come back, for certain.
        """
        try:
            if order.gateway_id:
                return await self._found(order)
            if order.first_sent_at is None:
                return Missing(may_send=False)
            if _is_kept(order.first_sent_at):
                return Missing(may_send=True)
            return await self._paid_since(order, order.first_sent_at)
        except GatewayNotReached as error:
            return Unknown(str(error), order.gateway_id)
        except (AccountNotValid, KeyError):
            # Such a payout is never taken.
            return Missing(may_send=False)

    async def balance_idr(self) -> int:
        """What the float holds there. Raises GatewayNotReached."""
        balance = whole_rupiah((await self._read("/balance")).fields.get("balance"))
        if balance is None:
            raise GatewayNotReached("It tells no balance.")
        return balance

    async def holder_of(self, channel_code: str, account_number: str) -> str | None:
        """Whose account it is; None if there is none. Raises GatewayNotReached.

        Raises NamesNotTold for a bank or wallet that Iris doesn't know.
        """
        query = iris_orders.validated(channel_code, account_number)
        if query is None:
            return None
        heard = await self._wire.read("/account_validation", key=self._creator, query=query)
        if 400 <= heard.status < 500 and "account" in as_object(heard.fields.get("errors")):
            return None
        name = heard.fields.get("account_name")
        if not heard.is_ok or not isinstance(name, str):
            raise GatewayNotReached(f"It answered {heard.status}, and no name.")
        return plain_words(name)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify the signature, then read. Raises NotGenuine or NotReadable."""
        signature = headers.get("iris-signature", "").encode(errors="backslashreplace")
        key = self._account.callback_secret.get_secret_value().encode()
        if not hmac.compare_digest(signature, hashlib.sha512(body + key).hexdigest().encode()):
            raise NotGenuine
        return self.read_notice(body)

    def read_notice(self, body: bytes) -> Notice:
        """Read what was verified before. Raises NotReadable."""
        told = object_in(body)
        report = _told(told)
        if report is None:
            raise NotReadable
        return Notice("", report.gateway_id, whole_rupiah(told.get("amount")), report)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def _create(self, order: Order) -> str | Refused | Unknown:
        """The `reference_no` of the payout, made by this call or an earlier one."""
        try:
            body = iris_orders.asked(order)
        except (AccountNotValid, KeyError):
            return Refused(NO_SUCH_DESTINATION, try_again=False)
        key = {"X-Idempotency-Key": order.key}
        try:
            heard = await self._wire.ask(
                "POST", "/payouts", key=self._creator, headers=key, body=body
            )
        except NotSent as error:
            return Refused(str(error), try_again=True)
        except NotAnswered as error:
            return Unknown(str(error))
        return _created(heard) if heard.is_ok else _not_created(heard)

    async def _approve(self, reference: str) -> Answer:
        """Approve, unless it was: then it is told how far it is."""
        body = {"reference_nos": [reference]}
        try:
            heard = await self._wire.ask("POST", "/payouts/approve", key=self._approver, body=body)
        except (NotSent, NotAnswered) as error:
            return Unknown(str(error), reference)
        if heard.is_ok:
            return Reported(Stage.SENT, reference)
        why = f"The approval was answered {heard.status}."
        if heard.status == 429 or heard.status >= 500:
            return Unknown(why, reference)
        return await self._refused_to_approve(reference, why)

    async def _refused_to_approve(self, reference: str, why: str) -> Answer:
        try:
            payout = await self._payout(reference)
        except GatewayNotReached as error:
            return Unknown(str(error), reference)
        return Unknown(why, reference) if payout.get("status") == "queued" else _polled(payout)

    async def _found(self, order: Order) -> Finding:
        payout = await self._payout(order.gateway_id)
        if payout.get("status") == "queued":
            return Missing(may_send=True)
        if whole_rupiah(payout.get("amount")) != order.amount_idr:
            return Unknown("It tells of another payout.", order.gateway_id)
        return _polled(payout, was_paid=order.was_paid)

    async def _paid_since(self, order: Order, first: datetime) -> Finding:
        """The payout whose notes name our key, among what was paid of its amount."""
        query = {
            "from_date": f"{first.astimezone(UTC) - timedelta(days=1):%Y-%m-%d}",
            "to_date": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}",
        }
        lines = (await self._read("/statements", query)).body
        if not isinstance(lines, list):
            raise GatewayNotReached("It tells no statement.")
        for reference in iris_orders.fitting(order, lines):
            payout = await self._payout(reference)
            if payout.get("notes") == iris_orders.notes(order):
                return _polled(payout)
        return Missing(may_send=False)

    async def _payout(self, reference: str) -> Mapping[str, object]:
        payout = (await self._read(f"/payouts/{reference}")).fields
        if payout.get("reference_no") != reference:
            raise GatewayNotReached("It tells of another payout.")
        return payout

    async def _read(self, path: str, query: Mapping[str, str] | None = None) -> Heard:
        heard = await self._wire.read(path, key=self._creator, query=query)
        if not heard.is_ok:
            raise GatewayNotReached(f"It answered {heard.status}.")
        return heard


def _is_kept(first_sent_at: datetime) -> bool:
    return datetime.now(UTC) - first_sent_at < KEY_LASTS


def _created(heard: Heard) -> str | Unknown:
    payouts = as_list(heard.fields.get("payouts"))
    reference = id_in(as_object(payouts[0]), "reference_no") if len(payouts) == 1 else ""
    return reference or Unknown("It created something that can't be read.")


def _not_created(heard: Heard) -> Refused | Unknown:
    if heard.status == 429:
        return Refused("429", try_again=True, retry_after_s=heard.retry_after_s)
    if heard.status in _NOT_ALLOWED:
        return Refused(str(heard.status), try_again=True)
    if "not unique" in str(heard.fields.get("error_message")):
        return Unknown("Something else was created under this key.")
    # Its reasons are sentences, which may name the person: only the number is told.
    if heard.status == 400 and "errors" in heard.fields:
        return Refused("400", try_again=False)
    return Unknown(f"It answered {heard.status}.")


def _polled(payout: Mapping[str, object], *, was_paid: bool = False) -> Reported | Unknown:
    """What it says when it is asked; a failure that doesn't say why may have been paid."""
    report = _told(payout)
    if report is None:
        return Unknown("Its status can't be read.", id_in(payout, "reference_no"))
    if report.failure == IRIS_FAILED and not was_paid:
        return Unknown("It failed, and only a callback says why.", report.gateway_id)
    return report


def _told(payout: Mapping[str, object]) -> Reported | None:
    """What it says of a payout by itself.

    A failure without a code is that of a completed one which the bank sent back; its status
    stands for the code.
    """
    reference = id_in(payout, "reference_no")
    status = id_in(payout, "status")
    stage = IRIS_STAGES.get(status)
    if not reference or stage is None:
        return None
    failure = id_in(payout, "error_code") or (status if stage in WITHOUT_PAYMENT else "")
    if stage is Stage.FAILED and failure in IRIS_DOUBTFUL:
        return Reported(Stage.SENT, reference, failure)
    return Reported(
        stage,
        reference,
        failure,
        try_again=failure in IRIS_PASSING,
        float_empty=failure == IRIS_EMPTY,
    )
