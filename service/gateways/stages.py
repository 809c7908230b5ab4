"""Every documented status and failure of the gateways, in the words they share."""

from collections.abc import Mapping

from service.gateways import Stage

WITHOUT_PAYMENT = (Stage.FAILED, Stage.CANCELLED, Stage.REVERSED)
"""Ends that say why: where a gateway names no failure, its status has to do."""

XENDIT_STAGES: Mapping[str, Stage] = {
    "ACCEPTED": Stage.SENT,
    "PENDING_COMPLIANCE_ASSESSMENT": Stage.SENT,
    "REQUESTED": Stage.SENT,
    # The next two, and EXPIRED, are of cash that is fetched at a counter.
    "READY": Stage.SENT,
    "LOCKED": Stage.SENT,
    "SUCCEEDED": Stage.PAID,
    "FAILED": Stage.FAILED,
    "COMPLIANCE_REJECTED": Stage.FAILED,
    "EXPIRED": Stage.FAILED,
    "CANCELLED": Stage.CANCELLED,
    "REVERSED": Stage.REVERSED,
}

XENDIT_EMPTY = "INSUFFICIENT_BALANCE"
XENDIT_PASSING = frozenset({"TEMPORARY_TRANSFER_ERROR", XENDIT_EMPTY})

XENDIT_REFUSALS = frozenset(
    {
        "API_VALIDATION_ERROR",
        "INVALID_JSON_FORMAT",
        "CHANNEL_CODE_NOT_SUPPORTED",
        "CHANNEL_CODE_NOT_SUPPORTED_ERROR",
        "RECIPIENT_ACCOUNT_NUMBER_ERROR",
        "RECIPIENT_AMOUNT_ERROR",
        "MAXIMUM_TRANSFER_LIMIT_ERROR",
    }
)
"""Nothing was taken, and never will be as it is."""

IRIS_FAILED = "failed"
IRIS_STAGES: Mapping[str, Stage] = {
    "queued": Stage.SENT,
    "approved": Stage.SENT,
    "processed": Stage.SENT,
    "completed": Stage.PAID,
    # Also of a completed one that the bank sent back.
    IRIS_FAILED: Stage.FAILED,
    "rejected": Stage.FAILED,
}

IRIS_EMPTY = "016"
# The gateway's own bank is short of money, or something technical went wrong.
IRIS_PASSING = frozenset({IRIS_EMPTY, "009", "018", "021", "022", "023", "024"})
# The bank didn't answer, or has done the same before: the money may have gone.
IRIS_DOUBTFUL = frozenset({"005", "006", "007"})
