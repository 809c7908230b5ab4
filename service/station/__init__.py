"""The second weighing at the bank: loads, receiving them, and what is disputed."""

from service.station.arithmetic import Compared, What
from service.station.disputes import (
    DisputeAlreadyDecided,
    OwnDispute,
    Wanted,
    decide,
    find_own,
    shown,
    visible,
)
from service.station.loads import Bias, Load, Waiting, biases, on_vehicles
from service.station.receiving import (
    LoadAlreadyReceived,
    NotOnThisLoad,
    OnScale,
    Received,
    ReceiveOneAtATime,
    Unloaded,
    receive,
)

__all__ = [
    "Bias",
    "Compared",
    "DisputeAlreadyDecided",
    "Load",
    "LoadAlreadyReceived",
    "NotOnThisLoad",
    "OnScale",
    "OwnDispute",
    "ReceiveOneAtATime",
    "Received",
    "Unloaded",
    "Waiting",
    "Wanted",
    "What",
    "biases",
    "decide",
    "find_own",
    "on_vehicles",
    "receive",
    "shown",
    "visible",
]
