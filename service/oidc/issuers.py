"""Which directories are believed, and what their people may do here, out of a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.auth import Grant

Algorithm = Literal["RS256", "ES256", "EdDSA"]
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class IssuersFileNotReadable(ValueError):
    """The file of directories can't be used; says where and why."""


def is_sealed(url: str) -> bool:
    """Whether nobody on the way can change what is read from there."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _sealed(url: str) -> str:
    if url and not is_sealed(url):
        raise ValueError("It has to begin with https://.")
    return url


Url = Annotated[str, Field(max_length=255), AfterValidator(_sealed)]


class Mapping(BaseModel):
    """Whoever's claim has this value plays this part, in these banks or with "*" in every one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: Annotated[str, Field(min_length=1, max_length=200)]
    value: Annotated[str, Field(min_length=1, max_length=200)]
    role: Literal["city", "operator", "treasurer"]
    banks: Literal["*"] | list[UUID]

    def fits(self, claims: dict[str, Any]) -> bool:
        """Whether a token says so; `a.b` is the claim `b` of the object `a`."""
        said = claims.get(self.claim, _inside(claims, self.claim))
        return self.value in said if isinstance(said, list) else said == self.value

    def grant(self) -> Grant:
        return Grant(self.role, None if self.banks == "*" else frozenset(self.banks))


class IssuerTerms(BaseModel):
    """A directory: whose tokens, made for whom, signed how, and what they are good for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[Url, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1, max_length=255)]
    jwks_url: Url = ""
    algorithms: Annotated[frozenset[Algorithm], Field(min_length=1)] = frozenset(
        ("RS256", "ES256", "EdDSA")
    )
    map: Annotated[list[Mapping], Field(min_length=1, max_length=100)]

    @property
    def discovery_url(self) -> str:
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"

    def grants(self, claims: dict[str, Any]) -> tuple[Grant, ...]:
        """What somebody with these claims may do."""
        return tuple(mapping.grant() for mapping in self.map if mapping.fits(claims))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    issuer: list[IssuerTerms] = []

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [one.issuer for one in self.issuer]
        if len(set(names)) < len(names):
            raise ValueError("Each issuer stands there once.")
        return self


def read_issuers(path: Path) -> list[IssuerTerms]:
    """The directories in a file. Raises IssuersFileNotReadable."""
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).issuer
    except OSError as error:
        raise IssuersFileNotReadable(f"{path}: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise IssuersFileNotReadable(f"{path}, {where}: {first['msg']}") from None
    except ValueError as error:
        raise IssuersFileNotReadable(f"{path}: {error}") from None


def _inside(claims: dict[str, Any], path: str) -> Any:
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
