"""Whole rupiah, as gateways write them: 50000 here, "50000.00" there."""

import re
from decimal import Decimal

_WRITTEN = re.compile(r"([0-9]{1,15})(?:\.0{1,2})?", re.ASCII)


def with_decimals(amount_idr: int) -> str:
    """The amount with two decimals, which are always zero."""
    return f"{amount_idr}.00"


def whole_rupiah(value: object) -> int | None:
    """The amount that a gateway wrote as number or text; None if it is no whole rupiah.

    Numbers with a point have to come as Decimal: a float may have lost a rupiah already.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, Decimal):
        return _of_decimal(value)
    if isinstance(value, str) and (written := _WRITTEN.fullmatch(value)):
        return int(written[1])
    return None


def with_vat(fee_idr: int, vat_permille: int) -> int:
    """What a fee comes to with its VAT, half a rupiah up."""
    return fee_idr + vat_of(fee_idr, vat_permille)


def vat_of(fee_idr: int, vat_permille: int) -> int:
    """The VAT of a fee, half a rupiah up."""
    return (fee_idr * vat_permille + 500) // 1000


def _of_decimal(value: Decimal) -> int | None:
    # The bound comes first: 1E+999999999 would be written out digit by digit.
    if not value.is_finite() or not 0 <= value < 10**15 or value != value.to_integral_value():
        return None
    return int(value)
