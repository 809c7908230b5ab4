"""Receipts over HTTP: as JSON with proof, as a short text, and as a QR code."""

import base64
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from models.people import Role
from service import sealing
from service.api import qr
from service.api.dependencies import CurrentParts, Reader, ReadSession
from service.api.errors import documented, language_of
from service.api.fields import WeighingView
from service.api.late import LateRoute
from service.api.looks import CurrentLooks
from service.api.seals import PageSealView, page_view
from service.auth import NoValidToken
from service.errors import NoSuchThing, NotAllowed, in_words
from service.keys import Keys
from service.ledger.acts import ACTS
from service.ledger.chart import IDR
from service.sealing import Proven, Receipt, State

router = APIRouter(prefix="/v1/receipts", tags=["seals"], route_class=LateRoute)

_UNSEALED = {
    "en": "Not sealed yet: the proof is there within a minute. Ask for the receipt again.",
    "id": "Belum disegel: buktinya ada dalam satu menit. Mintalah kuitansi ini lagi.",
}
_STATES = {
    State.HELD: {"en": "requested", "id": "diminta"},
    State.PAID: {"en": "paid", "id": "dibayar"},
    State.GIVEN_BACK: {"en": "not paid, given back", "id": "tidak dibayar, dikembalikan"},
    State.CORRECTED: {"en": "corrected", "id": "dikoreksi"},
}
_WORDS = {
    "en": {"credited": "Credited", "back": "Taken back", "proof": "Proof", "page": "page"},
    "id": {
        "credited": "Masuk buku",
        "back": "Ditarik kembali",
        "proof": "Bukti",
        "page": "halaman",
    },
}


class PublicKeyView(BaseModel):
    key_id: str
    raw: str


class ProvenView(BaseModel):
    """One transfer. `fields` is what is sealed of it, as docs/sealing.md says; with `index`,
    `path` (hexadecimal, the nearest first) and `page` anybody can work out the signed head."""

    debit: str
    credit: str
    amount: int
    unit: str
    fields: dict[str, str]
    index: int | None
    path: list[str] | None
    page: PageSealView | None


class ReceiptView(BaseModel):
    """What happened, in plain words, and the proof of each transfer once it is sealed.

    `assisted`: somebody else entered it for the resident, in the part that `assisted_by` names.
    `at` is when it was done, or a payout asked for, paid or given back; `credited_idr` and
    `taken_back_idr` are sums of the transfers for the one person they are all about. The first is
    null of what is no weighing, the second where a whole act was taken back that is several people's or
    nobody's, such as a sale that an officer looks at. `public_keys` are those the pages are signed with.
    """

    form: str = "jumpa-madu/receipt/1"
    bank_id: UUID
    bank_name: str
    id: UUID
    kind: str
    state: State
    at: datetime
    corrected_at: datetime | None
    memo: str
    assisted: bool
    assisted_by: Role | None
    weighings: list[WeighingView]
    credited_idr: int | None
    taken_back_idr: int | None
    sealed: bool
    note: str = Field(description="What is missing, if anything is")
    transfers: list[ProvenView]
    public_keys: list[PublicKeyView]


@router.get(
    "/{bank_id}/{act_id}",
    response_model=ReceiptView,
    responses={
        **documented(NoValidToken, NotAllowed, NoSuchThing),
        200: {"content": {"text/plain": {}, "image/svg+xml": {}}},
    },
)
async def receipt(  # noqa: PLR0913  One parameter a part of the request.
    *,
    bank_id: UUID,
    act_id: Annotated[UUID, Path(description="A pickup, drop-off, payout or journal")],
    request: Request,
    caller: Reader,
    session: ReadSession,
    parts: CurrentParts,
    looks: CurrentLooks,
    form: Annotated[Literal["json", "text", "svg"], Query(alias="format")] = "json",
) -> Response | ReceiptView:
    """The receipt of a pickup, drop-off, payout or journal: one's own, or an officer's view.

    `format=text` is short enough for a message, `format=svg` a QR code of the same proof.
    """
    found = await sealing.receipt(session, caller, bank_id, act_id)
    await looks.note("receipt", [(bank_id, found.resident_id)])
    language = language_of(request)
    if form == "text":
        return Response(in_text(found, language, request.url.path), media_type="text/plain")
    if form == "svg":
        return Response(qr.drawn(compact(found, request.url.path)), media_type="image/svg+xml")
    return as_json(found, parts.keys, language)


def in_text(receipt: Receipt, language: str, path: str) -> str:
    """A few lines that fit into a message."""
    lines = [receipt.bank.name, _what(receipt, language)]
    for line in receipt.weighings:
        grams, amount = in_words(line.grams, language), in_words(line.amount_idr, language)
        lines.append(f"{line.material} {grams} g = Rp{amount}")
    lines += [*_rupiah(receipt, language), *_proof(receipt, language, path)]
    return "\n".join(lines) + "\n"


def _rupiah(receipt: Receipt, language: str) -> Iterator[str]:
    """What it was about in rupiah, and that it was taken back."""
    words, amount = _WORDS[language], _amount_idr(receipt)
    if amount is not None:
        credited = f"{words['credited']}: " if receipt.is_credit else ""
        yield f"{credited}Rp{in_words(amount, language)}"
    if (at := receipt.outcome.corrected_at) is not None:
        back = receipt.outcome.taken_back_idr
        taken = f"Rp{in_words(back, language)}, " if back else ""
        yield f"{words['back']}: {taken}{_local(receipt, at)}"


def _amount_idr(receipt: Receipt) -> int | None:
    """What somebody got or gave; of a whole act that is several people's, all that it brought."""
    got = receipt.outcome.credited_idr
    if receipt.is_credit:
        return got
    moved = [one.amount for one in receipt.transfers if one.unit == IDR]
    if got is None:
        # What everybody gets is part of what the buyer owes, which is a transfer by itself.
        return max(moved, default=None)
    # Of what is only held, or was given back, nothing was got.
    return abs(got) or receipt.outcome.taken_back_idr or next(iter(moved), None)


def _proof(receipt: Receipt, language: str, path: str) -> Iterator[str]:
    words = _WORDS[language]
    proof = next((one.proof for one in receipt.transfers if one.proof), None)
    if proof and receipt.is_sealed:
        head = proof.seal.head.hex()[:16]
        yield f"{words['proof']}: {words['page']} {proof.seal.page}, {head}"
        yield path
    else:
        yield _UNSEALED[language]


def _what(receipt: Receipt, language: str) -> str:
    """What happened, how it ended, and when."""
    kind = ACTS[receipt.kind].title(language) if receipt.kind in ACTS else receipt.kind
    state = _STATES.get(receipt.outcome.state, {}).get(language)
    return ", ".join(part for part in (kind, state, _local(receipt, receipt.outcome.at)) if part)


def _local(receipt: Receipt, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(receipt.bank.time_zone)):%d-%m-%Y %H:%M}"


def compact(receipt: Receipt, path: str) -> str:
    """What the QR code holds: a mark, bank, transfer, page, beginning of the head, address."""
    first = receipt.transfers[0]
    head = first.proof.seal.head.hex()[:16] if first.proof else "-"
    fields = first.fields
    return " ".join(
        ("JUMPA1", fields["bank_id"], fields["transfer_id"], fields["page"], head, path)
    )


def as_json(receipt: Receipt, keys: Keys, language: str) -> ReceiptView:
    """Everything, with proofs and the public keys to check them."""
    return ReceiptView(
        bank_id=receipt.bank.id,
        bank_name=receipt.bank.name,
        id=receipt.about_id,
        kind=receipt.kind,
        state=receipt.outcome.state,
        at=receipt.outcome.at,
        corrected_at=receipt.outcome.corrected_at,
        memo=receipt.memo,
        assisted=receipt.helped is not None,
        assisted_by=receipt.helped.by if receipt.helped else None,
        weighings=[WeighingView(**line.model_dump()) for line in receipt.weighings],
        credited_idr=receipt.outcome.credited_idr if receipt.is_credit else None,
        taken_back_idr=receipt.outcome.taken_back_idr,
        sealed=receipt.is_sealed,
        note="" if receipt.is_sealed else _UNSEALED[language],
        transfers=[_proven(one) for one in receipt.transfers],
        public_keys=_public_keys(receipt, keys),
    )


def _proven(one: Proven) -> ProvenView:
    proof = one.proof
    return ProvenView(
        debit=one.debit,
        credit=one.credit,
        amount=one.amount,
        unit=one.unit,
        fields=one.fields,
        index=proof.index if proof else None,
        path=[step.hex() for step in proof.path] if proof else None,
        page=page_view(proof.seal) if proof else None,
    )


def _public_keys(receipt: Receipt, keys: Keys) -> list[PublicKeyView]:
    """The keys that the receipt's pages were signed with, as far as they are known here."""
    used = {one.proof.seal.key_id for one in receipt.transfers if one.proof}
    return [
        PublicKeyView(key_id=key_id, raw=base64.b64encode(key.public_bytes_raw()).decode())
        for key_id, key in keys.of_seals.items()
        if key_id in used
    ]
