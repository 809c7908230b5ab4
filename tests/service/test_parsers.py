"""Whatever is written anywhere, it is read or refused in the parser's own words."""

import base64
import json
from collections.abc import Callable
from datetime import UTC
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from models.base import instant_of, utc_now
from service import members
from service.api import auditing, remembered
from service.api.bank_statements import ColumnMapInput
from service.api.dependencies import KeyHeader, Page
from service.api.errors import RequestMalformed
from service.api.fields import Day, Instant, Position
from service.assisting import CardNotValid, cards
from service.auth import NoValidToken, read_access_token, recovery, totp
from service.auth.addresses import household_of
from service.cli import breaching, degrees, ids, pricing
from service.cli.refusals import Refused
from service.errors import Problem
from service.gateways import accounts
from service.gateways.accounts import GatewaysFileNotReadable
from service.keys import Keys, public_keys_in
from service.oidc import jwks, opening
from service.oidc.issuers import Mapping
from service.prices.importing import PriceFileNotReadable, read_prices
from service.reconciliation.readers.columns import Columns, read_csv
from service.reconciliation.readers.shapes import StatementNotReadable
from service.sealing import noted
from service.sealing.canonical import FIELDS
from service.sealing.proving import NoReceipt, prove
from service.takeover import MemberFileNotReadable, read_members


class NoError(Exception):
    """Of what takes any text."""


FAST = settings(max_examples=60)
JAKARTA = ZoneInfo("Asia/Jakarta")
# Beside any text: what begins like the right thing.
TEXTS = st.text(max_size=60) | st.text("+0123456789-:T.Z/,; ", max_size=30)
BASE64 = st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
COLUMNS = Columns(booked_at="date", amount="amount")


def typed(annotation: Any) -> Callable[[Any], Any]:
    return TypeAdapter(annotation).validate_python


PARSERS: dict[str, tuple[Callable[[str], Any], type[Exception]]] = {
    "phone": (members.normal_phone, members.PhoneNotValid),
    "prices": (lambda text: read_prices(text, {"PET"}), PriceFileNotReadable),
    "price rows": (
        lambda text: read_prices(f"material,condition,channel,price_idr\n{text}", {"PET"}),
        PriceFileNotReadable,
    ),
    "member rows": (
        lambda text: read_members(f"name,phone,balance_idr\n{text}"),
        MemberFileNotReadable,
    ),
    "columns": (
        lambda text: read_csv(f"date,amount\n{text}", "own", COLUMNS),
        StatementNotReadable,
    ),
    "date format": (
        lambda text: read_csv(
            "date,amount\n2026-11-01,5", "own", Columns("date", amount="amount", date_format=text)
        ),
        StatementNotReadable,
    ),
    "cursor of an id": (lambda text: Page(1, text).before_id, RequestMalformed),
    "cursor of a number": (lambda text: Page(1, text).before_number, RequestMalformed),
    "cursor of a part": (lambda text: Page(1, text).after_part, RequestMalformed),
    "idempotency key": (typed(KeyHeader), ValidationError),
    "instant": (typed(Instant), ValidationError),
    "day": (typed(Day), ValidationError),
    "card": (cards._bank_of, CardNotValid),
    "public keys": (public_keys_in, ValueError),
    "degrees": (degrees.longitude, typer.BadParameter),
    "id": (ids.id_of, typer.BadParameter),
    "instant of a breach": (breaching._instant, Refused),
    "instant of prices": (lambda text: pricing._instant(text, JAKARTA), Refused),
    "code of an app": (lambda text: totp.step_of("A" * 32, text, utc_now()), NoError),
    "recovery code": (recovery.normal, NoError),
    "address": (household_of, NoError),
    "network": (auditing.network_of, NoError),
    "gateways": (
        lambda text: accounts._accounts(text, lambda _, why: GatewaysFileNotReadable(why)),
        GatewaysFileNotReadable,
    ),
    "noted head": (lambda text: [*noted._heads([text.encode()])], NoError),
    "issuer of a token": (opening._issuer_of, NoError),
    "remembered answer": (remembered.kept, NoError),
}


@pytest.mark.parametrize("name", PARSERS)
@FAST
@given(text=TEXTS | BASE64)
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    read, refusal = PARSERS[name]
    try:
        read(text)
    except refusal as refused:
        assert str(refused) or isinstance(refused, Problem)


@FAST
@given(TEXTS, st.dictionaries(st.sampled_from(["kid", "alg", "typ", "crit"]), JSON), JSON)
def test_any_token_is_read_or_refused(
    keys: Keys, text: str, head: dict[str, Any], claims: Any
) -> None:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    for token in (text, f"{part(head)}.{part(claims)}.{text}", f"{part(head)}.{text}.AAAA"):
        with pytest.raises(NoValidToken):
            read_access_token(keys, token)
        assert isinstance(opening._issuer_of(token), str)


@FAST
@given(st.dictionaries(st.sampled_from(["roles", "realm", "a"]), JSON), st.text(max_size=8))
def test_any_claims_give_a_part_or_none(claims: dict[str, Any], value: str) -> None:
    banks: Any = "*"
    for claim in ("roles", "realm.a", "realm..a", "."):
        if value:
            mapping = Mapping(claim=claim, value=value, role="city", banks=banks)
            assert mapping.fits(claims) in (True, False)


@FAST
@given(
    st.dictionaries(
        st.sampled_from(["keys", "issuer"]),
        JSON
        | st.lists(
            st.dictionaries(
                st.sampled_from(["kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"]),
                JSON
                | st.sampled_from(["RSA", "EC", "OKP", "sig", "Ed25519", "P-256", "AQAB", "ES256"]),
            )
        ),
    )
)
def test_any_key_set_has_usable_keys_or_none(described: dict[str, Any]) -> None:
    for key_id, key in jwks._usable(described).items():
        assert isinstance(key_id, str)
        assert key.key_type in ("RSA", "EC", "OKP")


@FAST
@given(JSON)
def test_any_place_is_on_the_globe_or_refused(value: Any) -> None:
    for said in (value, {"lat": value, "lon": 98.87}, {"lat": 3.56, "lon": value}):
        try:
            place = Position.model_validate(said)
        except ValidationError:
            continue
        assert -90 <= place.lat <= 90
        assert -180 <= place.lon <= 180


RECEIPT = ("sealed", "transfers", "public_keys", "bank_id", "kind", "at", "lines")
TRANSFER = ("fields", "page", "path", "index", "amount", "unit", "debit", "credit")
PAGE = ("key_id", "page", "form", "transfers", "root", "previous", "head", "signature")


@FAST
@given(st.data(), st.booleans())
def test_any_receipt_is_proven_or_refused(data: st.DataObject, sealed: bool) -> None:
    page = st.dictionaries(st.sampled_from(PAGE), JSON)
    fields = st.dictionaries(st.sampled_from(FIELDS), JSON | TEXTS)
    transfer = st.fixed_dictionaries(
        {"fields": fields, "page": page},
        optional=dict.fromkeys(TRANSFER[2:], JSON),
    )
    receipt = data.draw(st.dictionaries(st.sampled_from(RECEIPT), JSON))
    receipt |= {"sealed": sealed, "transfers": data.draw(st.lists(transfer, max_size=2) | JSON)}
    try:
        proof = prove(receipt, [])
    except NoReceipt:
        return
    assert proof.problems or not proof.is_sealed


@FAST
@given(st.dictionaries(st.sampled_from(sorted(ColumnMapInput.model_fields)), JSON | TEXTS))
def test_any_column_map_is_taken_or_refused(said: dict[str, Any]) -> None:
    try:
        taken = ColumnMapInput.model_validate(said | {"name": "own", "booked_at": "date"})
    except ValidationError:
        return
    try:
        read_csv("date,amount\n2026-11-01,5", "own", Columns(**taken.model_dump(exclude={"name"})))
    except StatementNotReadable as refused:
        assert refused.fields


@FAST
@given(st.uuids())
@example(UUID(int=2**128 - 1))
def test_any_event_id_is_of_an_instant(event_id: UUID) -> None:
    assert instant_of(event_id).tzinfo is UTC
