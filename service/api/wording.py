"""What pydantic finds wrong with a field, in both languages."""

import re
from typing import Any

from service.errors import in_words

# As pydantic writes a bound that is a day, in its sentence and beside it.
_CODED_DAY = re.compile(r"datetime\.date\((\d+), (\d+), (\d+)\)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

_SENTENCES = {
    "account": "Sebutkan rekening untuk bank_account, dan hanya untuk itu.",
    "amounts": "Sebutkan amount, atau debit dan credit.",
    "both_amounts": "Sebutkan debit dan credit, keduanya.",
    "missing": "Isian ini wajib diisi.",
    "json_invalid": "Isi permintaan bukan JSON yang sah.",
    "bool_type": "Harus true atau false, tanpa tanda kutip.",
    "bool_parsing": "Harus true atau false, tanpa tanda kutip.",
    "control_characters": "Karakter kontrol tidak diperbolehkan.",
    "date_from_datetime_parsing": "Bukan tanggal yang sah.",
    "date_parsing": "Bukan tanggal yang sah.",
    "datetime_from_date_parsing": "Bukan waktu yang sah.",
    "datetime_parsing": "Bukan waktu yang sah.",
    "datetime_type": "Bukan waktu yang sah.",
    "day": "Tanggal harus berupa teks seperti 2026-11-22.",
    "dict_type": "Harus berupa objek.",
    "drawer_twice": "Hitung tiap laci satu kali; brankas ada di counted_cash_idr.",
    "enum": "Harus salah satu dari: {expected}.",
    "finite_number": "Harus bilangan biasa.",
    "float_parsing": "Harus bilangan.",
    "float_type": "Harus bilangan.",
    "greater_than": "Harus lebih dari {gt}.",
    "greater_than_equal": "Paling sedikit {ge}.",
    "instant": "Waktu harus berupa teks seperti 2026-11-22T08:00:00Z.",
    "int_from_float": "Harus bilangan bulat, tanpa koma.",
    "int_parsing": "Harus bilangan bulat, tanpa koma.",
    "int_type": "Harus bilangan bulat, tanpa koma dan tanpa tanda kutip.",
    "less_than": "Harus kurang dari {lt}.",
    "less_than_equal": "Paling banyak {le}.",
    "list_type": "Harus berupa daftar.",
    "literal_error": "Harus salah satu dari: {expected}.",
    "model_attributes_type": "Harus berupa objek.",
    "model_type": "Harus berupa objek.",
    "more_missing": "Yang susut tidak lebih banyak dari yang ditimbang pembeli.",
    "nothing_seen": "Tidak ada yang terlihat pada teks ini.",
    "nothing_weighed": "Tidak ada yang ditimbang pada baris ini.",
    "one_of_both": "Sebutkan salah satu saja: journal_id atau about_id.",
    "one_source": "Sebutkan salah satu saja: laci kas (drawer) atau rekening bank (bank_account).",
    "reason_missing": "Sebutkan alasan penolakan.",
    "signs": "Tanda desimal dan tanda ribuan harus berbeda.",
    "string_pattern_mismatch": "Bentuknya tidak sesuai.",
    "string_too_long": "Paling panjang {max_length} karakter.",
    "string_too_short": "Paling pendek {min_length} karakter.",
    "string_type": "Harus berupa teks.",
    "string_unicode": "Teks ini tidak dapat dibaca.",
    "timezone_aware": "Waktu harus menyebut zona waktunya.",
    "too_long": "Paling banyak {max_length} baris.",
    "too_short": "Paling sedikit {min_length} baris.",
    "uuid_parsing": "ID tidak valid.",
    "uuid_type": "ID tidak valid.",
    "zone": "Zona waktu ini tidak ada.",
}
_UNKNOWN = (
    "There is no such field here. Is its name mistyped?",
    "Isian ini tidak dikenal di sini. Apakah namanya salah ketik?",
)
_BLANK = ("This can't be blank.", "Tidak boleh kosong.")
_FORMS = {
    r"\S": _BLANK,
    r"^$|\S": _BLANK,
    r"^[a-z0-9-]+$": (
        "Only small letters, digits and hyphens, like counter-2.",
        "Hanya huruf kecil, angka, dan tanda hubung, seperti loket-2.",
    ),
    r"^[a-z0-9_-]+$": (
        "Only small letters, digits, hyphens and underscores, like bank-2.",
        "Hanya huruf kecil, angka, tanda hubung, dan garis bawah, seperti bank-2.",
    ),
    r"^[a-z0-9][a-z0-9._-]*$": (
        "Only small letters, digits, points, hyphens and underscores, like bank-2; a letter or"
        " digit first.",
        "Hanya huruf kecil, angka, titik, tanda hubung, dan garis bawah, seperti bank-2; diawali"
        " huruf atau angka.",
    ),
}
"""What is wanted of a text, in both languages, by the pattern that it has to have."""

_OF_DAYS = {
    "greater_than_equal": "Tidak boleh sebelum {ge}.",
    "less_than_equal": "Tidak boleh setelah {le}.",
}


def in_english(error: dict[str, Any]) -> str:
    """The sentence of a pydantic error, with its days as people write them."""
    if _is_unread(error):
        return "Send the body as JSON with Content-Type: application/json."
    form = _form(error)
    return form[0] if form else _plain(error["msg"])


def in_indonesian(error: dict[str, Any]) -> str:
    """The sentence for a pydantic error; its English one where there is no other."""
    if _is_unread(error):
        return "Kirim badan permintaan sebagai JSON dengan Content-Type: application/json."
    if form := _form(error):
        return form[1]
    facts = {name: _plain(_fact(fact)) for name, fact in error.get("ctx", {}).items()}
    of_days = any(_DAY.fullmatch(fact) for fact in facts.values())
    sentences = _SENTENCES | _OF_DAYS if of_days else _SENTENCES
    if error["type"] not in sentences:
        return in_english(error)
    choices = {name: fact.replace(" or ", " atau ") for name, fact in facts.items()}
    return sentences[error["type"]].format(**choices)


def _is_unread(error: dict[str, Any]) -> bool:
    """Whether it is about a body that wasn't said to be JSON, and so was left as it came."""
    return isinstance(error.get("input"), bytes)


def _form(error: dict[str, Any]) -> tuple[str, str] | None:
    if error["type"] == "extra_forbidden":
        return _UNKNOWN
    return _FORMS.get(error.get("ctx", {}).get("pattern", ""))


def _fact(fact: object) -> str:
    """A fact in Indonesian; a bound of 90.0 is written as people write it."""
    if isinstance(fact, float) and fact.is_integer():
        return in_words(int(fact), "id")
    return in_words(fact, "id")


def _plain(text: str) -> str:
    return _CODED_DAY.sub(lambda day: "{:0>4}-{:0>2}-{:0>2}".format(*day.groups()), text)
