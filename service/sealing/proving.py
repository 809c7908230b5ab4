"""Checks a receipt by itself: no database, no settings, nothing but a public key."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.keys import key_id_of
from service.ledger import Place
from service.sealing.canonical import FIELDS, FORM, leaf_of
from service.sealing.heads import PageFacts, is_signed, page_message
from service.sealing.merkle import root_from


class NoReceipt(ValueError):
    """The text is no receipt of this form."""


@dataclass
class Proof:
    """What came out: how many transfers were looked at, with which key, and what is wrong."""

    transfers: int = 0
    key_id: str = ""
    is_sealed: bool = True
    problems: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """What is proven, a line a transfer."""


def prove(receipt: Mapping[str, Any], key: Ed25519PublicKey | None) -> Proof:
    """Check every transfer of a receipt against the key, or against the key inside it.

    Raises NoReceipt.
    """
    try:
        return _prove(receipt, key)
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise NoReceipt(f"This is no receipt: {error}") from error


def _prove(receipt: Mapping[str, Any], key: Ed25519PublicKey | None) -> Proof:
    if not receipt["sealed"]:
        return Proof(is_sealed=False)
    used = key or _key_inside(receipt)
    result = Proof(transfers=len(receipt["transfers"]), key_id=key_id_of(used))
    if not receipt["transfers"]:
        result.problems.append("the receipt has no transfers")
    for transfer in receipt["transfers"]:
        problem = _problem_of(receipt, transfer, used)
        result.shown.append(_line(transfer))
        if problem:
            result.problems.append(f"transfer {transfer['fields']['transfer_id']}: {problem}")
    return result


def _line(transfer: Mapping[str, Any]) -> str:
    fields = transfer["fields"]
    at = datetime.fromtimestamp(int(fields["event_at"]) / 1_000_000, UTC)
    moved = f"{transfer['amount']} {transfer['unit']}"
    return f"{at:%Y-%m-%d %H:%M:%SZ} {fields['kind']} {moved}: {transfer['credit']} -> {transfer['debit']}"


def _key_inside(receipt: Mapping[str, Any]) -> Ed25519PublicKey:
    raw = base64.b64decode(receipt["public_key"]["raw"], validate=True)
    return Ed25519PublicKey.from_public_bytes(raw)


def _problem_of(
    receipt: Mapping[str, Any], transfer: Mapping[str, Any], key: Ed25519PublicKey
) -> str | None:
    return _problem_of_words(receipt, transfer) or _problem_of_seal(receipt, transfer, key)


def _problem_of_words(receipt: Mapping[str, Any], transfer: Mapping[str, Any]) -> str | None:
    """Whether what people read of a transfer is what its fields say."""
    fields, page = transfer["fields"], transfer["page"]
    if page["form"] != FORM:
        return f"its form {page['form']} is not known here"
    if set(fields) != set(FIELDS) or not all(isinstance(one, str) for one in fields.values()):
        return "its fields are not those of the form"
    if fields["page"] != str(page["page"]) or fields["bank_id"] != UUID(receipt["bank_id"]).hex:
        return "it is of another page or bank than its proof"
    shown = {"amount": str(transfer["amount"]), "unit": transfer["unit"]}
    for side in ("debit", "credit"):
        place = Place(transfer[side], unit=transfer["unit"])
        shown[f"{side}_account_id"] = place.id_in(UUID(receipt["bank_id"])).hex
    if any(fields[name] != value for name, value in shown.items()):
        return "what is shown of it is not what its fields say"
    return None


def _problem_of_seal(
    receipt: Mapping[str, Any], transfer: Mapping[str, Any], key: Ed25519PublicKey
) -> str | None:
    """Whether the fields lead over leaf, path and head to the signature."""
    page = transfer["page"]
    leaf = leaf_of([transfer["fields"][name] for name in FIELDS])
    path = [bytes.fromhex(step) for step in transfer["path"]]
    root = root_from(leaf, transfer["index"], page["transfers"], path)
    if root is None or root.hex() != page["root"]:
        return "what it says is not what was sealed: leaf and path do not lead to the root"
    previous = bytes.fromhex(page["previous"])
    facts = PageFacts(UUID(receipt["bank_id"]), page["page"], page["transfers"], root, previous)
    if facts.head().hex() != page["head"]:
        return "the head of its page is not made of this root"
    if not is_signed(
        key, base64.b64decode(page["signature"], validate=True), page_message(facts.head())
    ):
        return "the head of its page is not signed with this key"
    return None
