"""What is weighed is credited: at the door by the collector, at the bank by an operator."""

from service.weighing.attempts import (
    HandoverCodeLocked,
    WrongHandoverCode,
    evidence,
    weighed_in,
)
from service.weighing.counter import TooLittleBrought, dropoff
from service.weighing.door import (
    ClaimNotHeld,
    CollectedAtNotPossible,
    Handover,
    NothingToDecide,
    PickupAlreadyCollected,
    collect,
    decide,
)
from service.weighing.lines import Credited, OwnWeighing, Weighed
from service.weighing.unusual import UnusualWeighing

__all__ = [
    "ClaimNotHeld",
    "CollectedAtNotPossible",
    "Credited",
    "Handover",
    "HandoverCodeLocked",
    "NothingToDecide",
    "OwnWeighing",
    "PickupAlreadyCollected",
    "TooLittleBrought",
    "UnusualWeighing",
    "Weighed",
    "WrongHandoverCode",
    "collect",
    "decide",
    "dropoff",
    "evidence",
    "weighed_in",
]
