"""Signing in by phone."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from service import audit, auth, members
from service.api import auditing
from service.api.dependencies import CurrentParts, Parts
from service.api.errors import CodeNotSent, RequestMalformed, documented
from service.api.fields import PLAIN, Sent
from service.api.late import VitalRoute
from service.errors import FieldProblem
from service.messages import SIGN_IN_CODE, Message, MessageNotSent

router = APIRouter(prefix="/v1/auth", tags=["sign-in"], route_class=VitalRoute)

Phone = Annotated[
    str,
    Field(min_length=3, max_length=members.LONGEST_PHONE, examples=["0811-0000-1001"]),
]


SecondFactorCode = Annotated[str, Field(min_length=1, max_length=32, examples=["123456"])]


class CodeInput(Sent):
    phone: Phone


class CodeView(BaseModel):
    expires_in_s: int
    resend_after_s: int


class TokenInput(Sent):
    """Either a phone with its code, or a refresh token.

    Who has set up a second factor gives a code of it as well, or a recovery code.
    """

    phone: Phone | None = None
    code: Annotated[str | None, Field(max_length=12)] = None
    second_factor: SecondFactorCode | None = None
    refresh_token: Annotated[str | None, Field(min_length=1, max_length=128)] = None
    device: Annotated[
        Annotated[str, Field(max_length=auth.LONGEST_NAME), PLAIN] | None,
        Field(description="What the list of devices calls it"),
    ] = None


class TokenView(BaseModel):
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in_s: int


@router.post(
    "/codes",
    status_code=202,
    responses=documented(
        members.PhoneNotValid,
        auth.TooManyCodes,
        auth.TooManyFromHere,
        auth.TooManyWrongCodes,
        CodeNotSent,
    ),
)
async def send_code(body: CodeInput, request: Request, parts: CurrentParts) -> CodeView:
    """Send a one-time code to a phone. The answer is the same whether the phone is known."""
    phone = members.normal_phone(body.phone)
    address = address_of(request)
    async with parts.database.transaction() as session:
        asked = await auth.request_code(session, parts.keys, terms_of(parts), phone, address)
    if asked.code is not None:
        await _send(parts, phone, asked, address)
    return CodeView(expires_in_s=asked.expires_in_s, resend_after_s=asked.resend_after_s)


@router.post(
    "/tokens",
    responses=documented(
        members.PhoneNotValid,
        auth.WrongCode,
        auth.SecondFactorNeeded,
        auth.WrongSecondFactor,
        auth.TooManySecondFactors,
        auth.SessionEnded,
    ),
)
async def exchange(body: TokenInput, request: Request, parts: CurrentParts) -> TokenView:
    """Exchange a code, or a refresh token that works once, for tokens.

    Without the second factor of whoever has one the answer is `second_factor_needed`; the code
    still works then. A refresh token that comes a second time signs its device out.
    """
    async with parts.database.transaction() as session:
        if body.refresh_token is not None:
            tokens = await auth.exchange_refresh_token(
                session, parts.keys, terms_of(parts), body.refresh_token
            )
        else:
            proof = _proof(body, request)
            tokens = await auth.exchange_code(session, parts.keys, terms_of(parts), proof)
            await audit.note_own(
                session,
                tokens.person_id,
                "sign_in",
                address=auditing.address_of(request),
                device_id=auth.read_access_token(parts.keys, tokens.access)[1],
            )
    return TokenView(
        access_token=tokens.access,
        refresh_token=tokens.refresh,
        token_type="bearer",  # noqa: S106
        expires_in_s=tokens.expires_in_s,
    )


def address_of(request: Request) -> str:
    # Of who came through a proxy that is trusted, uvicorn has put their own address there.
    return request.client.host if request.client else ""


async def _send(parts: Parts, phone: str, asked: auth.CodeRequest, address: str) -> None:
    """Send a code; one that didn't go out is taken back, so another may be asked for at once."""
    message = _message(phone, asked.code or "", asked.expires_in_s // 60)
    try:
        await parts.messenger.send(message)
    except MessageNotSent:
        async with parts.database.transaction() as session:
            await auth.take_back(session, parts.keys, phone, address)
        raise CodeNotSent from None


def terms_of(parts: Parts) -> auth.Terms:
    settings = parts.settings
    return auth.Terms(
        access_s=settings.access_token_s,
        refresh_days=settings.refresh_token_days,
        resend_s=settings.code_resend_s,
        codes_per_hour=settings.codes_per_hour,
        codes_per_address_hour=settings.most_codes_per_address,
    )


def _proof(body: TokenInput, request: Request) -> auth.Proof:
    if body.phone is None or body.code is None:
        lacking = "phone" if body.phone is None else "code"
        raise RequestMalformed(
            FieldProblem(
                f"/{lacking}",
                "Give a phone with its code, or a refresh_token.",
                "Berikan nomor telepon dengan kodenya, atau refresh_token.",
            )
        )
    device = auth.name_of(body.device, request.headers.get("user-agent", ""))
    phone = members.normal_phone(body.phone)
    return auth.Proof(phone, body.code, device, address_of(request), body.second_factor)


def _message(phone: str, code: str, minutes: int) -> Message:
    """Codes go out in Indonesian: before the sign-in nobody's language is known."""
    return Message(
        to=phone,
        kind=SIGN_IN_CODE,
        text=f"Kode masuk Jumpa Madu: {code}. Berlaku {minutes} menit. Jangan berikan ke siapa pun.",
        language="id",
        fields={"code": code, "minutes": str(minutes)},
    )
