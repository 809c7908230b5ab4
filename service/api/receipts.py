"""Receipts over HTTP: as JSON with proof, as a short text, and as a QR code."""

import base64
from datetime import datetime
from io import BytesIO
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from service import sealing
from service.api.dependencies import CurrentParts, Reader, ReadSession
from service.api.errors import documented, language_of
from service.api.fields import WeighingView
from service.api.seals import PageSealView, page_view
from service.auth import NoValidToken
from service.errors import NoSuchThing, in_words
from service.keys import Keys
from service.ledger.chart import IDR
from service.sealing import Proven, Receipt

router = APIRouter(prefix="/v1/receipts", tags=["seals"])

_UNSEALED = {
    "en": "Not sealed yet: the proof is there within a minute. Ask for the receipt again.",
    "id": "Belum disegel: buktinya ada dalam satu menit. Mintalah kuitansi ini lagi.",
}
_KINDS = {
    "pickup": {"en": "Pickup", "id": "Setoran jemput"},
    "dropoff": {"en": "Drop-off", "id": "Setoran langsung"},
    "payout_hold": {"en": "Payout", "id": "Pencairan"},
    "payout": {"en": "Payout", "id": "Pencairan"},
}
_WORDS = {
    "en": {"credited": "Credited", "proof": "Proof", "page": "page"},
    "id": {"credited": "Masuk buku", "proof": "Bukti", "page": "halaman"},
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
    """What happened, in plain words, and the proof of each transfer once it is sealed."""

    form: str = "jumpa-madu/receipt/1"
    bank_id: UUID
    bank_name: str
    id: UUID
    kind: str
    at: datetime
    memo: str
    weighings: list[WeighingView]
    credited_idr: int | None
    sealed: bool
    note: str = Field(description="What is missing, if anything is")
    transfers: list[ProvenView]
    public_key: PublicKeyView | None


@router.get(
    "/{bank_id}/{act_id}",
    response_model=ReceiptView,
    responses={
        **documented(NoValidToken, NoSuchThing),
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
    form: Annotated[Literal["json", "text", "svg"], Query(alias="format")] = "json",
) -> Response | ReceiptView:
    """The receipt of a pickup, drop-off, payout or journal: one's own, or an officer's view.

    `format=text` is short enough for a message, `format=svg` a QR code of the same proof.
    """
    found = await sealing.receipt(session, caller, bank_id, act_id)
    language = language_of(request)
    if form == "text":
        return Response(in_text(found, language, request.url.path), media_type="text/plain")
    if form == "svg":
        return Response(_drawn(compact(found, request.url.path)), media_type="image/svg+xml")
    return _view(found, parts.keys, language)


def in_text(receipt: Receipt, language: str, path: str) -> str:
    """A few lines that fit into a message."""
    words = _WORDS[language]
    local = receipt.at.astimezone(ZoneInfo(receipt.bank.time_zone))
    kind = _KINDS.get(receipt.kind, {}).get(language, receipt.kind)
    lines = [receipt.bank.name, f"{kind}, {local:%d-%m-%Y %H:%M}"]
    for line in receipt.weighings:
        grams, amount = in_words(line.grams, language), in_words(line.amount_idr, language)
        lines.append(f"{line.material} {grams} g = Rp{amount}")
    if receipt.credited_idr is not None:
        lines.append(f"{words['credited']}: Rp{in_words(receipt.credited_idr, language)}")
    else:
        lines += [
            f"Rp{in_words(one.amount, language)}" for one in receipt.transfers if one.unit == IDR
        ][:1]
    proof = next((one.proof for one in receipt.transfers if one.proof), None)
    if proof and receipt.is_sealed:
        head = proof.seal.head.hex()[:16]
        lines.append(f"{words['proof']}: {words['page']} {proof.seal.page}, {head}")
        lines.append(path)
    else:
        lines.append(_UNSEALED[language])
    return "\n".join(lines) + "\n"


def compact(receipt: Receipt, path: str) -> str:
    """What the QR code holds: a mark, bank, transfer, page, beginning of the head, address."""
    first = receipt.transfers[0]
    head = first.proof.seal.head.hex()[:16] if first.proof else "-"
    fields = first.fields
    return " ".join(
        ("JUMPA1", fields["bank_id"], fields["transfer_id"], fields["page"], head, path)
    )


def _drawn(text: str) -> bytes:
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", scale=4, xmldecl=False)
    return out.getvalue()


def _view(receipt: Receipt, keys: Keys, language: str) -> ReceiptView:
    return ReceiptView(
        bank_id=receipt.bank.id,
        bank_name=receipt.bank.name,
        id=receipt.about_id,
        kind=receipt.kind,
        at=receipt.at,
        memo=receipt.memo,
        weighings=[WeighingView(**line.model_dump()) for line in receipt.weighings],
        credited_idr=receipt.credited_idr,
        sealed=receipt.is_sealed,
        note="" if receipt.is_sealed else _UNSEALED[language],
        transfers=[_proven(one) for one in receipt.transfers],
        public_key=_public_key(receipt, keys),
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


def _public_key(receipt: Receipt, keys: Keys) -> PublicKeyView | None:
    """The key that the receipt's last page was signed with, if it is known here."""
    proofs = [one.proof for one in receipt.transfers if one.proof]
    if not proofs or proofs[-1].seal.key_id not in keys.of_seals:
        return None
    key_id = proofs[-1].seal.key_id
    raw = keys.of_seals[key_id].public_bytes_raw()
    return PublicKeyView(key_id=key_id, raw=base64.b64encode(raw).decode())
