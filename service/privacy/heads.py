"""What the columns of an export are called in Indonesian; in English they are called as they are."""

_INDONESIAN = """
about_id perihal (penanda)
about_kind jenis perihal
account_holder_name pemilik rekening
account_id rekening buku
account_number nomor rekening
act tindakan
action langkah
address alamat
amount jumlah
amount_idr jumlah (Rp)
approved_at disetujui pada
area lingkungan
arrived_at tiba pada
arrived_off_m jarak saat tiba (m)
asked_at diminta pada
at waktu
balance_after saldo sesudahnya
balance_idr saldo (Rp)
bank_id bank sampah
body isi
booked_at dibukukan pada
booked_until dibukukan sampai
breach_id kebocoran data
card_id kartu
cause sebab
cause_detail rincian sebab
cell petak peta
channel_code saluran pembayaran
check_due_at diperiksa lagi pada
check_tries jumlah pemeriksaan
claim_number nomor pengambilan
claimed_at diambil pada
claimed_until diambil sampai
closed_at ditutup pada
closest_m jarak terdekat (m)
code_given kode disebutkan
code_tries percobaan kode
collected_at ditimbang pada
condition kondisi
confirmed_at dikonfirmasi pada
created_at dibuat pada
credit_account_id rekening kredit
credit_shard bagian rekening kredit
credited_idr dikreditkan (Rp)
credits_pending kredit tertunda
credits_posted kredit dibukukan
debit_account_id rekening debit
debit_shard bagian rekening debit
debits_pending debit tertunda
debits_posted debit dibukukan
decided_at diputuskan pada
decision keputusan
decision_reason alasan keputusan
deleted_at dihapus pada
destination_id tujuan pencairan
detail rincian
done_at selesai pada
dropoff_id setoran
due_at jatuh tempo pada
due_on jatuh tempo tanggal
ended_at berakhir pada
ended_reason alasan berakhir
estimate_idr perkiraan (Rp)
estimated_grams perkiraan (gram)
event_at terjadi pada
expected_idr nilai yang diharapkan (Rp)
expires_at berlaku sampai
external_id nomor dari sumber
failure kegagalan
fee_by penanggung biaya
fee_idr biaya (Rp)
fence nomor urut pengambilan
floor batas saldo
found_idr ditemukan (Rp)
from_status dari status
gateway gerbang bayar
gateway_id nomor di gerbang bayar
given diberikan
grams gram
grams_per_unit gram per satuan
hold_id penahanan saldo
holding jenis simpanan
id penanda
import_id impor
issued_at diberikan pada
issuer penerbit
journal_id jurnal
key kunci
kind jenis
known_at diketahui pada
language bahasa
last_step langkah terakhir
last_used_at terakhir dipakai pada
lat lintang
leg urutan ruas
leg_m panjang ruas (m)
line baris
line_id baris mutasi
line_type jenis baris
lon bujur
lot_id timbunan
matched_at dicocokkan pada
material bahan
memo catatan jurnal
method cara
moved_at berpindah pada
moves perpindahan
name nama
name_check pemeriksaan nama
name_found nama yang ditemukan
needs_two perlu dua orang
note catatan
number nomor
occurrence kemunculan ke
opened_at dibuka pada
page halaman buku
paid_at dibayar pada
paid_idr dibayar (Rp)
part bagian
payout_id pencairan
pending_after tertunda sesudahnya
pending_id transfer tertunda
phone telepon
pickup_id penjemputan
place_forgotten_at tempat dilupakan pada
policy_id aturan
price_idr harga (Rp)
proof bukti
proposed_action usulan langkah
proved_at faktor kedua diberikan pada
purpose tujuan penggunaan
raw baris asli
reason alasan
receiving_id penerimaan muatan
reference keterangan
refused_on dilepas tanggal
rejected_grams ditolak (gram)
retry_of ulangan dari
reversal_id jurnal pembalik
reversed_at dibalik pada
reverses_id membalik jurnal
revoked_at dicabut pada
role peran
route_id rute
route_sequence urutan dalam rute
rule ketentuan
sale_id penjualan
sent_at dikirim pada
shard bagian rekening
shards jumlah bagian rekening
share_idr bagian hasil (Rp)
shared_idr bagian hasil seluruhnya (Rp)
shared_with dipakai bersama
since sejak
sold_grams terjual (gram)
source asal
status status
subject penanda di penerbit
taken_back_at dibatalkan pada
text teks
to_status ke status
told kepada
total_m jarak seluruhnya (m)
total_s waktu seluruhnya (detik)
transfer_id transfer
tries percobaan
tries_since percobaan sejak
undone_at dibatalkan pada
undone_reason alasan pembatalan
unit satuan
unknown_at tidak diketahui sejak
usable_from dapat dipakai mulai
used_at dipakai pada
version versi
weighed yang ditimbang
weighed_at ditimbang pada
weighings penimbangan
what apa
whole_bank seluruh bank sampah
why mengapa
window_end waktu jemput sampai
window_start waktu jemput mulai
withdrawn_at ditarik pada
nik NIK
"""

HEADS: dict[str, str] = dict(line.split(" ", 1) for line in _INDONESIAN.splitlines() if line)


def head_of(column: str, language: str) -> str:
    """What a column is called to its reader."""
    plain = column.replace("_", " ")
    return plain if language == "en" else HEADS.get(column, plain)
