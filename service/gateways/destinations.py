"""Account numbers, wallet numbers and names, in the forms that gateways take."""

import re
import unicodedata

from service.gateways.coverage import Covered

_BETWEEN = re.compile(r"[\s.\-]+")
_PHONE = re.compile(r"(?:\+?62|0)?(8[0-9]{7,12})", re.ASCII)
_DIGITS = re.compile(r"[0-9]{4,34}", re.ASCII)
_PLAIN = re.compile(r"[^A-Za-z0-9 ]+")


class AccountNotValid(ValueError):
    """No account of that bank or wallet can have this number; the words don't repeat it."""


def account_number(channel: Covered, text: str) -> str:
    """Digits only: 08… for a wallet, whatever way its phone was written. Raises AccountNotValid."""
    digits = national_phone(text) if channel.is_wallet else _BETWEEN.sub("", text)
    if not _DIGITS.fullmatch(digits):
        raise AccountNotValid(f"An account at {channel.name} has a number of digits only.")
    return digits


def fitting_account_number(channel: Covered, text: str) -> str:
    """The same, of a length that the bank's accounts have. Raises AccountNotValid."""
    digits = account_number(channel, text)
    if not channel.shortest <= len(digits) <= channel.longest:
        span = f"{channel.shortest} to {channel.longest}"
        length = span if channel.shortest < channel.longest else str(channel.shortest)
        raise AccountNotValid(f"An account at {channel.name} has {length} digits.")
    return digits


def national_phone(text: str) -> str:
    """An Indonesian mobile number as 08…, from +62, 62, 0 or 8. Raises AccountNotValid."""
    found = _PHONE.fullmatch(_BETWEEN.sub("", text))
    if found is None:
        raise AccountNotValid("A wallet has an Indonesian mobile number.")
    return f"0{found[1]}"


def holder_name(text: str, *, most: int = 100) -> str:
    """A name on one line, without what can't be printed, cut to `most` characters."""
    composed = unicodedata.normalize("NFC", text)
    shown = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in composed)
    return " ".join(shown.split())[:most].rstrip()


def plain_words(text: str, *, most: int = 100) -> str:
    """Letters A to Z, digits and single spaces only; accents are dropped, the rest parts words."""
    parted = unicodedata.normalize("NFKD", text)
    base = "".join(one for one in parted if not unicodedata.combining(one))
    return " ".join(_PLAIN.sub(" ", base).split())[:most].rstrip()
