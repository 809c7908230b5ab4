"""The sources that are known without being told, as data.

Xendit's balance report and the statement of Iris are as documented. What internet banking
exports changes from year to year and with the kind of account: these maps are a beginning,
and a dry run shows whether they still fit. A bank stores its own under the same name, which
then is used instead.
"""

from collections.abc import Mapping

from models.reconciliation import Holding, LineType
from service.reconciliation.readers.columns import Columns

PROFILES: Mapping[str, Columns] = {
    "xendit": Columns(
        booked_at="Created UTC ISO|Created Date (UTC ISO)",
        amount="Amount",
        marker="Debit or Credit",
        balance="Balance",
        external_id="Transaction ID",
        gateway_id="Product ID",
        reference="Reference",
        line_type="Line Type",
        line_types={
            "FEE": LineType.FEE,
            "VAT": LineType.VAT,
            "TRANSACTION_REVERSAL": LineType.OUT_BACK,
            "REVERSAL": LineType.OUT_BACK,
            "FEE_REVERSAL": LineType.FEE_BACK,
            "VAT_REVERSAL": LineType.VAT_BACK,
        },
        currency="Currency",
        zone="UTC",
    ),
    "iris": Columns(
        booked_at="created_at",
        amount="amount",
        marker="status",
        gateway_id="reference_no",
        account_number="beneficiary_account",
        line_type="type",
        line_types={
            "PAYOUT FEE": LineType.FEE,
            "PAYOUT FEE VAT": LineType.VAT,
            "PAYOUT REFUND": LineType.OUT_BACK,
            "PAYOUT FEE REFUND": LineType.FEE_BACK,
            "PAYOUT FEE VAT REFUND": LineType.VAT_BACK,
        },
    ),
    "bca": Columns(
        booked_at="Tanggal Transaksi",
        reference="Keterangan",
        amount="Jumlah",
        marker="#5",
        balance="Saldo",
        date_format="%d/%m/%Y",
        ends_with=("Saldo Awal", "Mutasi", "Saldo Akhir"),
        holding=Holding.BANK_ACCOUNT,
    ),
    "mandiri": Columns(
        booked_at="Posting Date",
        booked_time="Posting Time",
        external_id="Reference No",
        reference="Remark",
        debit="Debit",
        credit="Credit",
        balance="Close Balance",
        date_format="%d/%m/%Y %H:%M:%S",
        holding=Holding.BANK_ACCOUNT,
    ),
    "bri": Columns(
        booked_at="TGL_TRAN",
        reference="DESK_TRAN",
        debit="MUTASI_DEBET",
        credit="MUTASI_KREDIT",
        balance="SALDO_AKHIR_MUTASI",
        date_format="%Y-%m-%d %H:%M:%S",
        holding=Holding.BANK_ACCOUNT,
    ),
    "bni": Columns(
        booked_at="Post Date",
        external_id="Journal No.",
        reference="Description",
        amount="Amount",
        marker="Db/Cr",
        balance="Balance",
        date_format="%d/%m/%Y %H:%M:%S",
        holding=Holding.BANK_ACCOUNT,
    ),
}
