"""The operator's accounts at gateways, out of a TOML file."""

import re
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

_LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}

# Printable, without spaces: it goes into a header.
Secret = Annotated[SecretStr, Field(min_length=8, max_length=500)]
Banks = Literal["*"] | list[UUID]


class GatewaysFileNotReadable(ValueError):
    """The file of gateways can't be used; says where and why, and repeats no value."""


class _Account(BaseModel):
    """What every gateway needs to be told; `banks` are those that it pays for, or "*"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    url: AnyHttpUrl
    callback_secret: Secret
    banks: Banks
    fee_idr: Annotated[int, Field(ge=0, le=100_000, strict=True)]
    vat_permille: Annotated[int, Field(ge=0, le=1_000, strict=True)] = 110
    timeout_s: Annotated[float, Field(ge=0.1, le=60)] = 10.0

    @field_validator("url")
    @classmethod
    def _is_sealed(cls, url: AnyHttpUrl) -> AnyHttpUrl:
        if url.scheme != "https" and url.host not in _LOOPBACK:
            raise ValueError("Keys are sent there: it has to begin with https://.")
        if url.username or url.password or url.query or url.fragment:
            raise ValueError("It may have a path, but no user, query or fragment.")
        return url

    @field_validator(
        "callback_secret", "secret_key", "creator_key", "approver_key", check_fields=False
    )
    @classmethod
    def _fits_a_header(cls, secret: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
            raise ValueError("It has letters that no key has.")
        return secret

    @property
    def base_url(self) -> str:
        return str(self.url).rstrip("/")

    @property
    def is_shared(self) -> bool:
        return self.banks == "*" or len(self.banks) > 1

    def pays_for(self, bank_id: UUID) -> bool:
        return self.banks == "*" or bank_id in self.banks


class XenditAccount(_Account):
    """An account at Xendit; `callback_secret` is its callback verification token."""

    kind: Literal["xendit"]
    url: AnyHttpUrl = AnyHttpUrl("https://api.xendit.co")
    secret_key: Secret
    sub_account: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,64}$")] = ""


class IrisAccount(_Account):
    """An account at Midtrans Iris; `callback_secret` is its merchant key."""

    kind: Literal["iris"]
    url: AnyHttpUrl = AnyHttpUrl("https://app.midtrans.com/iris/api/v1")
    creator_key: Secret
    approver_key: Secret


Account = Annotated[XenditAccount | IrisAccount, Field(discriminator="kind")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    account: list[Account]


def read_accounts(path: Path) -> list[XenditAccount | IrisAccount]:
    """The accounts in a file. Raises GatewaysFileNotReadable."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise GatewaysFileNotReadable(f"{path}: {why}.") from None
    return _accounts(text, lambda line, why: GatewaysFileNotReadable(f"{path}, line {line}: {why}"))


def _accounts(
    text: str, refusal: Callable[[int, str], GatewaysFileNotReadable]
) -> list[XenditAccount | IrisAccount]:
    try:
        found = _File.model_validate(tomllib.loads(text) or {"account": []})
    except tomllib.TOMLDecodeError as error:
        # Its words quote what stands there, which may be a key.
        line = re.search(r"at line (\d+)", str(error))
        at = int(line[1]) if line else text.count("\n") + 1
        raise refusal(at, "this is no TOML.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise refusal(_line_of(text, first["loc"]), _why(first["loc"], first["msg"])) from None
    if twice := _named_twice(found.account):
        raise refusal(_line_of(text, ("account", twice, "name")), "name: This name is taken.")
    return found.account


def _why(where: Sequence[int | str], message: str) -> str:
    # Of an account: the table, its number, its kind, the field and perhaps a place in it.
    field_name = next((str(one) for one in where[3:] if isinstance(one, str)), "")
    sentence = message.removeprefix("Value error, ")
    return f"{field_name or '.'.join(map(str, where[:1]))}: {sentence}"


def _line_of(text: str, where: Sequence[Any]) -> int:
    """The line of the field, else of its account, else of the file."""
    lines = text.splitlines()
    heads = [at for at, line in enumerate(lines) if re.match(r"\s*\[\[\s*account\s*\]\]", line)]
    number = next((one for one in where if isinstance(one, int)), None)
    if number is None or number >= len(heads):
        return 1
    begin = heads[number]
    end = heads[number + 1] if number + 1 < len(heads) else len(lines)
    names = [re.escape(one) for one in where if isinstance(one, str)]
    own = re.compile(rf"\s*(?:{'|'.join(names)})\s*=")
    return next((at for at in range(begin + 1, end) if own.match(lines[at])), begin) + 1


def _named_twice(accounts: Sequence[_Account]) -> int | None:
    names = [one.name for one in accounts]
    return next((at for at, name in enumerate(names) if name in names[:at]), None)
