"""Payouts: asked for, approved by another, paid in cash or sent through a gateway."""

from service.payouts.callbacks import CallbackNotGenuine, GatewayUnknown, receive
from service.payouts.cash import CashNeedsCode, WrongPayoutCode, pay_cash, sign
from service.payouts.channels import (
    ChannelNotOffered,
    FeeChanged,
    FeeTooHigh,
    Offer,
    PayoutTooLarge,
    PayoutTooSmall,
    offers,
)
from service.payouts.deciding import (
    NOT_APPROVED_IN_TIME,
    OwnPayout,
    approve,
    cancel,
    expire_next,
    reject,
)
from service.payouts.destinations import DestinationNotValid, destination_of, masked
from service.payouts.floats import (
    FloatView,
    NoSuchGateway,
    QueueNotStopped,
    TopUp,
    floats_of,
    resume,
    top_up,
)
from service.payouts.moving import PayoutNotOpen
from service.payouts.reading import destinations_of, find_own, moves_of, visible
from service.payouts.requesting import MethodNotOffered, Request, request
from service.payouts.retrying import NotRetryable, retry
from service.payouts.sending import Sender

__all__ = [
    "NOT_APPROVED_IN_TIME",
    "CallbackNotGenuine",
    "CashNeedsCode",
    "ChannelNotOffered",
    "DestinationNotValid",
    "FeeChanged",
    "FeeTooHigh",
    "FloatView",
    "GatewayUnknown",
    "MethodNotOffered",
    "NoSuchGateway",
    "NotRetryable",
    "Offer",
    "OwnPayout",
    "PayoutNotOpen",
    "PayoutTooLarge",
    "PayoutTooSmall",
    "QueueNotStopped",
    "Request",
    "Sender",
    "TopUp",
    "WrongPayoutCode",
    "approve",
    "cancel",
    "destination_of",
    "destinations_of",
    "expire_next",
    "find_own",
    "floats_of",
    "masked",
    "moves_of",
    "offers",
    "pay_cash",
    "receive",
    "reject",
    "request",
    "resume",
    "retry",
    "sign",
    "top_up",
    "visible",
]
