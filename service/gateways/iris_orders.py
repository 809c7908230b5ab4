"""What Iris is asked, in the words that it wants."""

from collections.abc import Mapping, Sequence

from service.gateways import NamesNotTold, Order
from service.gateways.amounts import whole_rupiah, with_decimals
from service.gateways.coverage import covered
from service.gateways.destinations import AccountNotValid, account_number, plain_words
from service.gateways.reading import as_object, id_in

_LONGEST = 100


def asked(order: Order) -> Mapping[str, object]:
    """The body that creates a payout. Raises AccountNotValid, or KeyError where it can't go."""
    channel = covered()[order.channel_code]
    payout = {
        "beneficiary_name": plain_words(order.account_holder_name),
        "beneficiary_account": account_number(channel, order.account_number),
        "beneficiary_bank": channel.codes["iris"],
        "amount": with_decimals(order.amount_idr),
        "notes": notes(order),
    }
    return {"payouts": [payout]}


def notes(order: Order) -> str:
    """What it is for, with our key at the end: the only field in which Iris keeps it."""
    key = plain_words(order.key, most=_LONGEST).replace(" ", "")
    return f"{plain_words(order.description, most=_LONGEST - 1 - len(key))} {key}".strip()


def fitting(order: Order, lines: Sequence[object]) -> Sequence[str]:
    """What may be this payout, in lines that name neither its key nor its notes."""
    digits = account_number(covered()[order.channel_code], order.account_number)
    found = {
        id_in(line, "reference_no")
        for line in map(as_object, lines)
        if whole_rupiah(line.get("amount")) == order.amount_idr
        and line.get("beneficiary_account", digits) == digits
    }
    return sorted(found - {""})


def validated(channel_code: str, text: str) -> Mapping[str, str] | None:
    """The query for a holder's name; None for what is no account. Raises NamesNotTold."""
    channel = covered().get(channel_code)
    if channel is None or "iris" not in channel.codes:
        raise NamesNotTold
    try:
        return {"bank": channel.codes["iris"], "account": account_number(channel, text)}
    except AccountNotValid:
        return None
