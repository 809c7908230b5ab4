"""The fields that collectors and cities are shown, and of those that are about a person, when."""

from models.people import Role


def _fields(text: str) -> set[str]:
    return set(text.split())


SEEN: dict[Role, dict[str, set[str]]] = {
    Role.COLLECTOR: {
        "disputes.DisputeList": _fields("items next_cursor"),
        "earnings.EarningsView": _fields("available_idr bank_id collector_id held_idr"),
        "fields.Position": _fields("lat lon"),
        "fields.WeighingView": _fields(
            """
            amount_idr condition grams line material price_idr reason rejected_grams
            """
        ),
        "job_views.ClaimedView": _fields("route"),
        "collecting.CollectedView": _fields(
            """
            collector_fee_idr credited_idr expected_idr id settlement status weighings
            """
        ),
        "job_views.JobList": _fields("items next_cursor"),
        "job_views.JobView": _fields(
            """
            area bank_id collector_fee_idr distance_m estimate_idr estimated_grams pickup_id
            position road_is_estimate road_m road_s waiting_s why window
            """
        ),
        "jobs.ProgressView": _fields("claimed_until distance_m pickup_id"),
        "jobs.ReleasedView": _fields("pickup_id status"),
        "job_views.RouteView": _fields("bank_id id stops total_m total_s"),
        "job_views.StopView": _fields(
            "address begin eta late_min leg_m pickup_id position sequence"
        ),
        "job_views.WhyView": _fields("counts_as_m text"),
        "loads.ComparedView": _fields("condition door_grams material station_grams"),
        "loads.LoadLineView": _fields("condition grams material"),
        "loads.LoadList": _fields("items next_cursor"),
        "loads.LoadView": _fields("collector_id lines pickup_count pickups"),
        "loads.ReceivingView": _fields(
            """
            bank_id collector_id created_at decided_at decided_by decision entered_by id
            lines pickup_ids reason status weighed
            """
        ),
        "loads.WaitingView": _fields("collected_at grams id"),
        "passbooks.LineList": _fields("items next_cursor"),
        "passbooks.LineView": _fields(
            """
            at balance_idr corrected_by_journal_id corrects_journal_id description
            dropoff_id id in_idr journal_id kind out_idr payout_id pickup_id
            assisted assisted_by
            """
        ),
        "passbooks.LotList": _fields("items next_cursor"),
        "passbooks.LotView": _fields(
            """
            condition dropoff_id grams grams_per_unit id material paid_idr pickup_id price_idr
            shared_idr sold_grams weighed_at
            """
        ),
        "passbooks.PassbookView": _fields(
            """
            available_idr bank_id grams_total held_idr pending_idr resident_id unsold_grams
            """
        ),
        "payout_views.DestinationCheckView": _fields(
            "name_check name_found shared_with usable_from"
        ),
        "payout_views.FailureView": _fields("en id"),
        "payout_views.MoveList": _fields("items"),
        "payout_views.MoveView": _fields("actor_id at cause detail from_status number to_status"),
        "payout_views.PayoutList": _fields("items next_cursor"),
        "payout_views.PayoutView": _fields(
            """
            account_holder_name account_number amount_idr approved_at approved_by assisted bank_id
            channel_code code_given created_at destination entered_by expires_at failure
            failure_words fee_by fee_idr gateway id leaves_at method paid_at paid_by payout_code
            proof reason receives_idr resident_id retry_of reversed_at sent_at source status
            """
        ),
        "pickups.ItemView": _fields("condition estimated_grams line material price_idr"),
        "pickups.PickupPage": _fields("items next_cursor"),
        "pickups.PickupView": _fields(
            """
            address area arrived_at arrived_off_m bank_id claimed_until collected_at
            collector_id created_at credited_idr ended_reason estimate_idr estimated_grams
            handover_code handover_tries id items note position received resident status
            waits_for_decision window assisted
            """
        ),
        "pickups.ResidentView": _fields("id name phone"),
        "pickups.WindowView": _fields("end start"),
        "routes.HaltView": _fields(
            """
            address begin eta kind late_min leg_m load_grams pickup_id position sequence
            """
        ),
        "routes.InsertionView": _fields(
            """
            added_m added_s after_pickup_id collector_fee_idr late pickup_id
            """
        ),
        "routes.LateView": _fields("late_min pickup_id"),
        "routes.RouteLine": _fields("bank_id collector_id created_at id total_m total_s"),
        "routes.RouteList": _fields("items next_cursor"),
        "routes.RouteView": _fields(
            """
            bank_id collector_id created_at done halts id start start_is_rounded status total_m
            total_s
            """
        ),
        "statements.StatementLineView": _fields(
            """
            at balance_idr corrected_by_journal_id corrects_journal_id date entered_by id in_idr
            journal_id note number out_idr
            """
        ),
        "statements.StatementView": _fields(
            """
            bank_id bank_name closing_idr first_day in_idr language last_day lines name
            opening_idr out_idr passbook_number phone provisional resident_id
            """
        ),
    },
    Role.CITY: {
        "days.DayList": _fields("items next_cursor"),
        "days.DayView": _fields(
            """
            cash_difference_idr closed_at closed_by counted_cash_idr counts day
            despite_unknown is_open_again last_page reason reopened_at reopened_by sealed version
            """
        ),
        "days.DrawerCountView": _fields("counted_idr difference_idr drawer"),
        "mass.MassList": _fields("fewest_people items next_cursor shown_until"),
        "mass.MassView": _fields(
            """
            balance_grams collected_grams day load_grams material missing_grams on_loads_grams
            received_grams residue_grams sold_grams stock_difference_grams stock_grams
            weighing_difference_grams
            """
        ),
        "passbooks.AccountView": _fields("account balance credit debit name unit"),
        "passbooks.TrialBalanceView": _fields("at bank_id items sums"),
        "policies.PolicyList": _fields("items next_cursor"),
        "policies.PolicyView": _fields(
            """
            assisted_payout_limit_idr age_floor_m age_tau_s bank_id cash_needs_code collectors_permille
            correction_limit_idr created_at credit_when destination_waits_h entered_by
            fee_floor_idr fee_free_m fee_per_kg_idr fee_per_km_idr fee_per_stop_idr id
            lease_s max_held_grams max_held_jobs min_dropoff_grams min_payout_idr
            min_pickup_grams payout_expires_h payout_fee_by payout_fee_permille
            payout_weekday residents_permille road_extra_m road_factor road_speed_kmh
            service_radius_m settlement tolerance_grams tolerance_permille valid_from
            """
        ),
    },
}

_HELD = "of the job held; null or empty once the day of its weighing is over"
_OFFICER = "an officer's or the collector's own id, no resident's"
_WITH_CARD = "of whose card is shown"
_PAID = "of their own earnings, or of whose card is shown"
PERSONAL: dict[Role, dict[str, str]] = {
    Role.COLLECTOR: {
        "pickups.PickupView.resident": _HELD,
        "pickups.PickupView.address": _HELD,
        "pickups.PickupView.note": _HELD,
        "pickups.PickupView.position": "of the job held; rounded once the day is over",
        "pickups.PickupView.handover_code": "null, but for the resident",
        "pickups.PickupView.ended_reason": "what was said to the collector, or by them",
        "pickups.ResidentView.name": _HELD,
        "pickups.ResidentView.phone": _HELD,
        "job_views.JobView.position": "rounded: before the claim",
        "job_views.JobView.area": "without the house number",
        "job_views.StopView.address": "of jobs just claimed",
        "job_views.StopView.position": "of jobs just claimed",
        "routes.HaltView.address": "of jobs held",
        "routes.HaltView.position": "of jobs held",
        "loads.ReceivingView.entered_by": _OFFICER,
        "passbooks.PassbookView.resident_id": _WITH_CARD,
        "statements.StatementView.name": _WITH_CARD,
        "statements.StatementView.passbook_number": _WITH_CARD,
        "statements.StatementView.phone": _WITH_CARD,
        "statements.StatementView.resident_id": _WITH_CARD,
        "payout_views.PayoutView.resident_id": _PAID,
        "payout_views.PayoutView.account_holder_name": _PAID,
        "payout_views.PayoutView.account_number": _PAID,
        "payout_views.PayoutView.payout_code": _PAID,
        "payout_views.PayoutView.entered_by": _PAID,
        "payout_views.PayoutView.approved_by": _OFFICER,
        "payout_views.PayoutView.paid_by": _OFFICER,
        "payout_views.MoveView.actor_id": _OFFICER,
        "loads.ReceivingView.decided_by": _OFFICER,
    },
    Role.CITY: {
        "policies.PolicyView.entered_by": "null",
        "days.DayView.closed_by": "null",
        "days.DayView.reopened_by": "null",
        "days.DayView.reason": "empty",
        "days.DayView.despite_unknown": "empty",
        "days.DayView.counts": "none",
        "passbooks.AccountView.account": "a kind of accounts",
        "passbooks.AccountView.name": "empty",
    },
}
"""What is about a person, and when or how it is shown."""
