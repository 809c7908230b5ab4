"""What a failure's code means, as its resident and the treasurer read it."""

from typing import NamedTuple

FLOAT_TOO_LOW = "FLOAT_TOO_LOW"
NOT_SET_UP = "GATEWAY_NOT_SET_UP"
NO_SUCH_DESTINATION = "NO_SUCH_DESTINATION"
DECIDED = "DECIDED"
"""These stand where a gateway's own code would: no gateway was asked, or none had an answer."""


class Words(NamedTuple):
    """A whole sentence in each language."""

    id: str
    en: str


_NUMBER = Words(
    "Nomor rekening atau ponsel tujuan tidak dikenal. Periksa nomornya, atau pilih tunai.",
    "The account or phone number isn't known there. Check the number, or choose cash.",
)
_NAME = Words(
    "Nama pemilik rekening tidak sesuai. Periksa namanya, atau pilih tunai.",
    "The name of the account's holder doesn't fit. Check the name, or choose cash.",
)
_CHANNEL = Words(
    "Bank atau dompet tujuan menolaknya. Tanyakan kepada mereka, atau pilih tunai.",
    "The receiving bank or wallet refused it. Ask them, or choose cash.",
)
_LIMIT = Words(
    "Jumlahnya melampaui batas bank atau dompet tujuan. Minta lebih sedikit, atau pilih tunai.",
    "The amount is beyond a limit of the receiving bank or wallet. Ask for less, or for cash.",
)
_REVIEW = Words(
    "Gerbang bayar menolaknya setelah pemeriksaan. Pilih rekening lain, atau tunai.",
    "The gateway refused it after a review. Choose another account, or cash.",
)
_PASSING = Words(
    "Ada gangguan pada gerbang bayar atau bank tujuan. Coba lagi nanti, atau pilih tunai.",
    "Something went wrong at the gateway or the receiving bank. Try later, or choose cash.",
)
_BUSY = Words(
    "Gerbang bayar terlalu sibuk. Coba lagi nanti, atau pilih tunai.",
    "The gateway was too busy. Try again later, or choose cash.",
)
_EMPTY = Words(
    "Saldo bank sampah di gerbang bayar tidak cukup. Coba lagi nanti, atau pilih tunai.",
    "The waste bank has too little money at the gateway. Try again later, or choose cash.",
)
_OURS = Words(
    "Gerbang bayar tidak menerima permintaan bank sampah. Hubungi bank sampah, atau pilih tunai.",
    "The gateway takes no request of the waste bank. Ask the waste bank, or choose cash.",
)
_NOT_REACHED = Words(
    "Gerbang bayar tidak dapat dihubungi. Coba lagi nanti, atau pilih tunai.",
    "The gateway could not be reached. Try again later, or choose cash.",
)
_CANCELLED = Words(
    "Pencairan dibatalkan di gerbang bayar.", "The payout was cancelled at the gateway."
)
_CAME_BACK = Words(
    "Bank tujuan mengembalikannya. Periksa rekening Anda, atau pilih tunai.",
    "The receiving bank sent it back. Check your account, or choose cash.",
)
_LOOKED_UP = Words(
    "Bendahara memeriksa mutasi: uangnya tidak terkirim.",
    "A treasurer looked at the statements: the money was not sent.",
)

_WORDS = {
    "INVALID_DESTINATION": _NUMBER,
    "RECIPIENT_ACCOUNT_NUMBER_ERROR": _NUMBER,
    NO_SUCH_DESTINATION: _NUMBER,
    "002": _NUMBER,
    "001": _NAME,
    "REJECTED_BY_CHANNEL": _CHANNEL,
    "CHANNEL_CODE_NOT_SUPPORTED": _CHANNEL,
    "CHANNEL_CODE_NOT_SUPPORTED_ERROR": _CHANNEL,
    "012": _CHANNEL,
    "025": _CHANNEL,
    "RECIPIENT_AMOUNT_ERROR": _LIMIT,
    "MAXIMUM_TRANSFER_LIMIT_ERROR": _LIMIT,
    "014": _LIMIT,
    "015": _LIMIT,
    "COMPLIANCE_REJECTED": _REVIEW,
    "rejected": _REVIEW,
    "TRANSFER_ERROR": _PASSING,
    "TEMPORARY_TRANSFER_ERROR": _PASSING,
    **dict.fromkeys(("005", "006", "007", "009", "018", "021", "022", "023", "024"), _PASSING),
    "RATE_LIMIT_EXCEEDED": _BUSY,
    "429": _BUSY,
    "INSUFFICIENT_BALANCE": _EMPTY,
    FLOAT_TOO_LOW: _EMPTY,
    "016": _EMPTY,
    **dict.fromkeys(("400", "401", "403", NOT_SET_UP), _OURS),
    **dict.fromkeys(("API_VALIDATION_ERROR", "INVALID_JSON_FORMAT", "INVALID_API_KEY"), _OURS),
    "REQUEST_FORBIDDEN_ERROR": _OURS,
    **dict.fromkeys(("ConnectError", "ConnectTimeout", "PoolTimeout"), _NOT_REACHED),
    "CANCELLED": _CANCELLED,
    "REVERSED": _CAME_BACK,
    DECIDED: _LOOKED_UP,
}


def in_words(failure: str) -> Words:
    """Why it failed, whatever the code; one that isn't documented is named."""
    known = _WORDS.get(failure)
    if known is not None:
        return known
    code = f" ({failure})" if failure else ""
    return Words(
        f"Gerbang bayar tidak menyebutkan alasan yang dikenal{code}. Periksa nomor dan nama"
        " rekening, atau pilih tunai.",
        f"The gateway gives no known reason{code}. Check the account's number and name, or"
        " choose cash.",
    )


def came_back(failure: str) -> Words:
    """Why what was paid came back: gateways rarely know more than that it did."""
    return _WORDS.get(failure, _CAME_BACK)
