"""A pack as an Indonesian bookkeeper reads it: titles, headings, and what is a code elsewhere."""

from collections.abc import Mapping, Sequence

from models.payout import FeeBy, PayoutMethod, PayoutSource, PayoutStatus
from models.reconciliation import Action, CaseKind, CaseStatus
from service.bookkeeping.shapes import Cell, Pack, Part, Table
from service.ledger.acts import ACTS
from service.ledger.chart import KINDS

_TITLES = {
    Part.JOURNAL: "Jurnal",
    Part.TRIAL_BALANCE: "Neraca saldo",
    Part.PAYOUTS: "Pencairan",
    Part.EXCEPTIONS: "Selisih rekonsiliasi",
    Part.CASH_COUNTS: "Hitung kas harian",
    Part.DRAWER_COUNTS: "Hitung laci",
    Part.STOCK_COUNTS: "Stok opname",
}
_HEADINGS = {
    "about_id": "id perihal",
    "account": "akun",
    "action": "tindakan",
    "amount": "jumlah",
    "amount_idr": "jumlah (Rp)",
    "cash_difference_idr": "selisih kas (Rp)",
    "channel_code": "kode kanal",
    "closed_at": "ditutup pada",
    "closed_by": "ditutup oleh",
    "closing": "saldo akhir",
    "counted_at": "dihitung pada",
    "counted_by": "dihitung oleh",
    "counted_cash_idr": "kas terhitung (Rp)",
    "counted_grams": "terhitung (gram)",
    "counted_idr": "terhitung (Rp)",
    "created_at": "dibuat pada",
    "credit": "kredit",
    "day": "tanggal buku",
    "debit": "debit",
    "difference_grams": "selisih (gram)",
    "difference_idr": "selisih (Rp)",
    "drawer": "laci",
    "due_on": "jatuh tempo",
    "ended_at": "selesai pada",
    "event_at": "terjadi pada",
    "expected_idr": "seharusnya (Rp)",
    "fee_by": "biaya ditanggung",
    "fee_idr": "biaya (Rp)",
    "found_idr": "ditemukan (Rp)",
    "gateway": "gerbang bayar",
    "gateway_id": "id di gerbang bayar",
    "id": "id",
    "journal_id": "id jurnal",
    "key": "kunci",
    "kind": "jenis",
    "line_id": "id baris mutasi",
    "material": "jenis sampah",
    "meaning": "arti",
    "memo": "keterangan",
    "method": "cara",
    "note": "catatan",
    "opening": "saldo awal",
    "owner_id": "id penanggung jawab",
    "paid_at": "dibayar pada",
    "payout_id": "id pencairan",
    "proof": "bukti",
    "reason": "alasan",
    "resident_id": "id warga",
    "resolved_by": "diputuskan oleh",
    "reversed_at": "kembali pada",
    "reverses_id": "membatalkan jurnal",
    "sent_at": "dikirim pada",
    "since": "sejak",
    "source": "sumber",
    "status": "status",
    "transfer_id": "id transfer",
    "unit": "satuan",
    "version": "versi",
    "why": "sebab",
}
_CODES: Mapping[tuple[Part, str], Mapping[str, str]] = {
    (Part.JOURNAL, "kind"): {kind: words.indonesian for kind, words in ACTS.items()},
    (Part.TRIAL_BALANCE, "meaning"): {kind.english: kind.indonesian for kind in KINDS.values()},
    (Part.PAYOUTS, "source"): {
        PayoutSource.PASSBOOK: "tabungan warga",
        PayoutSource.EARNINGS: "upah petugas",
    },
    (Part.PAYOUTS, "method"): {
        PayoutMethod.CASH: "tunai",
        PayoutMethod.BANK: "rekening bank",
        PayoutMethod.EWALLET: "dompet digital",
    },
    (Part.PAYOUTS, "fee_by"): {FeeBy.BANK: "bank sampah", FeeBy.RESIDENT: "warga"},
    (Part.PAYOUTS, "status"): {
        PayoutStatus.REQUESTED: "diminta",
        PayoutStatus.APPROVED: "disetujui",
        PayoutStatus.SENDING: "sedang dikirim",
        PayoutStatus.SENT: "terkirim",
        PayoutStatus.UNKNOWN: "belum pasti",
        PayoutStatus.PAID: "dibayar",
        PayoutStatus.REJECTED: "ditolak",
        PayoutStatus.CANCELLED: "dibatalkan",
        PayoutStatus.FAILED: "gagal",
        PayoutStatus.REVERSED: "dana kembali",
    },
    (Part.EXCEPTIONS, "kind"): {
        CaseKind.AMOUNT_DIFFERS: "jumlah berbeda",
        CaseKind.FEE_DIFFERS: "biaya berbeda",
        CaseKind.MISSING_AT_GATEWAY: "tidak ada di mutasi",
        CaseKind.MISSING_HERE: "tidak ada di buku",
        CaseKind.DUPLICATE: "ganda",
        CaseKind.LATE: "di luar waktunya",
        CaseKind.REVERSED: "dana kembali",
        CaseKind.UNKNOWN: "belum pasti",
    },
    (Part.EXCEPTIONS, "status"): {
        CaseStatus.OPEN: "terbuka",
        CaseStatus.WAITING: "menunggu gerbang bayar",
        CaseStatus.RESOLVED: "diputuskan",
        CaseStatus.CLEARED: "selesai sendiri",
    },
    (Part.EXCEPTIONS, "action"): {
        Action.MATCH: "dicocokkan",
        Action.ACCEPT: "diterima",
        Action.WAIT: "ditanyakan",
        Action.FEE: "biaya gerbang bayar",
        Action.SUSPENSE: "pos sementara",
        Action.TOP_UP: "isi saldo",
        Action.WRITE_OFF: "dihapusbukukan",
        Action.REVERSE: "dikembalikan ke warga",
    },
}
"""What a column has as a code; ids, accounts, units and reasons stay as they are."""


def title_of(part: Part, language: str) -> str:
    """What a table is called."""
    return _TITLES[part] if language == "id" else part


def in_language(pack: Pack, language: str) -> Pack:
    """The same pack for people who read this language; English ones read the codes."""
    return pack._replace(tables=[_told(each) for each in pack.tables]) if language == "id" else pack


def _told(table: Table) -> Table:
    words = [_CODES.get((table.part, column), {}) for column in table.columns]
    return Table(
        table.part,
        [_HEADINGS[column] for column in table.columns],
        [_in_words(row, words) for row in table.rows],
    )


def _in_words(row: Sequence[Cell], words: Sequence[Mapping[str, str]]) -> list[Cell]:
    return [
        of.get(cell, cell) if isinstance(cell, str) else cell
        for cell, of in zip(row, words, strict=True)
    ]
