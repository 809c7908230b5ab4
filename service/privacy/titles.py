"""What the tables of an export are called, in English and Indonesian."""

WORDS = {
    "en": {
        "title": "My data at Jumpa Madu",
        "made": "Made at",
        "yes": "yes",
        "no": "no",
        "what": "This is all that is kept of you. Ids of other people and empty columns are left out.",
    },
    "id": {
        "title": "Data saya di Jumpa Madu",
        "made": "Dibuat pada",
        "yes": "ya",
        "no": "tidak",
        "what": "Ini semua data yang disimpan tentang Anda. Penanda orang lain dan kolom kosong tidak disertakan.",
    },
}

MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "id": ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"],
}

FIRST = ("person", "membership", "pickup", "pickup_item", "dropoff", "weighing", "payout")
"""The tables that most people look for, as a page shows them."""
LAST = (
    "ledger_account",
    "ledger_balance",
    "ledger_entry",
    "ledger_journal",
    "ledger_transfer",
    "event",
    "idempotency",
    "audit_own",
    "audit_entry",
)
"""How the machine keeps its books of that."""

TITLES = {
    "audit_entry": ("What was done with my data", "Yang dilakukan dengan data saya"),
    "audit_own": ("What I did with my account", "Yang saya lakukan dengan akun saya"),
    "breach": ("Data breaches that concern me", "Kebocoran data yang menyangkut saya"),
    "breach_notice": ("What was said of them", "Pemberitahuannya"),
    "breach_person": ("Data breaches in which I am named", "Kebocoran data yang menyebut saya"),
    "card": ("My cards", "Kartu saya"),
    "consent": ("What I agreed to", "Persetujuan saya"),
    "correction": ("Corrections", "Koreksi"),
    "destination": ("Where I am paid to", "Tujuan pencairan"),
    "device": ("Devices I was signed in on", "Perangkat yang pernah masuk"),
    "drawer": ("Cash drawers in my keeping", "Laci kas yang saya pegang"),
    "dropoff": ("What I brought to the bank", "Setoran saya ke bank sampah"),
    "event": ("What I was told", "Kabar untuk saya"),
    "handover_attempt": ("Weighings with a wrong code", "Penimbangan dengan kode salah"),
    "idempotency": ("Requests of the last two days", "Permintaan dua hari terakhir"),
    "ledger_account": ("My accounts", "Rekening saya"),
    "ledger_balance": ("What is in them", "Saldonya"),
    "ledger_entry": ("What moved in them", "Mutasinya"),
    "ledger_journal": ("Why it moved", "Sebab mutasi"),
    "ledger_transfer": ("From where to where", "Dari mana ke mana"),
    "lot": ("My waste in the store", "Sampah saya di gudang"),
    "lot_sale": ("My waste that was sold", "Sampah saya yang terjual"),
    "membership": ("My parts in waste banks", "Peran saya di bank sampah"),
    "outside_identity": ("Where else I sign in", "Akun masuk lain"),
    "payout": ("Payouts", "Pencairan"),
    "payout_move": ("How they went", "Perjalanan pencairan"),
    "person": ("Who I am", "Diri saya"),
    "pickup": ("Pickups", "Penjemputan"),
    "pickup_item": ("What I listed", "Yang saya daftarkan"),
    "receiving": ("Loads that I brought", "Muatan yang saya bawa"),
    "reconciliation_case": ("Payouts that did not fit", "Pencairan yang tidak cocok"),
    "recovery_code": ("Recovery codes", "Kode pemulihan"),
    "refusal": ("Jobs that I gave back", "Tugas yang saya lepas"),
    "route": ("Routes that I drove", "Rute yang saya tempuh"),
    "second_factor": ("My second factor", "Faktor kedua saya"),
    "statement_line": ("Lines of bank statements", "Baris mutasi bank"),
    "statement_match": ("My payouts on statements", "Pencairan saya pada mutasi"),
    "weighing": ("What was weighed", "Hasil timbang"),
}
