"""Which columns say something of a person, and what becomes of each.

Every column of every table stands here: a new one fails a test until somebody has decided.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType


class Fate(StrEnum):
    """What becomes of a column when the person whose row it is in is deleted."""

    PLAIN = "plain"
    """Says nothing of a person."""
    PSEUDONYM = "pseudonym"
    """An id that stays, and leads nowhere once the person is deleted."""
    ERASED = "erased"
    MASKED = "masked"
    """The last four digits stay, with the books."""
    ROUNDED = "rounded"
    """To about a kilometre; also of people who stay, once it is old."""
    SCRUBBED = "scrubbed"
    """Words of others, out of which the names and numbers of the deleted are taken."""
    CLEAN = "clean"
    """Words that can't be changed any more: numbers are taken out before they are written."""
    HIDDEN = "hidden"
    """A hash, or a copy that is forgotten soon: nobody is shown it. Goes with the person."""
    EXPIRES = "expires"
    """Words of others to us, deleted after a while, and emptied if they speak of the deleted."""
    THIRD = "third"
    """Of somebody who is no user, such as a buyer: the bank's to correct."""


Columns = Mapping[str, Fate]


def _columns(**by_fate: str) -> Columns:
    return MappingProxyType(
        {name: Fate(fate) for fate, names in by_fate.items() for name in names.split()}
    )


COLUMNS: dict[str, Columns] = {
    "audit_entry": _columns(
        plain="bank_id id page at act status card_id about_kind",
        pseudonym="actor_id on_behalf_of person_id about address device_id",
    ),
    "audit_own": _columns(plain="id at act", pseudonym="person_id device_id address"),
    "bank": _columns(
        plain="id name kind address district_code lat lon time_zone hours created_at",
    ),
    "breach": _columns(
        plain="bank_id id known_at due_at whole_bank created_at",
        pseudonym="entered_by",
        clean="what",
    ),
    "breach_notice": _columns(
        plain="bank_id breach_id told at", pseudonym="entered_by", clean="text"
    ),
    "breach_person": _columns(plain="bank_id breach_id", pseudonym="person_id"),
    "buyer": _columns(
        plain="bank_id id created_at", pseudonym="entered_by", third="name phone note"
    ),
    "card": _columns(
        plain="bank_id id issued_at revoked_at",
        pseudonym="resident_id issued_by revoked_by",
        hidden="token_hash",
    ),
    "city_month": _columns(plain="bank_id ends_at debit credit amount", pseudonym="people"),
    "column_map": _columns(plain="bank_id id name spec created_at", pseudonym="entered_by"),
    "consent": _columns(plain="id purpose given version at", pseudonym="person_id entered_by"),
    "correction": _columns(
        plain="bank_id id journal_id amount_idr needs_two status asked_at decided_at reversal_id",
        pseudonym="asked_by decided_by",
        scrubbed="reason decision_reason",
    ),
    "deletion": _columns(plain="at", pseudonym="person_id entered_by"),
    "deletion_trace": _columns(plain="kind words", pseudonym="person_id", hidden="hash"),
    "destination": _columns(
        plain="bank_id id channel_code usable_from shared_with name_check check_due_at"
        " check_tries created_at ended_at",
        pseudonym="resident_id entered_by",
        erased="account_number account_holder_name name_found",
    ),
    "device": _columns(
        plain="id created_at last_used_at proved_at ended_at", pseudonym="person_id", erased="name"
    ),
    "district": _columns(plain="code regency_code name villages"),
    "drawer": _columns(
        plain="bank_id id name opened_at closed_at", pseudonym="officer_id opened_by closed_by"
    ),
    "drawer_count": _columns(
        plain="bank_id id drawer counted_idr difference_idr moves counted_at day day_version",
        pseudonym="counted_by",
        clean="memo",
    ),
    "dropoff": _columns(
        plain="bank_id id credited_idr created_at", pseudonym="resident_id entered_by"
    ),
    "event": _columns(
        plain="bank_id id kind created_at due_at fence done_at failure",
        pseudonym="person_id",
        erased="body",
    ),
    "gateway_callback": _columns(
        plain="id gateway digest received_at due_at tries handled_at outcome",
        expires="body headers",
    ),
    "gateway_float": _columns(
        plain="bank_id gateway balance_idr balance_at stopped_at stopped_why resumed_at",
        pseudonym="resumed_by",
    ),
    "handover_attempt": _columns(
        plain="bank_id id pickup_id claim_number collected_at created_at",
        pseudonym="collector_id",
        scrubbed="weighings",
    ),
    "idempotency": _columns(
        plain="bank_id key status created_at",
        pseudonym="person_id",
        hidden="request_hash body",
    ),
    "ledger_account": _columns(
        plain="bank_id id unit floor shards created_at", pseudonym="code owner_id"
    ),
    "ledger_balance": _columns(
        plain="bank_id account_id shard floor debits_posted credits_posted debits_pending"
        " credits_pending version",
    ),
    "ledger_day": _columns(
        plain="bank_id day version last_page counted_cash_idr cash_difference_idr closed_at",
        pseudonym="closed_by",
        clean="despite_unknown",
    ),
    "ledger_day_seal": _columns(
        plain="bank_id day version form page transfers head balances key_id signature sealed_at",
    ),
    "ledger_entry": _columns(
        plain="bank_id account_id shard version transfer_id amount balance_after pending_after",
    ),
    "ledger_journal": _columns(
        plain="bank_id id kind about_id reverses_id page created_at",
        pseudonym="actor_id",
        clean="memo",
    ),
    "ledger_page": _columns(plain="bank_id number day opened_at"),
    "ledger_reopening": _columns(
        plain="bank_id day version first_page reopened_at", pseudonym="reopened_by", clean="reason"
    ),
    "ledger_seal": _columns(
        plain="bank_id page form transfers leaves root audit_entries audit_leaves audit_root"
        " previous head key_id signature sealed_at",
    ),
    "ledger_transfer": _columns(
        plain="bank_id id key kind pending_id journal_id debit_account_id debit_shard"
        " credit_account_id credit_shard amount unit event_at created_at",
    ),
    "lot": _columns(
        plain="bank_id id pickup_id dropoff_id material condition grams price_idr grams_per_unit"
        " weighed_at sold_grams paid_idr shared_idr",
        pseudonym="resident_id collector_id",
    ),
    "lot_sale": _columns(plain="bank_id sale_id lot_id grams amount_idr share_idr taken_back_at"),
    "material": _columns(plain="code name aliases group_name sipsn_class unit grams_per_unit note"),
    "membership": _columns(
        plain="bank_id role created_at", pseudonym="person_id entered_by passbook_number"
    ),
    "outside_identity": _columns(
        plain="issuer created_at", pseudonym="person_id", erased="subject"
    ),
    "payout": _columns(
        plain="bank_id id source amount_idr method channel_code destination_id gateway fee_idr fee_by"
        " status moves cause moved_at hold_id approved_at paid_at code_tries code_given ended_at"
        " expires_at key gateway_id due_at fence tries asked_at sent_at unknown_at reversed_at"
        " failure retry_of created_at",
        pseudonym="resident_id entered_by moved_by approved_by paid_by ended_by",
        masked="account_number",
        erased="account_holder_name",
        scrubbed="reason proof cause_detail",
    ),
    "payout_channel": _columns(
        plain="bank_id gateway code name is_wallet minimum_idr maximum_idr fee_idr seen_at",
    ),
    "payout_move": _columns(
        plain="bank_id payout_id number from_status to_status cause at",
        pseudonym="actor_id",
        clean="detail",
    ),
    "person": _columns(
        plain="language deleted_at created_at",
        pseudonym="id",
        erased="phone name nik_sealed",
        hidden="nik_hash",
    ),
    "pickup": _columns(
        plain="bank_id id policy_id status area window_start window_end estimated_grams"
        " estimate_idr claim_number claimed_at claimed_until route_id route_sequence leg_m"
        " receiving_id arrived_at code_tries collected_at credited_idr place_forgotten_at"
        " created_at",
        pseudonym="resident_id entered_by collector_id",
        erased="address note",
        rounded="lat lon cell closest_m arrived_off_m",
        scrubbed="ended_reason",
    ),
    "pickup_item": _columns(
        plain="bank_id pickup_id line material condition estimated_grams price_idr",
    ),
    "plan": _columns(
        plain="bank_id id day status planner seed budget_s result progress_permille failure"
        " cancel_asked fence due_at created_at started_at applied_at ended_at place_forgotten_at",
        pseudonym="entered_by applied_by",
        rounded="asked",
    ),
    "policy": _columns(
        plain="bank_id id valid_from service_radius_m min_pickup_grams min_dropoff_grams"
        " min_payout_idr age_floor_m age_tau_s max_held_jobs max_held_grams lease_s road_factor"
        " road_extra_m road_speed_kmh fee_per_stop_idr fee_per_kg_idr fee_per_km_idr fee_free_m"
        " fee_floor_idr settlement credit_when tolerance_permille tolerance_grams"
        " residents_permille collectors_permille correction_limit_idr payout_expires_h"
        " payout_fee_by payout_fee_permille payout_weekday destination_waits_h cash_needs_code"
        " assisted_payout_limit_idr"
        " created_at",
        pseudonym="entered_by",
    ),
    "price": _columns(
        plain="bank_id id material condition channel price_idr valid_from created_at",
        pseudonym="entered_by",
    ),
    "receiving": _columns(
        plain="bank_id id weighed status decision decided_at created_at",
        pseudonym="collector_id entered_by decided_by",
        scrubbed="reason",
    ),
    "receiving_line": _columns(
        plain="bank_id receiving_id material condition door_grams station_grams",
    ),
    "reconciliation_case": _columns(
        plain="bank_id id import_id source holding kind why status line_id payout_id expected_idr found_idr"
        " proposed_action since opened_at due_on action ended_at transfer_id",
        pseudonym="owner_id resolved_by",
        scrubbed="reason",
    ),
    "recovery_code": _columns(
        plain="created_at used_at", pseudonym="person_id", hidden="code_hash"
    ),
    "refresh_token": _columns(
        plain="created_at expires_at used_at", pseudonym="device_id", hidden="token_hash"
    ),
    "refusal": _columns(
        plain="bank_id id pickup_id refused_on created_at",
        pseudonym="collector_id",
        scrubbed="reason",
    ),
    "route": _columns(
        plain="bank_id id total_m total_s place_forgotten_at created_at",
        pseudonym="collector_id",
        rounded="lat lon",
    ),
    "sale": _columns(
        plain="bank_id id buyer_id policy_id material grams missing_grams amount_idr lot_grams lots_idr"
        " residents_idr collectors_idr kept_idr sold_at taken_back_at",
        pseudonym="sold_by",
        scrubbed="note",
    ),
    "second_factor": _columns(
        plain="created_at confirmed_at last_step tries tries_since",
        pseudonym="person_id",
        hidden="secret",
    ),
    "sign_in_code": _columns(
        plain="id tries created_at expires_at used_at", hidden="phone_hash address code_hash"
    ),
    "statement_import": _columns(
        plain="bank_id id source holding profile sha256 first_at last_at opening_idr closing_idr"
        " line_count new_count imported_at withdrawn_at",
        pseudonym="imported_by withdrawn_by",
        scrubbed="withdrawn_reason",
    ),
    "statement_line": _columns(
        plain="bank_id id import_id source number external_id line_type occurrence gateway_id"
        " amount_idr balance_idr booked_at booked_until withdrawn_at",
        masked="account_number",
        scrubbed="reference",
        erased="raw",
    ),
    "statement_match": _columns(
        plain="bank_id id line_id part payout_id leg rule matched_at undone_at",
        pseudonym="matched_by undone_by",
        scrubbed="undone_reason",
    ),
    "stock_count": _columns(
        plain="bank_id id material counted_grams difference_grams counted_at",
        pseudonym="counted_by",
        clean="note",
    ),
    "weighing": _columns(
        plain="bank_id id pickup_id dropoff_id line material condition grams rejected_grams"
        " price_idr amount_idr",
        scrubbed="reason",
    ),
}
"""Every column, by table."""


def having(fate: Fate) -> Iterator[tuple[str, str]]:
    """The columns of this fate, with their tables."""
    for table, columns in COLUMNS.items():
        yield from ((table, name) for name, its in columns.items() if its is fate)
