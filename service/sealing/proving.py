"""Checks a receipt by itself: no database, no settings, nothing but a public key."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.keys import key_id_of
from service.ledger import Place
from service.sealing import figures
from service.sealing.canonical import FIELDS, leaf_of
from service.sealing.heads import PAGE_FORM, PageFacts, is_signed, page_message
from service.sealing.merkle import root_from

_ById = Mapping[str, Ed25519PublicKey]


class NoReceipt(ValueError):
    """The text is no receipt of this form."""


@dataclass
class Proof:
    """What came out: how many transfers were looked at, with which keys, and what is wrong."""

    transfers: int = 0
    key_ids: list[str] = field(default_factory=list)
    is_sealed: bool = True
    problems: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """What is proven, a line a transfer."""


def prove(receipt: Mapping[str, Any], keys: Sequence[Ed25519PublicKey]) -> Proof:
    """Check every transfer of a receipt against these keys, or, of none, those inside it.

    Each page says which of them it was signed with. Raises NoReceipt.
    """
    try:
        return _prove(receipt, keys)
    except _NOT_OF_THIS_SHAPE as error:
        raise NoReceipt(f"This is no receipt: {error}") from error


_NOT_OF_THIS_SHAPE = (
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
    binascii.Error,
)


def _prove(receipt: Mapping[str, Any], keys: Sequence[Ed25519PublicKey]) -> Proof:
    if not receipt["sealed"]:
        return Proof(is_sealed=False)
    by_id = {key_id_of(key): key for key in keys or _keys_inside(receipt)}
    transfers = receipt["transfers"]
    used = sorted({transfer["page"]["key_id"] for transfer in transfers})
    result = Proof(transfers=len(transfers), key_ids=used)
    if not transfers:
        result.problems.append("the receipt has no transfers")
    seen = set()
    for transfer in transfers:
        one = transfer["fields"]["transfer_id"]
        again = "it is listed more than once" if one in seen else None
        seen.add(one)
        result.shown.append(_line(transfer))
        if problem := again or _problem_of(receipt, transfer, by_id):
            result.problems.append(f"transfer {one}: {problem}")
    if not result.problems:
        result.problems += figures.problems_of(receipt)
    return result


def _line(transfer: Mapping[str, Any]) -> str:
    fields = transfer["fields"]
    at = datetime.fromtimestamp(int(fields["event_at"]) / 1_000_000, UTC)
    moved = f"{transfer['amount']} {transfer['unit']}"
    sides = f"debit {transfer['debit']}, credit {transfer['credit']}"
    return f"{at:%Y-%m-%d %H:%M:%SZ} {fields['kind']} {moved}: {sides}"


def _keys_inside(receipt: Mapping[str, Any]) -> list[Ed25519PublicKey]:
    raws = [base64.b64decode(key["raw"], validate=True) for key in receipt["public_keys"]]
    return [Ed25519PublicKey.from_public_bytes(raw) for raw in raws]


def _problem_of(receipt: Mapping[str, Any], transfer: Mapping[str, Any], keys: _ById) -> str | None:
    return _problem_of_words(receipt, transfer) or _problem_of_seal(receipt, transfer, keys)


def _problem_of_words(receipt: Mapping[str, Any], transfer: Mapping[str, Any]) -> str | None:
    """Whether what people read of a transfer is what its fields say."""
    fields, page = transfer["fields"], transfer["page"]
    if page["form"] not in range(1, PAGE_FORM + 1):
        return f"its form {page['form']} is not known here"
    if set(fields) != set(FIELDS) or not all(isinstance(one, str) for one in fields.values()):
        return "its fields are not those of the form"
    if fields["page"] != str(page["page"]) or fields["bank_id"] != UUID(receipt["bank_id"]).hex:
        return "it is of another page or bank than its proof"
    shown = {"amount": str(transfer["amount"]), "unit": transfer["unit"]}
    for side in ("debit", "credit"):
        place = Place(transfer[side], unit=transfer["unit"])
        shown[f"{side}_account_id"] = place.id_in(UUID(receipt["bank_id"])).hex
    is_number = type(transfer["amount"]) is int
    if not is_number or any(fields[name] != value for name, value in shown.items()):
        return "what is shown of it is not what its fields say"
    return None


def _problem_of_seal(
    receipt: Mapping[str, Any], transfer: Mapping[str, Any], keys: _ById
) -> str | None:
    """Whether the fields lead over leaf, path and head to the signature."""
    page = transfer["page"]
    leaf = leaf_of([transfer["fields"][name] for name in FIELDS])
    path = [bytes.fromhex(step) for step in transfer["path"]]
    root = root_from(leaf, transfer["index"], page["transfers"], path)
    if root is None or root.hex() != page["root"]:
        return "what it says is not what was sealed: leaf and path do not lead to the root"
    previous = bytes.fromhex(page["previous"])
    audited = (page["audit_entries"], bytes.fromhex(page["audit_root"])) if page["form"] > 1 else ()
    facts = PageFacts(
        UUID(receipt["bank_id"]), page["page"], page["transfers"], root, previous, *audited
    )._replace(form=page["form"])
    if facts.head().hex() != page["head"]:
        return "the head of its page is not made of this root"
    key = keys.get(page["key_id"])
    if key is None:
        return f"its page is signed with another key, {page['key_id']}"
    if not is_signed(
        key, base64.b64decode(page["signature"], validate=True), page_message(facts.head())
    ):
        return "the head of its page is not signed with this key"
    return None
