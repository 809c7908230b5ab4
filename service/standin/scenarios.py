"""What happens to a payout, by the last four digits of its account number."""

from dataclasses import dataclass

from service.gateways.coverage import Kind

STAYS = "131313"
"""Xendit's own: stays accepted, so that cancelling can be tried."""

FAILS = "0001"
FAILS_ONCE = "0002"
COMES_BACK = "0003"
NOT_ANSWERED = "0004"
TOLD_TWICE = "0005"
TOLD_FIRST = "0006"
TOLD_FALSELY = "0007"
NOT_COMPLIANT = "0008"
ANSWERED_500 = "0009"
NOT_TOLD = "0010"
FAILS_DOUBTFULLY = "0011"

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Words:
    """What a gateway calls the stages and failures of its payouts."""

    accepted: str
    under_way: str
    paid: str
    failed: str
    came_back: str
    in_review: str
    not_compliant: str
    no_such_account: str
    doubtful: str
    """Empty where no failure leaves it open whether the money is gone."""
    passing: str
    empty: str


XENDIT = Words(
    accepted="ACCEPTED",
    under_way="REQUESTED",
    paid="SUCCEEDED",
    failed="FAILED",
    came_back="REVERSED",
    in_review="PENDING_COMPLIANCE_ASSESSMENT",
    not_compliant="COMPLIANCE_REJECTED",
    no_such_account="INVALID_DESTINATION",
    doubtful="",
    passing="TEMPORARY_TRANSFER_ERROR",
    empty="INSUFFICIENT_BALANCE",
)
IRIS = Words(
    accepted="approved",
    under_way="processed",
    paid="completed",
    failed="failed",
    came_back="failed",
    in_review="approved",
    not_compliant="rejected",
    no_such_account="002",
    doubtful="005",
    passing="018",
    empty="016",
)
WORDS: dict[Kind, Words] = {"xendit": XENDIT, "iris": IRIS}


@dataclass(frozen=True, slots=True)
class Step:
    """The next status of a payout, so many seconds after the one before."""

    after_s: float
    status: str
    failure: str = ""


def scenario(account: str) -> str:
    """Which scenario an account number asks for; most ask for none."""
    return STAYS if account == STAYS else account[-4:]


def course(words: Words, account: str, *, is_first: bool, settle_s: float) -> list[Step]:
    """All that will happen to a payout once it is accepted, if there is money enough.

    `is_first` says that this account was never paid to before.
    """
    asked = scenario(account)
    half_s = 0.0 if asked == TOLD_FIRST else settle_s / 2
    if asked == STAYS:
        return []
    if asked == NOT_COMPLIANT:
        return [Step(half_s, words.in_review), Step(half_s, words.not_compliant)]
    steps = [Step(half_s, words.under_way)]
    if asked == FAILS:
        return [*steps, Step(half_s, words.failed, words.no_such_account)]
    if asked == FAILS_ONCE and is_first:
        return [*steps, Step(half_s, words.failed, words.passing)]
    if asked == FAILS_DOUBTFULLY and words.doubtful:
        return [*steps, Step(half_s, words.failed, words.doubtful)]
    steps.append(Step(half_s, words.paid))
    return [*steps, Step(DAY_S, words.came_back)] if asked == COMES_BACK else steps
