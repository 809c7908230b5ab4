"""What the audit calls acts, and how little it keeps of an address. No engine decides this."""

from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi import FastAPI

from models.base import new_id
from service import audit
from service.api.auditing import name_of, network_of
from service.api.idempotency import ActRoute
from service.audit import Entry, Seen

_OF_PEOPLE = {"pickup", "payout", "dropoff", "person", "collector", "card", "me"}


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("114.122.8.77", "114.122.8.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:114.122.8.77", "114.122.8.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_of_an_address_the_network_is_kept(host: str, kept: str) -> None:
    assert network_of(host) == kept


@pytest.mark.parametrize(
    ("endpoint", "path", "name"),
    [
        ("approve", "/v1/payouts/{payout_id}/approve", ("approve_payout", "payout", "payout_id")),
        ("request", "/v1/payouts", ("request_payout", "payout", "")),
        ("close", "/v1/banks/{bank_id}/drawers/{name}/close", ("close_drawer", "drawer", "name")),
        ("close_day", "/v1/banks/{bank_id}/days/{day}/close", ("close_day", "day", "day")),
        ("register", "/v1/banks/{bank_id}/members", ("register_person", "person", "")),
    ],
)
def test_acts_have_names(endpoint: str, path: str, name: tuple[str, str, str]) -> None:
    found = name_of(endpoint, path)
    assert (found.name, found.kind, found.parameter) == name


def test_every_act_has_a_name_of_its_own_and_words_where_it_is_about_people(app: FastAPI) -> None:
    routes = [route for route in app.router.routes if isinstance(route, ActRoute)]
    acts = [
        name_of(route.endpoint.__name__, route.path_format)
        for route in routes
        if route.methods != {"GET"}
    ]
    names = [act.name for act in acts]
    assert len(names) == len(set(names)) > 40
    wordless = {act.name for act in acts if act.kind in _OF_PEOPLE} - set(audit.WORDS)
    assert wordless == set()
    assert audit.in_words("approve_payout", "id") == "Menyetujui pencairan"
    assert audit.in_words("close_day", "id") == "close_day"


def test_a_look_is_new_until_it_was_noted_and_again_the_next_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen, bank, one, other = Seen(), uuid4(), uuid4(), uuid4()
    look = Entry("read_passbook", actor_id=new_id())
    assert seen.new_to(bank, look, [one, one, other]) == [one, other]
    seen.add(bank, look, [one])
    assert seen.new_to(bank, look, [one, other]) == [other]
    tomorrow = seen.today() + timedelta(days=1)
    monkeypatch.setattr(seen, "today", lambda: tomorrow)
    assert seen.new_to(bank, look, [one]) == [one]
