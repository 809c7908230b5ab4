"""What an operator of the product can set, by environment or by files of secrets."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Value = TypeVar("Value")
_SECRETS = Path("/run/secrets")
_WEAK = {"", "changethis", "change-me", "secret", "default"}


class Settings(BaseSettings):
    """One object, made by the entry point and handed down. Variables start with JUMPA_."""

    model_config = SettingsConfigDict(
        env_prefix="JUMPA_",
        secrets_dir=_SECRETS if _SECRETS.is_dir() else None,
        extra="ignore",
    )

    environment: Literal["development", "production"] = "development"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    data_dir: Path = Path("data")
    database_url: str = ""
    database_password: SecretStr | None = None
    database_pool: Annotated[int, Field(ge=1, le=200)] = 10
    database_prepared: bool = True
    demo: bool | None = None
    worker: Literal["inside", "apart"] = "inside"

    pepper: SecretStr | None = None
    peppers_before: SecretStr | None = None
    signing_key: SecretStr | None = None
    signing_keys_before: str = ""
    sealing_key: SecretStr | None = None
    sealing_keys_before: str = ""
    access_token_s: Annotated[int, Field(ge=60, le=86_400)] = 900
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = 30
    code_resend_s: Annotated[int, Field(ge=0, le=3_600)] = 60
    second_factor: Literal["off", "officers"] | None = None
    codes_per_hour: Annotated[int, Field(ge=1)] = 10
    codes_per_address_hour: Annotated[int | None, Field(ge=1)] = None

    log_format: Literal["text", "json"] | None = None
    access_log: bool | None = None
    telemetry: bool = False
    ready_lag_s: Annotated[int, Field(ge=0)] = 0
    cors_origins: Annotated[
        str, Field(pattern=r"^(https?://[\w.-]+(:\d+)?(\s+https?://[\w.-]+(:\d+)?)*)?$")
    ] = ""

    max_body_bytes: Annotated[int, Field(ge=1_024)] = 1_048_576
    max_statement_bytes: Annotated[int, Field(ge=1_024, le=268_435_456)] = 33_554_432

    location_days: Annotated[int, Field(ge=1, le=3_650)] = 30

    at_work: Annotated[int, Field(ge=1, le=10_000)] = 16
    request_s: Annotated[float, Field(gt=0, le=3_600)] = 60

    rate_store: SecretStr | None = None
    rate_person: Annotated[int, Field(ge=0)] = 6_000
    rate_address: Annotated[int, Field(ge=0)] = 30_000

    event_streams: Annotated[int, Field(ge=1, le=10_000)] = 200
    event_stream_s: Annotated[float, Field(gt=0, le=3_600)] = 600

    whatsapp_url: str = ""
    whatsapp_phone_id: str = ""
    whatsapp_token: SecretStr | None = None
    whatsapp_code_template: str = "jumpa_madu_kode"
    whatsapp_notice_template: str = "jumpa_madu_kabar"

    gateways: Annotated[Path | None, BeforeValidator(lambda path: path or None)] = None
    standin_port: Annotated[int, Field(ge=0, le=65535)] = 0

    oidc: Annotated[Path | None, BeforeValidator(lambda path: path or None)] = None

    nominatim_url: str = ""
    nominatim_user_agent: str = ""

    osrm_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = ""

    @model_validator(mode="after")
    def _fit_for_production(self) -> Self:
        if self.environment != "production":
            return self
        for name in ("pepper", "signing_key", "sealing_key"):
            secret: SecretStr | None = getattr(self, name)
            if secret is None or secret.get_secret_value().strip().lower() in _WEAK:
                raise ValueError(
                    f"In production JUMPA_{name.upper()} must be set to a real secret."
                )
        if self.pepper is not None and len(self.pepper.get_secret_value()) < 32:
            raise ValueError("JUMPA_PEPPER must have at least 32 characters.")
        return self

    @model_validator(mode="after")
    def _somebody_works(self) -> Self:
        if self.is_sqlite and self.worker == "apart":
            raise ValueError("On SQLite the server does the work itself: unset JUMPA_WORKER.")
        return self

    @model_validator(mode="after")
    def _nominatim_asks_who_you_are(self) -> Self:
        if self.nominatim_url and not self.nominatim_user_agent:
            raise ValueError(
                "JUMPA_NOMINATIM_USER_AGENT must say who is asking, with a contact address:"
                " Nominatim's usage policy requires it."
            )
        return self

    @property
    def database(self) -> str:
        """The whole URL, with the password from its own secret put in."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.resolve() / 'jumpa.db'}"
        # Slow to import, and an address is taken before anything slow.
        from sqlalchemy.engine import make_url  # noqa: PLC0415

        url = make_url(self.database_url)
        if self.database_password is not None:
            url = url.set(password=self.database_password.get_secret_value())
        return url.render_as_string(hide_password=False)

    @property
    def officers_prove(self) -> bool:
        """Whether operators and treasurers need a second factor; nobody's demo does."""
        return (self.second_factor or self._by_environment("officers", "off")) == "officers"

    @property
    def most_codes_per_address(self) -> int:
        """In an hour; many households share an address, and a whole demo town has one."""
        return self.codes_per_address_hour or self._by_environment(100, 10_000)

    @property
    def plays_gateway(self) -> bool:
        """Whether payouts go to the stand-in: to try things out, never beside real money."""
        is_play = self.environment == "development" and self.is_sqlite and self.demo is not False
        return is_play and self.gateways is None

    @property
    def writes_json(self) -> bool:
        """Whether the log is for a collector of logs: in production, unless said otherwise."""
        wanted = self.log_format or ("json" if self.environment == "production" else "text")
        return wanted == "json"

    @property
    def writes_access_log(self) -> bool:
        if self.access_log is None:
            return self.environment == "production"
        return self.access_log

    @property
    def origins(self) -> list[str]:
        """The addresses whose pages may call."""
        return self.cors_origins.split()

    @property
    def is_sqlite(self) -> bool:
        return self.database.startswith("sqlite")

    def _by_environment(self, in_production: Value, in_development: Value) -> Value:
        return in_production if self.environment == "production" else in_development
