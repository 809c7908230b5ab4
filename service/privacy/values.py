"""What coded values of an export mean, in English and Indonesian."""

from service import audit

_WORDS = """
open|open|terbuka
claimed|claimed by a collector|diambil petugas
arrived|the collector is there|petugas sudah tiba
collected|weighed at the door|sudah ditimbang
cancelled|cancelled|dibatalkan
expired|its time ran out|lewat waktu
requested|asked for|diminta
approved|approved|disetujui
sending|being sent|sedang dikirim
sent|sent|terkirim
unknown|not known yet|belum diketahui
paid|paid|dibayar
rejected|rejected|ditolak
failed|failed|gagal
reversed|paid, and came back|dibayar, lalu kembali
asked|asked for|diminta
made|made|dilakukan
refused|refused|ditolak
settled|settled|selesai
disputed|disputed|disengketakan
decided|decided|diputuskan
waiting|waiting|menunggu
resolved|resolved|diselesaikan
cleared|cleared by itself|selesai dengan sendirinya
resident|resident|warga
collector|collector|petugas
operator|operator|operator
treasurer|treasurer|bendahara
city|city|kota
service|the service|layanan
notices|notices|pemberitahuan
location|location|lokasi
people|the people concerned|yang bersangkutan
authority|the authority|lembaga pengawas
clean|clean|bersih
dirty|dirty|kotor
passbook|passbook|buku tabungan
earnings|earnings|upah petugas
cash|cash|tunai
bank|bank account|rekening bank
fee_by.bank|the waste bank|bank sampah
ewallet|e-wallet|dompet digital
person|a person|seseorang
time|time that passed|waktu
worker|the system|sistem
answer|the gateway's answer|jawaban gerbang bayar
query|the gateway, when asked|gerbang bayar, saat ditanya
callback|the gateway, by itself|gerbang bayar, dengan sendirinya
report|the gateway's statement|laporan gerbang bayar
retry|another try|percobaan ulang
migration|an update of the system|pembaruan sistem
correction|correction|koreksi
id|Indonesian|Indonesia
en|English|Inggris
none|none|tidak ada
credit|never overdrawn|tidak boleh minus
debit|never below nothing|tidak boleh di bawah nol
door|the weight at the door|timbangan di rumah
station|the weight at the station|timbangan di bank sampah
not_yet|not yet|belum
not_told|the gateway doesn't say|tidak diberitahukan
same|the same name|nama sama
other|another name|nama lain
no_account|no such account|rekening tidak ada
float|money at the gateway|saldo di gerbang bayar
bank_account|bank account|rekening bank
amount_differs|another amount|jumlah berbeda
fee_differs|another fee|biaya berbeda
missing_at_gateway|missing at the gateway|tidak ada di gerbang bayar
missing_here|missing here|tidak ada di sini
duplicate|twice|ganda
late|late|terlambat
match|take it for this payout|cocokkan
accept|accept it|terima
wait|ask and wait|tanya dan tunggu
fee|fee|biaya
suspense|put aside|pos sementara
top_up|the bank's own money|dana bank sendiri
write_off|write off|hapus buku
reverse|give back|kembalikan
out|out|keluar
in|in|masuk
vat|VAT|PPN
out_back|payout that came back|pencairan yang kembali
fee_back|fee that came back|biaya yang kembali
vat_back|VAT that came back|PPN yang kembali
reference|by our reference|menurut referensi kami
gateway_id|by the gateway's number|menurut nomor gerbang bayar
batch|of several together|gabungan beberapa
reversal|came back|kembali
returned|left and came back|keluar lalu kembali
post|moved|dipindahkan
hold|held|ditahan
settle|settled|diselesaikan
void|released|dilepas
pickup|pickup|penjemputan
dropoff|brought to the bank|setoran langsung
payout|payout|pencairan
payout_hold|money held for a payout|dana ditahan untuk pencairan
payout_reversed|payout that came back|pencairan yang kembali
sale|sale|penjualan
reconciliation|decided from a bank statement|diputuskan dari mutasi bank
about_kind.person|person|orang
receiving|weighed again|timbang ulang
dispute|second weighing decided|timbang ulang diputuskan
pickup_listed|pickup listed|penjemputan didaftarkan
card_issued|card made|kartu dibuat
phone_changed|phone number changed|nomor telepon diganti
pickup_collected|weighed at the door|ditimbang di rumah
pickup_collected_pending|weighed, to be weighed again|ditimbang, menunggu timbang ulang
pickup_collected_goods|weighed, to be sold|ditimbang, menunggu terjual
dropoff_weighed|weighed at the counter|ditimbang di loket
dropoff_weighed_goods|weighed, to be sold|ditimbang, menunggu terjual
goods_sold|waste sold|sampah terjual
pickup_confirmed|weighing confirmed|penimbangan dipastikan
pickup_disputed|weighing disputed|penimbangan disengketakan
load_disputed|load disputed|muatan disengketakan
pickup_dispute_decided|second weighing decided|timbang ulang diputuskan
load_dispute_decided|second weighing decided|timbang ulang diputuskan
pickup_waits_for_decision|waits for a decision|menunggu keputusan
pickup_cancelled|pickup cancelled|penjemputan dibatalkan
pickup_expired|pickup's time ran out|penjemputan lewat waktu
payout_requested|payout asked for|pencairan diminta
payout_approved|payout approved|pencairan disetujui
payout_to_be_sent|payout to be sent|pencairan akan dikirim
payout_arrived|payout arrived|pencairan sampai
payout_failed|payout failed|pencairan gagal
destination_changed|payout destination changed|tujuan pencairan diubah
float_empty|gateway's balance too low|saldo gerbang bayar kurang
payout_contradicted|gateway contradicts itself|gerbang bayar bertentangan
payout_paid|payout paid|pencairan dibayar
payout_rejected|payout rejected|pencairan ditolak
payout_expired|payout's time ran out|pencairan lewat waktu
passbook_opened|balance brought over|saldo dari buku lama dicatat
passbook_reduced|passbook reduced|buku tabungan dikurangi
passbook_raised|passbook raised|buku tabungan ditambah
goods_corrected|waste in the store corrected|sampah di gudang dikoreksi
sale_corrected|sale of waste corrected|penjualan sampah dikoreksi
payout_cancelled|payout cancelled|pencairan dibatalkan
part_ended|part in the bank ended|peran di bank sampah diakhiri
breach|data breach|kebocoran data
"""

CODED = frozenset(
    {
        *("status", "from_status", "to_status", "cause", "role", "purpose", "told", "language"),
        *("condition", "decision", "source", "method", "fee_by", "name_check", "floor"),
        *("holding", "action", "proposed_action", "line_type", "leg", "rule"),
        *("kind", "about_kind"),
    }
)
"""Columns whose values are codes; what isn't known stays as it is, such as a gateway's name."""
_MEANINGS = {
    value: {"en": english, "id": indonesian}
    for value, english, indonesian in (line.split("|") for line in _WORDS.splitlines() if line)
}


def meaning_of(column: str, value: str, language: str) -> str | None:
    """What a code means to its reader; None if it is none."""
    if column == "act":
        return audit.in_words(value, language)
    if column not in CODED:
        return None
    found = _MEANINGS.get(f"{column}.{value}") or _MEANINGS.get(value)
    return found[language] if found else None
