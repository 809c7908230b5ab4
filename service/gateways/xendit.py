"""Xendit, its Payouts API of version 2."""

import hmac
from collections.abc import Mapping, Sequence

import httpx

from service.gateways import (
    Answer,
    Channel,
    Finding,
    GatewayNotReached,
    Missing,
    NamesNotTold,
    NotGenuine,
    Notice,
    NotReadable,
    Order,
    Refused,
    Reported,
    Unknown,
)
from service.gateways.accounts import XenditAccount
from service.gateways.amounts import whole_rupiah, with_vat
from service.gateways.coverage import covered, covered_by
from service.gateways.destinations import AccountNotValid, account_number, holder_name
from service.gateways.failures import NO_SUCH_DESTINATION
from service.gateways.reading import as_list, as_object, id_in, object_in
from service.gateways.stages import (
    WITHOUT_PAYMENT,
    XENDIT_EMPTY,
    XENDIT_PASSING,
    XENDIT_REFUSALS,
    XENDIT_STAGES,
)
from service.gateways.wire import Heard, NotAnswered, NotSent, Wire

# Nothing is wrong with the payout: the operator has to mend the account's key or its rights.
_NOT_ALLOWED = (401, 403)


class XenditGateway:
    """One account at Xendit. A key is kept for ever there, so sending again never pays twice."""

    def __init__(self, account: XenditAccount, client: httpx.AsyncClient) -> None:
        self.name = account.name
        self._account = account
        self._client = client
        self._key = account.secret_key.get_secret_value()
        self._wire = Wire(client, account.base_url, account.timeout_s, self._for_user)

    async def channels(self) -> Sequence[Channel]:
        """Where it can pay to, with the limits that it tells. Raises GatewayNotReached."""
        heard = await self._read("/payouts_channels", {"currency": "IDR"})
        told = [self._channel(as_object(one)) for one in as_list(heard.body)]
        ours = [one for one in told if one is not None]
        if not ours:
            raise GatewayNotReached("It tells no channel that can be read.")
        return ours

    async def send(self, order: Order) -> Answer:
        """Ask for the payout; the same key never pays twice."""
        try:
            body = _asked(order)
        except (AccountNotValid, KeyError):
            return Refused(NO_SUCH_DESTINATION, try_again=False)
        key = {"Idempotency-key": order.key}
        try:
            heard = await self._wire.ask(
                "POST", "/v2/payouts", key=self._key, headers=key, body=body
            )
        except NotSent as error:
            return Refused(str(error), try_again=True)
        except NotAnswered as error:
            return Unknown(str(error))
        return _taken(heard, order) if heard.is_ok else _not_taken(heard)

    async def find(self, order: Order) -> Finding:
        """How far the payout is, by its reference; changes nothing."""
        try:
            heard = await self._read("/v2/payouts", {"reference_id": order.key})
        except GatewayNotReached as error:
            return Unknown(str(error))
        found = heard.fields.get("data")
        if found == []:
            return Missing(may_send=True)
        if not isinstance(found, list) or len(found) != 1:
            return Unknown("Not one payout has our reference.")
        return _reported(as_object(found[0]), order) or Unknown("It tells of another payout.")

    async def balance_idr(self) -> int:
        """What the float holds there. Raises GatewayNotReached."""
        heard = await self._read("/balance", {"account_type": "CASH", "currency": "IDR"})
        balance = whole_rupiah(heard.fields.get("balance"))
        if balance is None:
            raise GatewayNotReached("It tells no balance.")
        return balance

    async def holder_of(self, channel_code: str, account_number: str) -> str | None:
        """Raises NamesNotTold: this version of the API has no such service."""
        raise NamesNotTold

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify the token, then read. Raises NotGenuine or NotReadable."""
        token = headers.get("x-callback-token", "").encode(errors="backslashreplace")
        wanted = self._account.callback_secret.get_secret_value().encode()
        if not hmac.compare_digest(token, wanted):
            raise NotGenuine
        return self.read_notice(body)

    def read_notice(self, body: bytes) -> Notice:
        """Read what was verified before. Raises NotReadable."""
        told = object_in(body)
        payout = as_object(told.get("data"))
        if not str(told.get("event")).startswith("payout."):
            raise NotReadable
        return _notice(payout)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    @property
    def _for_user(self) -> Mapping[str, str]:
        account = self._account.sub_account
        return {"for-user-id": account} if account else {}

    async def _read(self, path: str, query: Mapping[str, str]) -> Heard:
        heard = await self._wire.read(path, key=self._key, query=query)
        if not heard.is_ok:
            raise GatewayNotReached(f"It answered {heard.status}.")
        return heard

    def _channel(self, told: Mapping[str, object]) -> Channel | None:
        ours = covered_by("xendit").get(id_in(told, "channel_code"))
        limits = as_object(told.get("amount_limits"))
        lowest, highest = whole_rupiah(limits.get("minimum")), whole_rupiah(limits.get("maximum"))
        if ours is None or lowest is None or highest is None:
            return None
        fee_idr = with_vat(self._account.fee_idr, self._account.vat_permille)
        return Channel(ours.code, ours.name, ours.is_wallet, lowest, highest, fee_idr)


def _asked(order: Order) -> Mapping[str, object]:
    channel = covered()[order.channel_code]
    return {
        "reference_id": order.key,
        "channel_code": channel.codes["xendit"],
        "channel_properties": {
            "account_holder_name": holder_name(order.account_holder_name),
            "account_number": account_number(channel, order.account_number),
        },
        "amount": order.amount_idr,
        "currency": "IDR",
        "description": holder_name(order.description),
    }


def _taken(heard: Heard, order: Order) -> Answer:
    return _reported(heard.fields, order) or Unknown("It took something that can't be read.")


def _not_taken(heard: Heard) -> Answer:
    code = id_in(heard.fields, "error_code")
    if heard.status == 429:
        return Refused(code or "429", try_again=True, retry_after_s=heard.retry_after_s)
    if heard.status in _NOT_ALLOWED:
        return Refused(code or str(heard.status), try_again=True)
    if 400 <= heard.status < 500 and code == XENDIT_EMPTY:
        return Refused(code, try_again=True, float_empty=True)
    if 400 <= heard.status < 500 and code in XENDIT_REFUSALS:
        return Refused(code, try_again=False)
    return Unknown(f"It answered {heard.status} {code}".rstrip())


def _reported(payout: Mapping[str, object], order: Order) -> Reported | None:
    """What it says of this order; None if it can't be read, or speaks of something else."""
    same = (
        payout.get("reference_id") == order.key
        and whole_rupiah(payout.get("amount")) == order.amount_idr
    )
    return _report(payout) if same else None


def _report(payout: Mapping[str, object]) -> Reported | None:
    gateway_id = id_in(payout, "id")
    status = id_in(payout, "status")
    stage = XENDIT_STAGES.get(status)
    if not gateway_id or stage is None:
        return None
    failure = id_in(payout, "failure_code") or (status if stage in WITHOUT_PAYMENT else "")
    return Reported(
        stage,
        gateway_id,
        failure,
        try_again=failure in XENDIT_PASSING,
        float_empty=failure == XENDIT_EMPTY,
    )


def _notice(payout: Mapping[str, object]) -> Notice:
    report = _report(payout)
    if report is None:
        raise NotReadable
    amount_idr = whole_rupiah(payout.get("amount"))
    return Notice(id_in(payout, "reference_id"), report.gateway_id, amount_idr, report)
