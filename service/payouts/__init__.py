"""Payouts: asked for, approved by another, paid in cash or sent through a gateway."""

from service.payouts.assisted import AssistedLimitReached, HelpersAccount
from service.payouts.callbacks import Call, CallbackNotGenuine, GatewayUnknown, receive
from service.payouts.cash import (
    CardIssuedByYou,
    CashNeedsCode,
    NotPaidInCash,
    Signed,
    WrongPayoutCode,
    pay_cash,
    sign,
)
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
from service.payouts.doubting import DOUBT_FOR, StillInDoubt, decide
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
from service.payouts.reading import destinations_of, find_own, moves_of, visible, why_failed
from service.payouts.requesting import MethodNotOffered, Request, request
from service.payouts.retrying import NotRetryable, retry
from service.payouts.sending import Sender
from service.payouts.settling import Effect
from service.payouts.settling import apply as settle
from service.payouts.together import Lanes

__all__ = [
    "DOUBT_FOR",
    "NOT_APPROVED_IN_TIME",
    "AssistedLimitReached",
    "Call",
    "CallbackNotGenuine",
    "CardIssuedByYou",
    "CashNeedsCode",
    "ChannelNotOffered",
    "DestinationNotValid",
    "Effect",
    "FeeChanged",
    "FeeTooHigh",
    "FloatView",
    "GatewayUnknown",
    "HelpersAccount",
    "Lanes",
    "MethodNotOffered",
    "NoSuchGateway",
    "NotPaidInCash",
    "NotRetryable",
    "Offer",
    "OwnPayout",
    "PayoutNotOpen",
    "PayoutTooLarge",
    "PayoutTooSmall",
    "QueueNotStopped",
    "Request",
    "Sender",
    "Signed",
    "StillInDoubt",
    "TopUp",
    "WrongPayoutCode",
    "approve",
    "cancel",
    "decide",
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
    "settle",
    "sign",
    "top_up",
    "visible",
    "why_failed",
]
