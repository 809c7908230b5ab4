"""What people are told when something happened to them, in their language."""

import json
from typing import Any
from uuid import UUID

from models.event import Event
from models.people import Person
from service.errors import in_words
from service.gateways import failures
from service.keys import Keys
from service.messages import Message

_WORDS: dict[str, tuple[str, str]] = {
    "pickup_listed": (
        "Penjemputan Anda sudah didaftarkan, perkiraan Rp{estimate_idr}."
        " Kode serah terima: {handover_code}. Sebutkan hanya kepada petugas yang datang ke rumah Anda.",
        "Your pickup is listed, worth about Rp{estimate_idr}."
        " Handover code: {handover_code}. Tell it only to the collector at your door.",
    ),
    "passbook_opened": (
        "Saldo Anda Rp{amount_idr} dari buku tabungan lama sudah tercatat di sini. Bila jumlahnya"
        " tidak sesuai, hubungi bank sampah.",
        "Your balance of Rp{amount_idr} from the passbook before stands here now. If it is not"
        " what it was, tell the waste bank.",
    ),
    "card_issued": (
        "Kartu buku tabungan dibuat untuk Anda; siapa pun yang menunjukkannya dapat bertindak atas nama"
        " Anda. Bila bukan Anda yang memintanya, segera hubungi bank sampah.",
        "A passbook card was made for you; whoever shows it can act for you. If you didn't ask for"
        " it, tell the waste bank at once.",
    ),
    "phone_changed": (
        "Nomor telepon akun Jumpa Madu Anda diganti; nomor ini tidak lagi dapat dipakai masuk ke akun itu."
        " Bukan Anda? Hubungi bank sampah sekarang.",
        "The phone number of your Jumpa Madu account was changed; this number no longer signs in"
        " to that account. Not you? Tell the waste bank now.",
    ),
    "pickup_collected": (
        "Sampah Anda ditimbang: {grams} gram diterima, {rejected_grams} gram ditolak."
        " Rp{amount_idr} masuk ke buku tabungan.",
        "Your waste was weighed: {grams} grams taken, {rejected_grams} grams refused."
        " Rp{amount_idr} is in your passbook.",
    ),
    "pickup_collected_pending": (
        "Sampah Anda ditimbang: {grams} gram diterima, {rejected_grams} gram ditolak."
        " Rp{amount_idr} dapat dicairkan setelah ditimbang ulang di bank sampah.",
        "Your waste was weighed: {grams} grams taken, {rejected_grams} grams refused."
        " Rp{amount_idr} can be paid out once it was weighed again at the waste bank.",
    ),
    "pickup_collected_goods": (
        "Sampah Anda ditimbang: {grams} gram diterima, {rejected_grams} gram ditolak."
        " Perkiraan Rp{amount_idr}; uangnya masuk ke buku tabungan setelah terjual.",
        "Your waste was weighed: {grams} grams taken, {rejected_grams} grams refused."
        " Worth about Rp{amount_idr}; the money reaches your passbook once it is sold.",
    ),
    "dropoff_weighed": (
        "Setoran Anda ditimbang: {grams} gram diterima, {rejected_grams} gram ditolak."
        " Rp{amount_idr} masuk ke buku tabungan.",
        "Your drop-off was weighed: {grams} grams taken, {rejected_grams} grams refused."
        " Rp{amount_idr} is in your passbook.",
    ),
    "dropoff_weighed_goods": (
        "Setoran Anda ditimbang: {grams} gram diterima, {rejected_grams} gram ditolak."
        " Perkiraan Rp{amount_idr}; uangnya masuk ke buku tabungan setelah terjual.",
        "Your drop-off was weighed: {grams} grams taken, {rejected_grams} grams refused."
        " Worth about Rp{amount_idr}; the money reaches your passbook once it is sold.",
    ),
    "goods_sold": (
        "Sampah Anda terjual: {grams} gram {material}."
        " Rp{amount_idr} masuk ke buku tabungan, termasuk bagi hasil Rp{share_idr}.",
        "Your waste was sold: {grams} grams of {material}."
        " Rp{amount_idr} is in your passbook, Rp{share_idr} of it a share of the profit.",
    ),
    "pickup_confirmed": (
        "Sampah Anda sudah ditimbang ulang di bank sampah. Rp{amount_idr} sekarang dapat dicairkan.",
        "Your waste was weighed again at the waste bank. Rp{amount_idr} can be paid out now.",
    ),
    "pickup_disputed": (
        "Hasil timbang ulang sampah Anda berbeda: {door_grams} gram di rumah,"
        " {station_grams} gram di bank sampah. Pengurus akan memutuskan.",
        "Your waste weighed differently at the waste bank: {door_grams} grams at the door,"
        " {station_grams} grams there. An officer will decide.",
    ),
    "load_disputed": (
        "Hasil timbang ulang muatan Anda berbeda: {door_grams} gram di rumah warga,"
        " {station_grams} gram di bank sampah. Pengurus akan memutuskan.",
        "Your load weighed differently at the waste bank: {door_grams} grams at the doors,"
        " {station_grams} grams there. An officer will decide.",
    ),
    "pickup_dispute_decided": (
        "Sengketa timbang diputuskan: yang berlaku timbangan di {decision}, {grams} gram"
        " senilai Rp{amount_idr}. Alasan: {reason}.",
        "The dispute is decided: the scale at the {decision} counts, {grams} grams"
        " worth Rp{amount_idr}. Reason: {reason}.",
    ),
    "load_dispute_decided": (
        "Sengketa timbang muatan Anda diputuskan: yang berlaku timbangan di {decision},"
        " {grams} gram. Alasan: {reason}.",
        "The dispute about your load is decided: the scale at the {decision} counts,"
        " {grams} grams. Reason: {reason}.",
    ),
    "pickup_waits_for_decision": (
        "Kode serah terima penjemputan terlalu sering salah. Hasil timbang {grams} gram"
        " disimpan dan menunggu keputusan: lihat penjemputan yang menunggu keputusan.",
        "The handover code of a pickup was wrong too often. Its weighing of {grams} grams"
        " is kept until an officer decides: see the pickups that wait for a decision.",
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
        "Pencairan Rp{amount_idr} disetujui. Ambil tunai di bank sampah dan sebutkan"
        " kode {payout_code} hanya saat menerima uang.",
        "Your payout of Rp{amount_idr} was approved. Fetch the cash at the waste bank and tell"
        " the code {payout_code} only when you get the money.",
    ),
    "payout_to_be_sent": (
        "Pencairan Rp{amount_idr} disetujui dan akan dikirim ke {channel}.",
        "Your payout of Rp{amount_idr} was approved and will be sent to {channel}.",
    ),
    "payout_arrived": (
        "Rp{receives_idr} telah dikirim ke {channel} Anda.",
        "Rp{receives_idr} has been sent to your {channel}.",
    ),
    "payout_failed": (
        "Pencairan Rp{amount_idr} ke {channel} gagal. Dana kembali ke saldo Anda. {why}",
        "Your payout of Rp{amount_idr} to {channel} failed. Your balance is back. {why}",
    ),
    "payout_reversed": (
        "Bank mengembalikan pencairan Rp{amount_idr} ke {channel}."
        " Dana kembali ke saldo Anda; periksa rekening Anda.",
        "The bank sent your payout of Rp{amount_idr} to {channel} back."
        " Your balance is back; check your account.",
    ),
    "destination_changed": (
        "Tujuan pencairan diubah ke {channel} {account}, berlaku {waits_h} jam lagi."
        " Bukan Anda? Hubungi bank sampah sekarang.",
        "The destination of payouts was changed to {channel} {account}, in {waits_h} hours."
        " Not you? Tell the waste bank now.",
    ),
    "float_empty": (
        "Saldo di {gateway} tidak cukup; pengiriman pencairan berhenti. Isi saldo, lalu lanjutkan.",
        "There is too little money at {gateway}; no payouts are sent. Top it up, then go on.",
    ),
    "payout_contradicted": (
        "Gerbang bayar melaporkan akhir yang lain untuk pencairan Rp{amount_idr} ({status})."
        " Cocokkan dengan mutasi hari ini.",
        "The gateway reports another end of a payout of Rp{amount_idr} ({status})."
        " Reconcile it with today's statement.",
    ),
    "payout_paid": (
        "Rp{amount_idr} telah dibayarkan kepada Anda.",
        "Rp{amount_idr} has been paid to you.",
    ),
    "payout_rejected": (
        "Pencairan Rp{amount_idr} ditolak. Alasan: {reason}. Dana dikembalikan ke saldo Anda.",
        "Your payout of Rp{amount_idr} was refused. Reason: {reason}. Your balance is back.",
    ),
    "payout_expired": (
        "Pencairan Rp{amount_idr} tidak disetujui sampai batas waktunya."
        " Dana dikembalikan ke saldo Anda; Anda dapat memintanya lagi.",
        "Your payout of Rp{amount_idr} was not approved in time."
        " Your balance is back; you can ask for it again.",
    ),
    "passbook_reduced": (
        "Koreksi buku tabungan: Rp{amount_idr} ditarik kembali. Alasan: {reason}."
        " Catatan lama dan koreksinya tetap terlihat.",
        "Your passbook was corrected: Rp{amount_idr} was taken back. Reason: {reason}."
        " You see both the old line and its correction.",
    ),
    "passbook_raised": (
        "Koreksi buku tabungan: Rp{amount_idr} dikembalikan kepada Anda. Alasan: {reason}."
        " Catatan lama dan koreksinya tetap terlihat.",
        "Your passbook was corrected: Rp{amount_idr} is back in it. Reason: {reason}."
        " You see both the old line and its correction.",
    ),
    "goods_corrected": (
        "Penimbangan sampah Anda dibatalkan sebagai koreksi. Alasan: {reason}.",
        "The weighing of your waste was taken back as a correction. Reason: {reason}.",
    ),
    "sale_corrected": (
        "Penjualan sampah Anda{of_what} dibatalkan sebagai koreksi: Rp{amount_idr} ditarik kembali dari"
        " buku tabungan. Alasan: {reason}. Sampahnya menunggu pembeli lagi.",
        "The sale of your waste{of_what} was taken back as a correction: Rp{amount_idr} left your"
        " passbook again. Reason: {reason}. Your waste waits for a buyer once more.",
    ),
    "payout_cancelled": (
        "Pencairan Rp{amount_idr} dibatalkan. Dana dikembalikan ke saldo Anda.",
        "Your payout of Rp{amount_idr} was cancelled. Your balance is back.",
    ),
    "part_ended": (
        "Peran Anda di {bank} sudah diakhiri: {role}. Bila keliru, hubungi bank sampah.",
        "Your part at {bank} was ended: {role}. If that is a mistake, tell the waste bank.",
    ),
    "breach": (
        "Pemberitahuan kebocoran data pribadi: {text}",
        "Notice of a breach of personal data: {text}",
    ),
}
_SALE_BROUGHT_NOTHING = (
    "Penjualan sampah Anda{of_what} dibatalkan sebagai koreksi; penjualan itu tidak menambah saldo Anda,"
    " jadi tidak ada yang ditarik kembali. Alasan: {reason}. Sampahnya menunggu pembeli lagi.",
    "The sale of your waste{of_what} was taken back as a correction; it had brought you nothing, so"
    " your balance stays. Reason: {reason}. Your waste waits for a buyer once more.",
)
KINDS = frozenset(_WORDS)
"""What people are told of."""
OPTIONAL = frozenset({"pickup_confirmed", "pickup_expired"})
"""Neither a code nor a receipt nor a warning: only for who agreed to hear of it."""


def notice_of(event: Event, person: Person, keys: Keys) -> Message | None:
    """The message an event makes for a person; None if nobody needs to, or can, hear of it."""
    words = _WORDS.get(event.kind)
    if words is None:
        return None
    body: dict[str, Any] = json.loads(event.body)
    if event.kind == "pickup_listed":
        body["handover_code"] = keys.handover_code(UUID(body["pickup_id"]))
    if event.kind == "payout_approved":
        body["payout_code"] = keys.payout_code(UUID(body["payout_id"]))
    if event.kind == "payout_failed":
        why = failures.in_words(body.get("failure", ""))
        body["why"] = why.en if person.language == "en" else why.id
    if event.kind == "sale_corrected":
        words = words if body["amount_idr"] else _SALE_BROUGHT_NOTHING
        # Events of before don't say which material it was.
        body["of_what"] = f" ({body['material']})" if "material" in body else ""
    to = body.pop("to_phone", person.phone)
    if to is None:
        return None
    text = words[1] if person.language == "en" else words[0]
    return Message(
        to=to,
        kind=event.kind,
        text=text.format(
            **{name: in_words(value, person.language) for name, value in body.items()}
        ),
        language=person.language,
        fields={name: str(value) for name, value in body.items()},
    )
