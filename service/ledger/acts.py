"""What the acts of a bank are called: every kind of journal there is, in the words of people."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """A kind of act, as it reads within a sentence."""

    english: str
    indonesian: str

    def title(self, language: str) -> str:
        """The same as a line begins."""
        words = self.indonesian if language == "id" else self.english
        return words[0].upper() + words[1:]


ACTS: Mapping[str, Words] = {
    "buyer_payment": Words("buyer's payment", "pembayaran pembeli"),
    "cash_count": Words("count of the cash", "hitung kas"),
    "cash_put_in": Words("cash into the safe", "kas masuk brankas"),
    "cash_taken_out": Words("cash out of the safe", "kas keluar brankas"),
    "correction": Words("correction", "koreksi"),
    "dispute": Words("second weighing decided", "sengketa timbang"),
    "drawer_count": Words("count of a drawer", "hitung laci"),
    "dropoff": Words("drop-off", "setoran langsung"),
    "float_in": Words("cash into a drawer", "kas ke laci"),
    "float_out": Words("cash out of a drawer", "kas dari laci"),
    "float_top_up": Words("top-up at a gateway", "isi saldo gerbang bayar"),
    "opening": Words("balance of the book before", "saldo dari buku lama"),
    "payout": Words("payout", "pencairan"),
    "payout_hold": Words("payout", "pencairan"),
    "payout_reversed": Words("money came back", "dana kembali"),
    "pickup": Words("pickup", "setoran jemput"),
    "receiving": Words("weighed again", "timbang ulang"),
    "reconciliation": Words("decision about a difference", "keputusan selisih"),
    "residue": Words("residue", "residu"),
    "sale": Words("sale", "penjualan"),
    "stock_count": Words("count of the store", "stok opname"),
}
