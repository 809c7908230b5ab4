"""What people read on a receipt, compared with the transfers that are proven on it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from service.ledger.chart import IDR
from service.sealing.outcome import whose_is

NOT_PROVEN = (
    "the name of the bank; who helped; prices, conditions, rejected grams and reasons of a weighing, and how"
    " its rupiah divide over the lines (of shared goods, the rupiah as well); and that nothing"
    " else happened that is not on the receipt"
)
"""What no transfer says, for the person who checks."""

_FORM = "jumpa-madu/receipt/1"
_STATES = {"settle": "paid", "void": "given_back", "hold": "held"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Transfer = Mapping[str, Any]


def problems_of(receipt: Mapping[str, Any]) -> Iterator[str]:
    """Each figure that is not what the receipt's own transfers come to.

    The transfers themselves must have been proven before. Raises KeyError, TypeError or
    ValueError for what is no receipt.
    """
    transfers: list[_Transfer] = sorted(
        receipt["transfers"], key=lambda one: (one["fields"]["journal_id"], _id_of(one))
    )
    for name, expected in _expected(receipt, transfers).items():
        found = _micros(receipt[name]) if name.endswith("at") else receipt[name]
        if type(found) is not type(expected) or found != expected:
            yield f"{name} is {receipt[name]!r}, and the transfers say otherwise"
    if not _is_about(receipt["id"], transfers):
        yield "id is of none of the transfers"
    yield from _weighing_problems(receipt["weighings"], transfers)


def _expected(receipt: Mapping[str, Any], transfers: Sequence[_Transfer]) -> dict[str, Any]:
    back = [one for one in transfers if one["fields"]["reverses_id"]]
    first = [one for one in transfers if not one["fields"]["reverses_id"]]
    state, at = _decided(first or back)
    whose = _person_of(transfers)
    gained = _gained(first, whose)
    # Receipts of before had 0 there.
    is_nobodys = whose is None and bool(back) and receipt["taken_back_idr"] is None
    fields = transfers[0]["fields"]
    return {
        "form": _FORM,
        "kind": fields["journal_kind"],
        "memo": fields["memo"],
        "state": "corrected" if back else state,
        "at": at,
        "corrected_at": int(back[0]["fields"]["event_at"]) if back else None,
        "credited_idr": None if receipt["credited_idr"] is None else gained,
        "taken_back_idr": None if is_nobodys else abs(_gained(back, whose)),
        "sealed": True,
        "note": "",
    }


def _decided(transfers: Sequence[_Transfer]) -> tuple[str, int]:
    of_kind = {one["fields"]["kind"]: one for one in transfers}
    for kind, state in _STATES.items():
        if kind in of_kind:
            return state, int(of_kind[kind]["fields"]["event_at"])
    return "done", int(transfers[0]["fields"]["event_at"])


def _person_of(transfers: Sequence[_Transfer]) -> str | None:
    return whose_is((one["debit"], one["credit"]) for one in transfers)


def _gained(transfers: Sequence[_Transfer], whose: str | None) -> int:
    gained = 0
    for one in transfers:
        if one["unit"] == IDR and one["fields"]["kind"] in ("post", "settle"):
            gained += one["amount"] * (_is_of(one["credit"], whose) - _is_of(one["debit"], whose))
    return gained


def _is_of(code: str, whose: str | None) -> bool:
    return whose is not None and code.partition(":")[2] == whose


def _is_about(act: str, transfers: Sequence[_Transfer]) -> bool:
    named = act.replace("-", "")
    names = ("journal_id", "about_id", "reverses_id")
    return any(named == one["fields"][name] for one in transfers for name in names)


def _weighing_problems(
    weighings: Sequence[Mapping[str, Any]], transfers: Sequence[_Transfer]
) -> Iterator[str]:
    """Grams line by line, and rupiah in all where they were credited by this weighing."""
    taken = [
        one
        for one in transfers
        if not one["fields"]["reverses_id"] and one["credit"].startswith("source:")
    ]
    shown = Counter((line["material"], line["grams"]) for line in weighings if line["grams"])
    if shown != Counter((one["unit"].partition(":")[2], one["amount"]) for one in taken):
        yield "the grams of the weighings are not those of the transfers"
    journals = {one["fields"]["journal_id"] for one in taken}
    same = [one for one in transfers if one["fields"]["journal_id"] in journals]
    if any(one["credit"].startswith("goods:") for one in same):
        return
    if sum(line["amount_idr"] for line in weighings) != _gained(same, _person_of(transfers)):
        yield "the rupiah of the weighings are not those of the transfers"


def _micros(instant: str | None) -> int | None:
    if instant is None:
        return None
    return (datetime.fromisoformat(instant) - _EPOCH) // _MICROSECOND


def _id_of(transfer: _Transfer) -> str:
    return str(transfer["fields"]["transfer_id"])
