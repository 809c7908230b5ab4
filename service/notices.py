"""What people are told when something happened to them, in their language."""

import json
from typing import Any
from uuid import UUID

from models.event import Event
from models.people import Person
from service.errors import in_words
from service.keys import Keys
from service.messages import Message

_WORDS: dict[str, tuple[str, str]] = {
    "pickup_listed": (
        "Penjemputan Anda sudah didaftarkan, perkiraan Rp{estimate_idr}."
        " Kode serah terima: {handover_code}. Sebutkan hanya kepada petugas yang datang ke rumah Anda.",
        "Your pickup is listed, worth about Rp{estimate_idr}."
        " Handover code: {handover_code}. Tell it only to the collector at your door.",
    ),
    "pickup_collected": (
        "Sampah Anda ditimbang: {grams} gram diterima, {rejected_grams} gram ditolak."
        " Rp{amount_idr} masuk ke buku tabungan.",
        "Your waste was weighed: {grams} grams taken, {rejected_grams} grams refused."
        " Rp{amount_idr} is in your passbook.",
    ),
    "dropoff_weighed": (
        "Setoran Anda ditimbang: {grams} gram diterima, {rejected_grams} gram ditolak."
        " Rp{amount_idr} masuk ke buku tabungan.",
        "Your drop-off was weighed: {grams} grams taken, {rejected_grams} grams refused."
        " Rp{amount_idr} is in your passbook.",
    ),
    "pickup_cancelled": (
        "Penjemputan dibatalkan. Alasan: {reason}.",
        "The pickup was cancelled. Reason: {reason}.",
    ),
    "pickup_expired": (
        "Penjemputan Anda berakhir tanpa dijemput. Silakan daftarkan lagi.",
        "Your pickup ended without being fetched. Please list it again.",
    ),
    "payout_requested": (
        "Permintaan pencairan Rp{amount_idr} diterima.",
        "Your request to be paid Rp{amount_idr} was received.",
    ),
    "payout_approved": (
        "Pencairan Rp{amount_idr} disetujui. Ambil tunai di bank sampah.",
        "Your payout of Rp{amount_idr} was approved. Fetch the cash at the waste bank.",
    ),
    "payout_paid": (
        "Rp{amount_idr} telah dibayarkan kepada Anda.",
        "Rp{amount_idr} has been paid to you.",
    ),
    "payout_rejected": (
        "Pencairan Rp{amount_idr} ditolak. Alasan: {reason}. Dana dikembalikan ke saldo Anda.",
        "Your payout of Rp{amount_idr} was refused. Reason: {reason}. Your balance is back.",
    ),
    "payout_cancelled": (
        "Pencairan Rp{amount_idr} dibatalkan. Dana dikembalikan ke saldo Anda.",
        "Your payout of Rp{amount_idr} was cancelled. Your balance is back.",
    ),
}


def notice_of(event: Event, person: Person, keys: Keys) -> Message | None:
    """The message an event makes for a person; None if nobody needs to hear of it."""
    words = _WORDS.get(event.kind)
    if words is None:
        return None
    body: dict[str, Any] = json.loads(event.body)
    if event.kind == "pickup_listed":
        body["handover_code"] = keys.handover_code(UUID(body["pickup_id"]))
    text = words[1] if person.language == "en" else words[0]
    return Message(
        to=person.phone,
        kind=event.kind,
        text=text.format(
            **{name: in_words(value, person.language) for name, value in body.items()}
        ),
        language=person.language,
        fields={name: str(value) for name, value in body.items()},
    )
