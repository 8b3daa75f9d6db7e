"""Everything that can be set, in one frozen value read from `MDM_*`; the only reader of the environment.

A variable that begins with `MDM_` and is no setting stops the start: a typing error must not become a silent default.
Names that begin with `MDM_TEST_`, and `MDM_LABELLED_DATA`, belong to the test suite and are left alone. Those that
begin with `MDM_SECRET_` are secrets, which `secret` gives to whoever was told their name.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mdm.errors import SettingsInvalid
from mdm.failpoints import read_actions

PREFIX: Final = "MDM_"
_TEST_PREFIXES: Final = ("MDM_TEST_", "MDM_LABELLED_DATA")
SECRET_PREFIX: Final = "MDM_SECRET_"  # noqa: S105 -- the beginning of a name
SECRET_NAME: Final = re.compile(r"MDM_SECRET_[A-Z0-9_]+")
"""Variables that the declarations of targets name: they hold what must stand in no file."""
_RATE: Final = r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,3}$"
"""How many in how many seconds, as `mdm.access.rates_model` reads it."""


RoleName = Literal["viewer", "steward", "lead", "integrator", "admin"]


class Settings(BaseSettings):
    """Hold what an installation may choose; every bound of the hub that is not part of a match model stands here."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: Path = Field(
        default=Path(".mdm"), description="Folder of the embedded PostgreSQL and of files the hub keeps."
    )
    database_url: str | None = Field(
        default=None,
        repr=False,
        description="URL of a PostgreSQL server, 15 to 18: postgresql://user:password@host/name; unset: embedded.",
    )
    audit_folder: Path | None = Field(
        default=None,
        description="Folder of the signed checkpoints of the audit log; unset: `audit` in the home.",
    )
    entities: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(), description="Folders with entity types of your own in YAML, separated as in PATH."
    )
    recipe: Path | None = Field(
        default=None, description="YAML file with your own way of a closed-won deal; unset: the one that comes along."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json: one object a line on stderr; console: coloured lines for people."
    )
    http_host: str = Field(default="127.0.0.1", description="Address on which `mdm serve` listens.")
    http_port: int = Field(default=8000, ge=0, le=65_535, description="Port of `mdm serve`; 0 takes a free one.")
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="Port on which `mdm worker` tells its own counters, at the address of `mdm serve`; unset: it does"
        " not.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#@]+$",
        description="Address at which people reach the console, as https://mdm.example.com; unset: where it listens.",
    )
    oidc_issuer: str | None = Field(
        default=None,
        description="Issuer of the OpenID provider that people sign in at, as it writes itself; unset: passwords only.",
    )
    oidc_client_id: str = Field(default="", description="What the OpenID provider calls this hub.")
    oidc_client_secret: str | None = Field(
        default=None, repr=False, description="Secret of this hub at the OpenID provider; unset: a public client."
    )
    oidc_scopes: str = Field(
        default="openid profile email", pattern=r"\bopenid\b", description="Scopes that are asked for, with blanks."
    )
    oidc_login_claim: str = Field(
        default="preferred_username", min_length=1, description="Claim that names a person the first time."
    )
    oidc_groups_claim: str = Field(default="groups", min_length=1, description="Claim that lists a person's groups.")
    oidc_roles: Annotated[Mapping[str, RoleName], NoDecode] = Field(
        default={},
        validate_default=True,
        description='Roles by group, as {"mdm-stewards": "steward"}; of several the strongest holds, whoever has none'
        " is refused. Roles: viewer, steward, lead, integrator, admin.",
    )
    delivery_lease_s: float = Field(
        default=120.0,
        ge=1,
        le=3_600,
        description="Seconds that a relay has what it leased to itself; after a crash another one waits so long.",
    )
    flip_flop_returns: int = Field(
        default=3,
        ge=1,
        le=100,
        description="How often a value comes back before its attribute is frozen for targets, and a review opened.",
    )
    flip_flop_hours: float = Field(default=24.0, gt=0, le=8_760, description="Within how many hours.")
    outgoing_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(),
        description="Networks that are not public and may yet be called by the hub, as 10.0.0.0/8,fd00::/8; they may be"
        " called without TLS too.",
    )
    pool_size: int = Field(default=10, ge=1, le=500, description="Connections to PostgreSQL of one process.")
    chunk_records: int = Field(default=40, ge=1, le=1_000, description="Records of one call that share a transaction.")
    locks_max: int = Field(
        default=500, ge=1, le=10_000, description="Advisory locks of one transaction; more records wait for the next."
    )
    component_records_max: int = Field(
        default=2_000,
        ge=2,
        description="Records of a touched component that are clustered online; beyond it a job does.",
    )
    block_size_emergency: int = Field(
        default=500,
        ge=2,
        description="Candidates of one record online; beyond it the record is stored alone and deferred.",
    )
    batch_records_max: int = Field(default=1_000, ge=1, description="Source records of one call.")
    resolve_keys_max: int = Field(default=10_000, ge=1, description="Source keys of one bulk look-up.")
    review_claim_minutes: int = Field(
        default=30, ge=1, le=10_080, description="Minutes for which a claimed review is kept from other stewards."
    )
    reservation_minutes: int = Field(
        default=60,
        ge=1,
        le=43_200,
        description="Minutes for which a create in another system stays reserved unless its caller asks for more.",
    )
    reviews_bulk_max: int = Field(default=200, ge=1, le=2_000, description="Reviews that one answer may settle.")
    password_memory_kib: int = Field(
        default=65_536, ge=8, le=4_194_304, description="Memory of one password hash (argon2id); less in tests only."
    )
    password_passes: int = Field(default=3, ge=1, le=100, description="Passes of one password hash over its memory.")
    reviews_band_max: int = Field(
        default=5_000, ge=1, le=50_000, description="Reviews of a band, which is answered in the background."
    )
    rate_read: str = Field(
        default="120000/60",
        pattern=_RATE,
        description="Requests of one API key or person that read: how many in how many seconds, in all processes"
        " together; `mdm keys create --rate` gives a key rates of its own.",
    )
    rate_write: str = Field(
        default="30000/60", pattern=_RATE, description="Requests of one API key or person that change something."
    )
    rate_bulk_read: str = Field(
        default="1200000/60", pattern=_RATE, description="Source keys that one API key asks in bulk look-ups."
    )
    rate_bulk_write: str = Field(
        default="300000/60",
        pattern=_RATE,
        description="Source records, source events and answers to reviews that one API key sends in bulk.",
    )
    page_size_max: int = Field(default=500, ge=1, description="Entries of one page.")
    body_bytes_max: int = Field(default=1_000_000, ge=1_000, description="Bytes of a request body.")
    batch_body_bytes_max: int = Field(
        default=8_000_000, ge=1_000, description="Bytes of a request body of a batch route."
    )
    json_depth_max: int = Field(default=32, ge=2, le=200, description="Levels of nesting in a JSON body.")
    failpoints: str = Field(
        default="", description="Points at which this process shall fail, for tests: name=kill|raise|delay[:number],…"
    )

    @property
    def checkpoint_folder(self) -> Path:
        """Return the folder of the signed checkpoints of the audit log."""
        return self.audit_folder or self.home / "audit"

    @field_validator("entities", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @field_validator("outgoing_networks", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value

    @field_validator("outgoing_networks")
    @classmethod
    def _check_networks(cls, value: tuple[IPv4Network | IPv6Network, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
        if any(network.prefixlen == 0 for network in value):
            raise ValueError("name the networks: a prefix of /0 would let the hub call everything")
        return value

    @field_validator("failpoints")
    @classmethod
    def _check_failpoints(cls, value: str) -> str:
        read_actions(value)
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, value: str | None) -> str | None:
        place = urlsplit(value or "")
        is_local = place.hostname in {"localhost", "127.0.0.1", "::1"}
        if value is not None and not (place.hostname and place.scheme in {"https", *({"http"} if is_local else ())}):
            raise ValueError("write an https:// address")
        return value

    @field_validator("oidc_roles", mode="before")
    @classmethod
    def _read_roles(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError('write JSON, as {"mdm-stewards": "steward"}') from None

    @field_validator("oidc_roles")
    @classmethod
    def _check_oidc(cls, value: Mapping[str, RoleName], found: ValidationInfo) -> Mapping[str, RoleName]:
        if found.data.get("oidc_issuer") and not (value and found.data.get("oidc_client_id")):
            raise ValueError("MDM_OIDC_ISSUER needs MDM_OIDC_CLIENT_ID, and a role for at least one group here")
        return value

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Check the names in the environment, then read the values; raises SettingsInvalid with every fault."""
        faults = _unknown_names(environment, known=variables(cls))
        if faults:
            raise SettingsInvalid("; ".join(faults), remedy="rename or unset it", field=faults[0].split(" ", 1)[0])
        try:
            return cls()
        except ValidationError as error:
            first, *_ = faults = [_name_fault(dict(fault)) for fault in error.errors(include_input=False)]
            raise SettingsInvalid(
                "; ".join(faults), remedy="see docs/reference/settings.md", field=first.split(":", 1)[0]
            ) from None


def load_settings() -> Settings:
    """Read the settings of this process."""
    return Settings.from_environment(os.environ)


def secret(name: str) -> str:
    """Give the secret that a variable holds; raises SettingsInvalid that names a variable which is not set."""
    value = os.environ.get(name, "") if name.startswith(SECRET_PREFIX) else ""
    if not value:
        raise SettingsInvalid(f"{name} is not set", remedy=f"let the environment of the hub hold {name}")
    return value


def is_secret_set(name: str) -> bool:
    """Tell whether the environment of this process holds a secret."""
    return name.startswith(SECRET_PREFIX) and bool(os.environ.get(name))


def variables(settings_class: type[BaseSettings] = Settings) -> tuple[str, ...]:
    """Return the name of every variable that is a setting."""
    return tuple(f"{PREFIX}{name.upper()}" for name in settings_class.model_fields)


def _unknown_names(environment: Iterable[str], *, known: tuple[str, ...]) -> list[str]:
    """Say which names look like settings and are none, each with the nearest one that is."""
    faults = []
    for name in sorted(environment):
        if not name.upper().startswith(PREFIX) or name.upper() in known:
            continue
        if name.upper().startswith((*_TEST_PREFIXES, SECRET_PREFIX)):
            continue
        nearest = get_close_matches(name.upper(), known, n=1, cutoff=0)
        faults.append(f"{name} is no setting; the nearest one is {nearest[0]}")
    return faults


def _name_fault(fault: dict[str, object]) -> str:
    """Turn a fault of validation into `MDM_NAME: what is wrong`, without the value, which may be a secret."""
    place = fault["loc"]
    assert isinstance(place, tuple)
    return f"{PREFIX}{str(place[0]).upper()}: {str(fault['msg']).removeprefix('Value error, ')}"
