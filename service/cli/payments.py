"""What a look finds about payouts: gateways, queues that stand still, what is in doubt."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection, func, select

from models.base import table_of, utc_now
from models.payout import GatewayCallback, GatewayFloat, Payout, PayoutStatus
from service.cli.findings import Finding, Level
from service.payouts import DOUBT_FOR
from service.settings import Settings

_CALLBACKS_WITHIN = timedelta(hours=1)
_payout, _float, _callback = table_of(Payout), table_of(GatewayFloat), table_of(GatewayCallback)


def gateways_of(settings: Settings) -> Finding:
    """Through which accounts payouts leave, if the file that names them can be read."""
    if settings.gateways is None:
        shown = (
            "the stand-in, which moves no money" if settings.plays_gateway else "none: cash only"
        )
        return Finding(Level.OK, "gateways", shown)
    # Only here: an ordinary look doesn't need it.
    from service.gateways.accounts import (  # noqa: PLC0415
        GatewaysFileNotReadable,
        read_accounts,
    )

    try:
        names = [account.name for account in read_accounts(settings.gateways)]
    except GatewaysFileNotReadable as error:
        return Finding(Level.FAIL, "gateways", str(settings.gateways), str(error))
    return Finding(Level.OK, "gateways", ", ".join(names) or "none in the file")


def look(connection: Connection) -> Iterator[Finding]:
    """Everything about payouts that waits for a person."""
    yield _stopped(connection)
    yield _in_doubt(connection)
    yield _unhandled(connection)


def _stopped(connection: Connection) -> Finding:
    query = select(_float.c.bank_id, _float.c.gateway, _float.c.stopped_why).where(
        _float.c.bank_id.is_not(None), _float.c.stopped_at.is_not(None)
    )
    stopped = [f"{row.gateway} ({row.stopped_why})" for row in connection.execute(query)]
    if stopped:
        advice = "A treasurer tops the float up, or lets the queue go on: GET …/floats."
        return Finding(Level.WARN, "transfers", f"stand still at {', '.join(stopped)}", advice)
    return Finding(Level.OK, "transfers", "no queue stands still")


def _in_doubt(connection: Connection) -> Finding:
    before = utc_now() - DOUBT_FOR
    query = select(func.count(_payout.c.bank_id)).where(
        _payout.c.status == PayoutStatus.UNKNOWN, _payout.c.unknown_at < before
    )
    count = connection.execute(query).scalar_one()
    if count:
        advice = "Look into the gateway's report; then POST /v1/payouts/{id}/decide."
        return Finding(Level.WARN, "in doubt", f"{count} payouts for more than a day", advice)
    return Finding(Level.OK, "in doubt", "no payout for more than a day")


def _unhandled(connection: Connection) -> Finding:
    before = utc_now() - _CALLBACKS_WITHIN
    query = select(func.count(_callback.c.id)).where(
        _callback.c.handled_at.is_(None), _callback.c.received_at < before
    )
    count = connection.execute(query).scalar_one()
    if count:
        advice = "Is a worker running? Its log says why they could not be handled."
        return Finding(Level.WARN, "callbacks", f"{count} wait for more than an hour", advice)
    return Finding(Level.OK, "callbacks", "none waits")
