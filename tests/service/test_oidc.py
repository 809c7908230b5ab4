"""Tokens of a directory: which are believed, and how its keys are kept. No network, no database."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from models.base import utc_now
from service.auth import NoValidToken
from service.cli.directories import look_at
from service.cli.findings import Level
from service.oidc import IssuerNotReached
from service.oidc.issuers import IssuersFileNotReadable, IssuerTerms, read_issuers
from service.oidc.jwks import FRESH_S, LONGEST_S, PAUSE_S, KeySet
from service.oidc.opening import OpenIssuers

ISSUER, AUDIENCE = "https://sso.example.go.id", "jumpa-madu"
BANK = UUID("01900000-0000-7000-8000-000000000001")
RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
SIGNERS: dict[str, tuple[str, Any]] = {"r": ("RS256", RSA), "e": ("ES256", EC), "d": ("EdDSA", ED)}
TERMS: dict[str, Any] = {
    "issuer": ISSUER,
    "audience": AUDIENCE,
    "map": [{"claim": "groups", "value": "dinas", "role": "city", "banks": "*"}],
}


def public(kid: str) -> dict[str, Any]:
    key = SIGNERS[kid][1].public_key()
    algorithm: Any = {"r": RSAAlgorithm, "e": ECAlgorithm, "d": OKPAlgorithm}[kid]
    return {**json.loads(algorithm.to_jwk(key)), "kid": kid, "use": "sig"}


class Directory:
    """What a directory answers, and how often it was asked for its keys."""

    def __init__(self, *kids: str) -> None:
        self.keys: list[Any] = [public(kid) for kid in kids]
        self.described: dict[str, Any] = {
            "issuer": ISSUER,
            "jwks_uri": f"{ISSUER}/keys",
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "ES256", "EdDSA"],
        }
        self.asked = 0
        self.is_down = False
        self.now = 0.0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("It is down.")
        if request.url.path == "/keys":
            self.asked += 1
            return httpx.Response(200, json={"keys": self.keys})
        return httpx.Response(200, json=self.described)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def key_set(self, **terms: Any) -> KeySet:
        own = IssuerTerms.model_validate({**TERMS, **terms})
        return KeySet(own, self.client(), lambda: self.now)

    def issuers(self) -> OpenIssuers:
        return OpenIssuers([IssuerTerms.model_validate(TERMS)], self.client())


def claims_of(**changes: Any) -> dict[str, Any]:
    now = utc_now()
    claims = {
        "iss": ISSUER,
        "aud": ["another", AUDIENCE],
        "sub": "siti",
        "name": "Siti",
        "groups": ["dinas", "pegawai"],
        "iat": now,
        "exp": now + timedelta(minutes=5),
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def a_token(kid: str = "r", *, named: str | None = None, **changes: Any) -> str:
    algorithm, key = SIGNERS[kid]
    head = {"kid": named or kid}
    return jwt.encode(claims_of(**changes), key, algorithm=algorithm, headers=head)


def otherwise(secret: Any, algorithm: str, **head: Any) -> str:
    return jwt.encode(claims_of(), secret, algorithm=algorithm, headers=head)


def pem() -> bytes:
    return RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hs256_with_the_public_key() -> str:
    """By hand, since PyJWT would not sign it."""
    import base64  # noqa: PLC0415
    import hashlib  # noqa: PLC0415
    import hmac  # noqa: PLC0415

    _, body, _ = a_token().split(".")
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"r"}').decode().rstrip("=")
    signature = hmac.new(pem(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


BAD_TOKENS: dict[str, Callable[[], str]] = {
    "another audience": lambda: a_token(aud="another"),
    "no audience": lambda: a_token(aud=None),
    "run out": lambda: a_token(exp=utc_now() - timedelta(seconds=31)),
    "no end": lambda: a_token(exp=None),
    "from the future": lambda: a_token(iat=utc_now() + timedelta(seconds=60)),
    "not yet": lambda: a_token(nbf=utc_now() + timedelta(seconds=60)),
    "no instant": lambda: a_token(iat=None),
    "nobody": lambda: a_token(sub=None),
    "an empty name for nobody": lambda: a_token(sub=""),
    "a very long name for somebody": lambda: a_token(sub="x" * 256),
    "unsigned": lambda: otherwise("", "none", kid="r"),
    "public key as secret": hs256_with_the_public_key,
    "another algorithm of the key": lambda: otherwise(RSA, "RS512", kid="r"),
    "unknown key": lambda: a_token(named="unknown"),
    "no key id": lambda: jwt.encode(claims_of(), RSA, algorithm="RS256"),
    "another's key": lambda: a_token("e", named="r"),
}


async def test_a_genuine_token_says_who_and_what() -> None:
    issuers = Directory("r", "e", "d").issuers()
    for kid in SIGNERS:
        claimed = await issuers.read(a_token(kid))
        assert claimed is not None
        assert (claimed.issuer, claimed.subject, claimed.name) == (ISSUER, "siti", "Siti")
        assert [(grant.role, grant.banks) for grant in claimed.grants] == [("city", None)]
        assert not claimed.proved
    late = await issuers.read(a_token(exp=utc_now() - timedelta(seconds=10), amr=["pwd", "otp"]))
    assert late is not None
    assert late.proved
    other = await issuers.read(a_token(groups=["tamu"], name=7))
    assert other is not None
    assert (other.grants, other.name) == ((), "")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", BAD_TOKENS.values(), ids=BAD_TOKENS)
async def test_a_bad_token_is_refused(make: Callable[[], str]) -> None:
    with pytest.raises(NoValidToken):
        await Directory("r").issuers().read(make())


@pytest.mark.parametrize("token", ["x", "a.b.c", "", a_token(iss="https://other.example")])
async def test_tokens_of_nobody_known_are_left_to_us(token: str) -> None:
    assert await Directory("r").issuers().read(token) is None


async def test_shared_secrets_and_odd_keys_are_no_keys() -> None:
    directory = Directory("r")
    directory.keys += [
        {"kty": "oct", "kid": "o", "k": "c2VjcmV0"},
        {**public("e"), "use": "enc"},
        {"kty": "RSA", "kid": "broken"},
        "text",
    ]
    keys = directory.key_set()
    assert await keys.key("r", "RS256") is not None
    for kid, algorithm in (("o", "HS256"), ("e", "ES256"), ("broken", "RS256"), ("r", "ES256")):
        assert await keys.key(kid, algorithm) is None


async def test_algorithms_are_those_that_both_name() -> None:
    narrow = Directory("r", "e").key_set(algorithms=["ES256"])
    assert await narrow.key("r", "RS256") is None
    assert await narrow.key("e", "ES256") is not None
    directory = Directory("r", "e")
    directory.described["id_token_signing_alg_values_supported"] = ["RS256"]
    assert await directory.key_set().key("e", "ES256") is None


async def test_a_rotated_key_is_fetched_at_most_once_a_minute() -> None:
    directory = Directory("r")
    keys = directory.key_set()
    assert await keys.key("r", "RS256") is not None
    directory.keys = [public("e")]
    assert await keys.key("e", "ES256") is None  # Asked a moment ago.
    directory.now = PAUSE_S
    assert await keys.key("e", "ES256") is not None
    assert await keys.key("r", "RS256") is None  # Taken back.
    for _ in range(5):
        assert await keys.key("made up", "ES256") is None
    assert directory.asked == 2
    directory.now += FRESH_S + 1
    assert await keys.key("e", "ES256") is not None
    assert directory.asked == 3


async def test_keys_stay_for_a_day_where_the_directory_is_down() -> None:
    directory = Directory("r")
    keys = directory.key_set()
    assert await keys.key("r", "RS256") is not None
    directory.is_down, directory.now = True, LONGEST_S - 1
    assert await keys.key("r", "RS256") is not None
    directory.now = LONGEST_S + 1
    with pytest.raises(IssuerNotReached):
        await keys.key("r", "RS256")
    with pytest.raises(IssuerNotReached):
        await directory.key_set().key("r", "RS256")


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://other.example"},
        {"jwks_uri": "http://sso.example.go.id/keys"},
        {"jwks_uri": None},
    ],
)
async def test_a_description_of_another_or_over_an_open_line_is_none(
    described: dict[str, Any],
) -> None:
    directory = Directory("r")
    directory.described |= described
    with pytest.raises(IssuerNotReached):
        await directory.key_set().key("r", "RS256")
    assert directory.asked == 0


async def test_with_an_address_of_keys_nothing_is_discovered() -> None:
    directory = Directory("r")
    directory.described = {}
    assert await directory.key_set(jwks_url=f"{ISSUER}/keys").key("r", "RS256") is not None


@pytest.mark.parametrize(
    ("claim", "claims", "fits"),
    [
        ("groups", {"groups": ["a", "dinas"]}, True),
        ("groups", {"groups": "dinas"}, True),
        ("groups", {"groups": "dinas kota"}, False),
        ("groups", {"groups": {"dinas": 1}}, False),
        ("groups", {}, False),
        ("realm_access.roles", {"realm_access": {"roles": ["dinas"]}}, True),
        ("https://a.b/roles", {"https://a.b/roles": ["dinas"]}, True),
        ("realm_access.roles", {"realm_access": ["roles"]}, False),
    ],
)
def test_a_mapping_fits_by_the_whole_value(
    claim: str, claims: dict[str, Any], *, fits: bool
) -> None:
    one = {"claim": claim, "value": "dinas", "role": "city", "banks": [str(BANK)]}
    terms = IssuerTerms.model_validate({**TERMS, "map": [one]})
    assert [grant.banks for grant in terms.grants(claims)] == [frozenset({BANK})] * fits


GOOD_FILE = f"""
[[issuer]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"

[[issuer.map]]
claim = "groups"
value = "dinas"
role = "city"
banks = "*"
"""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[[issuer]]", "[issuer"), "issuers.toml"),
        (("https://", "http://"), "issuer.0.issuer"),
        (('audience = "jumpa-madu"', ""), "issuer.0.audience"),
        (('role = "city"', 'role = "resident"'), "map.0.role"),
        (('banks = "*"', 'banks = ["x"]'), "map.0.banks"),
        (('value = "dinas"', 'value = "dinas"\nextra = 1'), "extra"),
        (("[[issuer.map]]", 'algorithms = ["HS256"]\n[[issuer.map]]'), "algorithms"),
        (("[[issuer.map]]", 'algorithms = ["none"]\n[[issuer.map]]'), "algorithms"),
        (("\n[[issuer]]", GOOD_FILE + "\n[[issuer]]"), "once"),
    ],
)
def test_a_file_that_will_not_do_is_named(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(GOOD_FILE)
    assert [terms.issuer for terms in read_issuers(path)] == [ISSUER]
    path.write_text(GOOD_FILE.replace(*change, 1))
    with pytest.raises(IssuersFileNotReadable, match=words):
        read_issuers(path)
    with pytest.raises(IssuersFileNotReadable, match="No such file"):
        read_issuers(tmp_path / "none.toml")


async def test_doctor_says_whether_a_directorys_keys_can_be_used() -> None:
    healthy, down, other, old = (Directory("r", "e") for _ in range(4))
    down.is_down = True
    other.described["issuer"] = "https://another.example"
    old.described["id_token_signing_alg_values_supported"] = ["HS256"]
    terms = IssuerTerms.model_validate(TERMS)
    found = [await look_at(terms, each.client()) for each in (healthy, down, other, old)]
    assert [one.level for one in found] == [Level.OK, Level.WARN, Level.WARN, Level.WARN]
    assert f"for {AUDIENCE}, 2 keys" in found[0].how_it_is
    assert "It is down." in found[1].advice
    assert "another issuer" in found[2].advice
    assert "algorithms" in found[3].advice
