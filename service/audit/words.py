"""What was done with somebody's data, in words: English and Indonesian, by act."""

WORDS: dict[str, dict[str, str]] = {
    act: {"en": english, "id": indonesian}
    for act, english, indonesian in (
        ("sign_in", "Signed in", "Masuk ke akun"),
        ("change_me", "Changed name or language", "Mengubah nama atau bahasa"),
        ("change_my_phone", "Changed the phone number", "Mengganti nomor telepon"),
        ("confirm_second_factor", "Set up a second factor", "Memasang faktor kedua"),
        ("take_off_second_factor", "Took the second factor off", "Menghapus faktor kedua"),
        ("reset_second_factor", "Reset the second factor", "Mereset faktor kedua"),
        ("give_nik", "Gave a NIK", "Memberikan NIK"),
        ("export_me", "Took a copy of my data", "Mengambil salinan data saya"),
        ("delete_me", "Deleted the account", "Menghapus akun"),
        ("give_my_consent", "Agreed, or took that back", "Memberi atau mencabut persetujuan"),
        ("give_consent", "Entered an agreement", "Mencatat persetujuan"),
        ("delete_person", "Deleted the account", "Menghapus akun"),
        ("register_person", "Registered as a member", "Mendaftarkan sebagai anggota"),
        ("join_person", "Joined the waste bank", "Bergabung dengan bank sampah"),
        ("take_over_member", "Taken over from another book", "Dipindahkan dari buku lama"),
        ("add_member", "Gave a part in the bank", "Memberi peran di bank sampah"),
        ("end_part", "Ended a part in the bank", "Mengakhiri peran di bank sampah"),
        ("issue_card", "Gave out a card", "Memberikan kartu"),
        ("revoke_card", "Revoked a card", "Mencabut kartu"),
        ("list_waste", "Listed waste to be fetched", "Mendaftarkan sampah untuk dijemput"),
        ("cancel_pickup", "Cancelled a pickup", "Membatalkan penjemputan"),
        ("claim_nearest", "Claimed a pickup", "Mengambil penjemputan"),
        ("claim_pickup", "Claimed a pickup", "Mengambil penjemputan"),
        ("add_stop", "Claimed a pickup", "Mengambil penjemputan"),
        ("apply_plan", "Gave a pickup to a collector", "Menyerahkan penjemputan ke pengepul"),
        ("release_pickup", "Gave a pickup back", "Melepas penjemputan"),
        ("progress_pickup", "Drove on towards a pickup", "Menuju tempat penjemputan"),
        ("arrive_pickup", "Arrived at a pickup", "Tiba di tempat penjemputan"),
        ("collect_pickup", "Weighed at the door", "Menimbang di rumah"),
        ("decide_pickup", "Decided about a weighing", "Memutuskan penimbangan"),
        ("drop_off", "Weighed at the counter", "Menimbang di loket"),
        ("receive_collector", "Received a load", "Menerima muatan"),
        ("request_payout", "Asked for a payout", "Meminta pencairan"),
        ("cancel_payout", "Cancelled a payout", "Membatalkan pencairan"),
        ("approve_payout", "Approved a payout", "Menyetujui pencairan"),
        ("approve_batch", "Approved a payout", "Menyetujui pencairan"),
        ("reject_payout", "Rejected a payout", "Menolak pencairan"),
        ("pay_cash", "Paid cash", "Membayar tunai"),
        ("decide_payout", "Decided how a payout ended", "Memutuskan hasil pencairan"),
        ("retry_payout", "Made a new payout of one that failed", "Mengulang pencairan yang gagal"),
        ("read_pickup", "Looked at pickups", "Melihat penjemputan"),
        ("read_passbook", "Looked at the passbook", "Melihat buku tabungan"),
        ("read_statement", "Printed a statement", "Mencetak rekening koran"),
        ("read_receipt", "Looked at a receipt", "Melihat kuitansi"),
        ("read_payout", "Looked at payouts", "Melihat pencairan"),
        ("read_destination", "Looked where payouts go", "Melihat tujuan pencairan"),
        ("read_earnings", "Looked at earnings", "Melihat penghasilan"),
        ("read_member", "Looked at the list of members", "Melihat daftar anggota"),
    )
}


def in_words(act: str, language: str) -> str:
    """An act in words; by its name, if it is about nobody in particular."""
    return WORDS.get(act, {}).get(language, act)
